"""T27: a photo or a video is given to who may see it, asked for each time; to others there is none."""

from io import BytesIO

import pytest
from flask import Blueprint, request

from bot.app import create_app
from bot.database import reading
from bot.errors import NotFound
from bot.moments.media import limits, serving, uploads
from models import Media
from tests.moments_media.conftest import once
from tests.moments_media.films import film
from tests.moments_media.photos import encoded, picture, strange_parts


@pytest.fixture
def media_client(database_url):
    """The application with a route as Moments has one; who says so may see."""
    blueprint = Blueprint("tried", __name__)
    app = create_app()
    app.allowed = True

    @blueprint.get("/tried/<key>/<part>")
    def give(key: str, part: str):
        with reading() as session:
            media = session.query(Media).where(Media.key == key).one_or_none()
            try:
                return serving.serve(media if app.allowed else None, part)
            except NotFound as refusal:
                return str(refusal), 404

    @blueprint.post("/tried")
    def receive():
        request.max_content_length = limits.REQUEST_BYTES
        stream = request.files["file"].stream if request.files else request.stream
        return {"key": uploads.take(1, stream).key}

    app.register_blueprint(blueprint)
    return app.test_client()


@once
def test_an_upload_may_be_larger_than_other_requests_as_a_form_or_as_it_is(media_client, parts):
    large = encoded("PNG", picture((800, 600)), compress_level=0)
    assert len(large) > media_client.application.config["MAX_CONTENT_LENGTH"]
    as_form = media_client.post("/tried", data={"file": (BytesIO(large), "photo.exe", "text/html")})
    as_it_is = media_client.post("/tried", data=large, content_type="text/html")
    for answer in (as_form, as_it_is):
        given = media_client.get(f"/tried/{answer.json['key']}/full")
        assert given.headers["Content-Type"] == "image/jpeg"
        assert strange_parts(given.data) == []


@once
def test_a_photo_is_given_whole_and_kept_by_nobody_on_the_way(upload, parts, media_client):
    media = upload(encoded("PNG"))
    answer = media_client.get(f"/tried/{media.key}/feed")
    assert answer.data == parts(media)["feed"]
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"] == "inline; filename=photo.jpg"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert not {"ETag", "Last-Modified", "Expires"} & set(answer.headers.keys())
    assert int(media_client.head(f"/tried/{media.key}/feed").headers["Content-Length"]) == len(answer.data)


@once
def test_a_video_is_given_in_the_pieces_that_are_asked_for(upload, parts, media_client):
    media = upload(film())
    whole, path = parts(media)["video"], f"/tried/{media.key}/video"
    assert media_client.get(path).data == whole
    piece = media_client.get(path, headers={"Range": "bytes=100-199"})
    assert (piece.status_code, piece.data) == (206, whole[100:200])
    assert piece.headers["Content-Range"] == f"bytes 100-199/{len(whole)}"
    assert piece.headers["Content-Type"] == "video/mp4"
    assert media_client.get(path, headers={"Range": "bytes=-50"}).data == whole[-50:]
    assert media_client.get(path, headers={"Range": f"bytes={len(whole)}-"}).status_code == 416


@once
def test_what_is_not_there_and_what_one_may_not_see_look_alike(upload, media_client):
    photo, video = upload(encoded("PNG")), upload(film())
    media_client.application.allowed = False
    closed = media_client.get(f"/tried/{photo.key}/feed")
    media_client.application.allowed = True
    none = [
        f"/tried/{'0' * 32}/feed",
        f"/tried/{photo.key}/video",
        f"/tried/{photo.key}/original",
        f"/tried/{video.key}/feed",
    ]
    answers = [closed, *(media_client.get(path) for path in none)]
    assert {(answer.status_code, answer.data) for answer in answers} == {(404, b"There is no such photo or video.")}
    assert len({tuple(sorted(answer.headers.items())) for answer in answers}) == 1
