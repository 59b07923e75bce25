"""Temporary media: up and down, for three days."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response

from bot.simulator import media
from bot.simulator.api.calls import Answer, Asked, Call
from bot.simulator.errors import Refusal

MB = 1 << 20

# type: (most bytes, the code for more)
LIMITS = {
    "image": (10 * MB, 40009),
    "voice": (2 * MB, 40010),
    "video": (10 * MB, 40011),
    "thumb": (64 << 10, 40012),
}
VOICE_SECONDS = 60
AMR_FRAME_BYTES = (13, 14, 16, 18, 20, 21, 27, 32, 6, 1, 1, 1, 1, 1, 1, 1)
AMR_FRAMES_A_SECOND = 50


def upload(asked: Asked) -> dict[str, Any]:
    type_ = asked.query.get("type", "")
    filename, content_type, content = read_file(asked, type_, FORMATS)
    row = media.add(asked.world, asked.account.account, type_, filename, content_type, content)
    id_name = "thumb_media_id" if type_ == "thumb" else "media_id"
    return {"type": type_, id_name: row["media_id"], "created_at": row["created_at"]}


def read_file(asked: Asked, type_: str, formats: Mapping[str, Sequence[str]]) -> tuple[str, str, bytes]:
    """The file of an upload, checked: its name, what it is, and its bytes."""
    if type_ not in LIMITS:
        raise Refusal(40004)
    if asked.file is None or not asked.file.filename:
        raise Refusal(41005)
    content = asked.file.read()
    if not content:
        raise Refusal(44001)
    most_bytes, too_large = LIMITS[type_]
    if len(content) > most_bytes:
        raise Refusal(too_large)
    content_type = sniffed(content)
    if content_type not in formats[type_]:
        raise Refusal(40113)
    if content_type == "audio/amr" and _amr_seconds(content) > VOICE_SECONDS:
        raise Refusal(45007)
    return asked.file.filename, content_type, content


def get(asked: Asked) -> Answer:
    media_id = asked.query.get("media_id", "").removesuffix("_16k")
    if not media_id:
        raise Refusal(41006)
    with asked.world.store.reading() as db:
        row = media.find(db, asked.account.account, media_id, asked.now)
    if row is None:
        raise Refusal(40007)
    if row["type"] == "video":
        return {"video_url": f"{asked.base_url}/pic/{media_id}"}
    return as_attachment(asked, row)


def as_attachment(asked: Asked, row: media.Media) -> Response:
    response = Response(media.path_of(asked.world, row["media_id"]).read_bytes(), content_type=row["content_type"])
    name = row["filename"].encode("ascii", "ignore").decode().replace('"', "") or "media"
    response.headers["Content-disposition"] = f'attachment; filename="{name}"'
    return response


FORMATS = {
    "image": ("image/png", "image/jpeg", "image/gif"),
    "voice": ("audio/amr", "audio/mpeg"),
    "video": ("video/mp4",),
    "thumb": ("image/jpeg",),
}


def sniffed(content: bytes) -> str:
    """What the bytes are, whatever the name says; empty: nothing WeChat takes."""
    starts = {
        b"\x89PNG\r\n\x1a\n": "image/png",
        b"\xff\xd8\xff": "image/jpeg",
        b"GIF8": "image/gif",
        b"BM": "image/bmp",
        b"#!AMR": "audio/amr",
        b"ID3": "audio/mpeg",
    }
    for start, content_type in starts.items():
        if content.startswith(start):
            return content_type
    if content[:1] == b"\xff" and len(content) > 1 and content[1] & 0xE0 == 0xE0:
        return "audio/mpeg"
    return "video/mp4" if content[4:8] == b"ftyp" else ""


def _amr_seconds(content: bytes) -> float:
    place, frames = len(b"#!AMR\n"), 0
    while place < len(content):
        place += AMR_FRAME_BYTES[content[place] >> 3 & 15]
        frames += 1
    return frames / AMR_FRAMES_A_SECOND


CALLS = (
    Call("/cgi-bin/media/upload", upload, takes="file", daily=100_000),
    Call("/cgi-bin/media/get", get, method="GET", daily=200_000),
    Call("/cgi-bin/media/get/jssdk", get, method="GET", daily=200_000),
)
