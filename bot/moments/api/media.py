"""/moments/api/v1/media: uploads, and their parts for those who may see them."""

from typing import IO, Annotated, Any

from flask import Response, request
from pydantic import Field
from sqlalchemy.orm import Session
from werkzeug.exceptions import RequestEntityTooLarge

import models
from bot.errors import Refused
from bot.moments import cards, limits, visibility
from bot.moments.api.contract import In, endpoint
from bot.moments.api.shapes import Media
from bot.moments.media import serving, uploads
from bot.moments.media.limits import REQUEST_BYTES


class Turning(In):
    turns: Annotated[int, Field(ge=0, le=3, description="quarters clockwise by which to turn a photo")] = 0


class Description(In):
    alt: Annotated[str, Field(max_length=200, description="what it shows, for those who do not see it")]


@endpoint(
    "POST",
    "/media",
    scope="posts:write",
    summary="Upload a photo or a video, which a post, your avatar or your cover then takes",
    query=Turning,
    returns=Media,
    status=201,
    takes_file=True,
)
def upload(me: models.Member, query: Turning) -> dict[str, Any]:
    request.max_content_length = REQUEST_BYTES
    try:
        taken = uploads.take(me.id, _Body(), turns=query.turns, an_hour=limits.media_an_hour(me))
    except RequestEntityTooLarge:
        raise uploads.refused("video_bytes") from None
    return cards.media(taken)


@endpoint("PATCH", "/media/<media>", scope="posts:write", summary="Say what it shows", body=Description, returns=Media)
def describe_media(session: Session, me: models.Member, media_id: int, body: Description) -> dict[str, Any]:
    return cards.media(uploads.describe(session, me.id, media_id, body.alt))


@endpoint("DELETE", "/media/<media>", scope="posts:write", summary="Throw an upload away", status=204)
def discard_media(session: Session, me: models.Member, media_id: int) -> None:
    uploads.discard(session, me.id, media_id)


@endpoint(
    "GET",
    "/media/<media>/<part>",
    scope="posts:read",
    summary="Look at it: “thumb”, “feed”, “full” or “video”",
    gives_file=True,
)
def read_media(session: Session, me: models.Member, media_id: int, part: str) -> Response:
    return serving.serve(find(session, me, media_id), part)


def find(session: Session, me: models.Member, media_id: int) -> models.Media | None:
    return session.scalar(visibility.media(), visibility.by(me.id, media=media_id))


class _Body:
    """The body as it is, or a form's part "file": not read before its turn, as a form comes whole or not at all."""

    def __init__(self) -> None:
        self._stream: IO[bytes] | None = None

    def read(self, size: int) -> bytes:
        if self._stream is None:
            self._stream = self._open()
        return self._stream.read(size)

    def _open(self) -> IO[bytes]:
        if request.mimetype != "multipart/form-data":
            return request.stream
        if "file" not in request.files:
            raise Refused("Send the photo or video as the part “file”.", field="file")
        return request.files["file"].stream
