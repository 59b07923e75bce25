"""Gives a part of an upload to who may see it; to all others there is no such thing."""

import os
from typing import BinaryIO

from flask import Response, request, send_file

from bot.errors import NotFound
from bot.moments.media import files
from models import Media, MediaKind, MediaState

HEADERS = {
    "Cache-Control": "private, no-store",  # who may see it may change at any moment
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}


def open_derivative(media: Media, part: str) -> BinaryIO:
    """Open "thumb", "feed", "full" or "video".

    Raises:
        NotFound: it is not ready, was erased, or has no such part.
    """
    has: tuple[str, ...] = ("video",) if media.kind is MediaKind.VIDEO else ()
    if media.kind is MediaKind.PHOTO or media.has_poster:
        has += ("thumb", "feed", "full")
    if media.state is not MediaState.READY or part not in has:
        raise _none()
    try:
        return files.path(media.key, part).open("rb")
    except FileNotFoundError:
        raise _none() from None


def serve(media: Media | None, part: str) -> Response:
    """The answer to one request, whole or the range it asks for.

    Args:
        media: None where there is no such row, and where this reader may not see it.

    Raises:
        NotFound: always the same.
    """
    if media is None:
        raise _none()
    file = open_derivative(media, part)
    mimetype, name = ("video/mp4", "video.mp4") if part == "video" else ("image/jpeg", "photo.jpg")
    # No ETag and no date: they would tell when it was made.
    response = send_file(file, mimetype, download_name=name, etag=False)
    size = os.fstat(file.fileno()).st_size
    response.content_length = size
    response.make_conditional(request.environ, accept_ranges=True, complete_length=size)
    response.headers.update(HEADERS)
    return response


def _none() -> NotFound:
    return NotFound("There is no such photo or video.")
