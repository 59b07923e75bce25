"""Files that accounts and followers sent; temporary ones live three days, materials until they are deleted."""

import io
import secrets
import sqlite3
import struct
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from bot.simulator.world import World

LIFE_SECONDS = 3 * 86400
THUMBS = ("thumb", "image")

Media = sqlite3.Row


def add(
    world: World,
    account: str,
    type_: str,
    filename: str,
    content_type: str,
    content: bytes,
    life_seconds: float | None = LIFE_SECONDS,
) -> Media:
    """Keep a file: on disk first, so that a row never stands without its bytes.  No `life_seconds`: for ever."""
    media_id = secrets.token_urlsafe(48)
    path_of(world, media_id).write_bytes(content)
    now = world.clock.now()
    with world.store.writing() as db:
        db.execute(
            "INSERT INTO media VALUES (?, ?, ?, ?, ?, ?, ?)",
            (media_id, account, type_, filename, content_type, int(now), now + life_seconds if life_seconds else None),
        )
        row = find(db, account, media_id, now)
    assert row is not None
    return row


def find(db: sqlite3.Connection, account: str, media_id: str, now: float, types: Sequence[str] = ()) -> Media | None:
    """This account's file, if it has not expired and is of one of the types, if any are named."""
    row: Media | None = db.execute(
        "SELECT * FROM media WHERE media_id = ? AND account = ? AND (expires_at IS NULL OR expires_at > ?)",
        (media_id, account, now),
    ).fetchone()
    return row if row and (not types or row["type"] in types) else None


def find_any(db: sqlite3.Connection, media_id: str) -> Media | None:
    """Whoever owns it, expired or not: phones keep showing what once arrived."""
    row: Media | None = db.execute("SELECT * FROM media WHERE media_id = ?", (media_id,)).fetchone()
    return row


def path_of(world: World, media_id: str) -> Path:
    return world.media_dir / media_id


def add_sample(world: World, account: str, type_: str) -> Media:
    """What a follower might send when the test does not say: a picture, a second of silence, a stub of a film."""
    if type_ == "image":
        return add(world, account, "image", "photo.jpg", "image/jpeg", _picture(480, 360))
    if type_ == "thumb":
        return add(world, account, "thumb", "thumb.jpg", "image/jpeg", _picture(240, 180))
    if type_ == "voice":
        # AMR: the magic, then 50 frames of 20 ms, none of which carries speech.
        return add(world, account, "voice", "voice.amr", "audio/amr", b"#!AMR\n" + b"\x7c" * 50)
    return add(world, account, "video", "video.mp4", "video/mp4", struct.pack(">I", 20) + b"ftypisom\0\0\2\0isom")


def _picture(width: int, height: int) -> bytes:
    size = width, height
    width, height = 2 * width, 2 * height  # drawn large, so that its edges are smooth
    picture = Image.new("RGB", (width, height), (196, 219, 224))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((width * 0.68, height * 0.12, width * 0.82, height * 0.3), fill=(250, 214, 137))
    draw.polygon([(0, height), (width * 0.36, height * 0.36), (width * 0.72, height)], fill=(112, 146, 138))
    draw.polygon([(width * 0.4, height), (width * 0.74, height * 0.52), (width, height)], fill=(78, 112, 108))
    data = io.BytesIO()
    picture.resize(size, Image.Resampling.LANCZOS).save(data, "JPEG", quality=85)
    return data.getvalue()
