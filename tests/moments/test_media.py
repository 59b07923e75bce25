"""Photos and videos through the door: taken, put into posts, beside names, and gone again."""

from datetime import timedelta
from io import BytesIO

import pytest
from sqlalchemy import select

from bot.database import reading, transaction
from bot.jobs import moments
from bot.moments import addresses, posts
from bot.moments.media import files, limits, upkeep, uploads
from models import Media, MediaState
from tests.moments_media.films import film
from tests.moments_media.photos import encoded

PHOTO = encoded("JPEG")
DAY = 86_400


def send(who, content: bytes = PHOTO, path: str = "/media"):
    return who("POST", path, data=content, content_type="application/octet-stream")


def state_of(address: str) -> MediaState | None:
    with reading() as session:
        return session.scalar(select(Media.state).where(Media.id == addresses.read("media", address)))


@pytest.mark.databases
def test_a_photo_is_uploaded_posted_and_seen_by_friends_only(join):
    ann = join("ann")
    bob, eve = join("bob", ann), join("eve")
    sent = send(ann, path="/media?turns=1")
    assert (sent.status_code, sent.json["kind"], sent.json["width"], sent.json["height"]) == (201, "photo", 32, 48)
    described = ann("PATCH", f"/media/{sent.json['id']}", {"alt": "a field"})
    assert ann.get(f"/media/{sent.json['id']}/thumb").status_code == 200
    assert bob.get(f"/media/{sent.json['id']}/thumb").status_code == 404  # it is in no post yet

    post = ann.post(media=[sent.json["id"]])

    assert bob.get(f"/posts/{post}").json["media"] == [described.json]
    path = described.json["full"].removeprefix("/moments/api/v1")
    assert bob.get(path).mimetype == "image/jpeg"
    assert eve.get(path).status_code == 404
    assert [each["id"] for each in ann.get("/me/export").json["posts"][0]["media"]] == [sent.json["id"]]


def test_a_form_a_video_and_what_is_not_taken(join):
    ann = join("ann")
    form = ann("POST", "/media", data={"file": (BytesIO(film()), "a.mp4", "text/html")})
    assert (form.json["kind"], form.json["duration_ms"], form.json["thumb"]) == ("video", 12_000, None)
    assert ann.get(form.json["video"].removeprefix("/moments/api/v1")).mimetype == "video/mp4"
    refused = [send(ann, b"MZ something else"), send(ann, b""), ann("POST", "/media", data={"photo": "x"})]
    assert [answer.status_code for answer in refused] == [422] * 3
    assert [answer.json["error"]["field"] for answer in refused] == ["file"] * 3
    assert send(ann, path="/media?turns=4").status_code == 422


class Untouched(BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        raise AssertionError("a byte was read")


def test_nothing_is_read_of_a_stranger_and_never_more_than_may_be(client, join):
    """Who may not upload is refused before the first byte, and so is what says that it is too long."""
    ann, reader = join("ann"), join("eve", scopes=("posts:read",))
    way = {"content_type": "video/mp4", "input_stream": Untouched()}
    length = {"CONTENT_LENGTH": "1000"}
    assert client.post("/moments/api/v1/media", environ_overrides=length, **way).status_code == 401
    assert reader("POST", "/media", environ_overrides=length, **way).status_code == 403
    too_long = ann("POST", "/media", environ_overrides={"CONTENT_LENGTH": str(limits.REQUEST_BYTES + 1)}, **way)
    assert (too_long.status_code, too_long.json["error"]["field"]) == (422, "file")
    assert "200 MB" in too_long.json["error"]["message"]


def test_new_members_upload_a_quarter_and_everybody_waits_when_many_do(join, advance):
    ann = join("ann")
    for _ in range(15):
        ann.photo()
    assert send(ann).status_code == 429
    advance(7 * DAY)
    for _ in range(uploads.AT_ONCE):
        assert uploads._gate.acquire(blocking=False)
    try:
        busy = send(ann)
        form = ann("POST", "/media", input_stream=Untouched(), content_type="multipart/form-data; boundary=x",
                   environ_overrides={"CONTENT_LENGTH": "1000"})  # fmt: skip
    finally:
        for _ in range(uploads.AT_ONCE):
            uploads._gate.release()
    assert form.status_code == 503
    assert (busy.status_code, busy.headers["Retry-After"], busy.json["error"]["code"]) == (503, "60", "busy")
    assert send(ann).status_code == 201


def test_a_reshare_shows_the_roots_photo_and_brings_none(join):
    ann = join("ann")
    bob = join("bob", ann)
    eve = join("eve", bob)
    photo = ann.photo()
    root = ann.post("look", media=[photo])
    assert bob("POST", "/posts", {"root": root, "media": [bob.photo()]}).json["error"]["field"] == "media"
    reshare = bob.post("see that", root=root)
    card = ann.get(f"/posts/{reshare}").json
    assert (card["media"], [each["id"] for each in card["root"]["media"]]) == ([], [photo])
    assert eve.get(f"/posts/{reshare}").json["root"] is None
    assert eve.get(f"/media/{photo}/thumb").status_code == 404
    eve.befriend(ann)
    assert eve.get(f"/media/{photo}/thumb").status_code == 200
    ann("PATCH", f"/posts/{root}", {"reshare_ok": False})
    assert eve.get(f"/posts/{reshare}").json["root"] is None


@pytest.mark.databases
def test_a_deleted_posts_photos_are_gone_at_once_and_come_back_with_it(join, advance):
    """But not those that an edit took away a moment before."""
    assert posts.UNDO + timedelta(seconds=60) < limits.UNDO / 2  # a photo can come back as long as its post can
    ann = join("ann")
    bob = join("bob", ann)
    stays, away = ann.photo(), ann.photo()
    post = ann.post(media=[stays, away])
    assert ann("PATCH", f"/posts/{post}", {"media": [stays]}).status_code == 200
    advance(1)
    assert ann("DELETE", f"/posts/{post}").status_code == 204
    for who in (ann, bob):
        assert [who.get(f"/media/{each}/thumb").status_code for each in (stays, away)] == [404, 404]
    back = ann("POST", f"/posts/{post}/restore")
    assert [each["id"] for each in back.json["media"]] == [stays]
    assert [bob.get(f"/media/{each}/thumb").status_code for each in (stays, away)] == [200, 404]


@pytest.mark.databases
def test_an_edit_adds_takes_away_and_reorders(join):
    ann = join("ann")
    bob = join("bob", ann)
    one, two, three = (ann.photo() for _ in range(3))
    post = ann.post(media=[one, two])
    assert ann("PATCH", f"/posts/{post}", {"media": []}).json["error"]["field"] == "body"
    changed = ann("PATCH", f"/posts/{post}", {"media": [three, one]})
    assert [each["id"] for each in changed.json["media"]] == [three, one]
    assert state_of(two) == MediaState.ERASED
    assert ann("PATCH", f"/posts/{post}", {"media": [], "body": "no more photos"}).json["media"] == []
    assert bob.get(f"/media/{one}/thumb").status_code == 404
    for wrong in ([bob.photo()], [two], ["nonsense"]):
        answer = ann("PATCH", f"/posts/{post}", {"media": wrong})
        assert (answer.status_code, answer.json["error"]["field"]) == (409, "media")
    assert ann("POST", "/posts", {"media": [ann.photo() for _ in range(10)]}).status_code == 422


def test_a_held_posts_photo_is_its_authors_only(join):
    ann = join("ann")
    bob = join("bob", ann)
    photo = ann.photo()
    post = ann.post(media=[photo])
    with transaction() as session:
        posts.hold(session, addresses.read("post", post), True)
    assert [who.get(f"/media/{photo}/thumb").status_code for who in (ann, bob)] == [200, 404]


def test_an_upload_is_thrown_away_by_its_owner_while_nothing_shows_it(join):
    ann = join("ann")
    bob = join("bob", ann)
    draft, used = ann.photo(), ann.photo()
    ann.post(media=[used])
    assert bob("DELETE", f"/media/{draft}").status_code == 404
    assert bob("PATCH", f"/media/{draft}", {"alt": "x"}).status_code == 404
    assert ann("DELETE", f"/media/{used}").status_code == 409
    assert ann("DELETE", f"/media/{draft}").status_code == 204
    assert ann.get(f"/media/{draft}/thumb").status_code == 404


@pytest.mark.databases
def test_an_avatar_and_a_cover_are_seen_by_whoever_finds_the_name(join, advance):
    ann = join("ann")
    bob, eve = join("bob", ann), join("eve")
    first, second, cover = (ann.photo() for _ in range(3))
    for photo in (first, second):
        assert ann("PUT", "/me/avatar", {"media": photo}).status_code == 200
    assert ann("PUT", "/me/cover", {"media": cover}).json["cover"].endswith(f"{cover}/feed")
    assert state_of(first) == MediaState.ERASED
    ann.post("hello")
    assert bob.get("/feed").json["items"][0]["author"]["avatar"].endswith(f"{second}/thumb")
    assert eve.get(f"/members/{ann.address}").json["cover"].endswith(f"{cover}/feed")

    def seen(who) -> list[int]:
        return [who.get(f"/media/{photo}/thumb").status_code for photo in (second, cover)]

    assert seen(ann) == seen(bob) == seen(eve) == [200, 200]
    ann("PATCH", f"/friends/{bob.address}", {"hides": True})
    assert seen(bob) == [200, 200]  # that one is hidden from must not show (X3)
    eve("PUT", f"/blocks/{ann.address}")
    ann("PUT", f"/blocks/{eve.address}")
    assert seen(eve) == [404, 404]
    assert eve.get("/blocks").json["items"][0]["avatar"] is None
    ann("POST", "/me/off")
    assert seen(bob) == [404, 404]
    ann("POST", "/me/back")
    assert ann("DELETE", "/me/avatar").json["avatar"] is None
    assert seen(bob) == [404, 200]
    assert ann("PUT", "/me/cover", {"media": second}).status_code == 409


@pytest.mark.databases
def test_with_a_member_all_uploads_go(join, advance):
    ann = join("ann")
    kept = {use: ann.photo() for use in ("post", "avatar", "cover", "draft")}
    ann.post(media=[kept["post"]])
    ann("PUT", "/me/avatar", {"media": kept["avatar"]})
    ann("PUT", "/me/cover", {"media": kept["cover"]})
    ann("DELETE", "/me")
    advance(15 * DAY)
    moments.erase()
    assert {state_of(photo) for photo in kept.values()} == {MediaState.ERASED}
    advance(limits.UNDO.total_seconds() + 1)
    upkeep.tidy()
    assert [path for path in files.folder().rglob("*") if path.is_file()] == []
