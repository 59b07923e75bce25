"""What a mass message may carry, and how it looks on a phone."""

import secrets
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.simulator import drafts, media
from bot.simulator.api.calls import Asked
from bot.simulator.errors import Refusal

TEXT_BYTES = 2048
MOST_PICTURES = 20

Part = dict[str, Any]


@dataclass(frozen=True)
class Content:
    type: str
    shown: dict[str, Any]
    draft_id: str | None = None  # it dies once it is sent


Reader = Callable[[sqlite3.Connection, Asked, Part], Content]


def read(db: sqlite3.Connection, asked: Asked, *, preview: bool = False) -> Content:
    """
    Raises:
        Refusal: 40008, 45113, -1, or what is wrong with the content.
    """
    type_ = asked.body.get("msgtype")
    if type_ in ("wxcard", "card", "goods"):
        raise Refusal(45113)
    if not isinstance(type_, str) or type_ not in READERS or (type_ == "music" and not preview):
        raise Refusal(40008)
    part = asked.body.get(type_)
    if type_ == "image" and "images" in asked.body:
        part = asked.body["images"]
    if not isinstance(part, dict):
        raise Refusal(44004 if type_ == "text" else 47003)
    return READERS[type_](db, asked, part)


def _text(_: sqlite3.Connection, __: Asked, part: Part) -> Content:
    text = part.get("content")
    if not isinstance(text, str) or not text:
        raise Refusal(44004)
    if len(text.encode()) > TEXT_BYTES:
        raise Refusal(45002)
    return Content("text", {"text": text})


def _images(db: sqlite3.Connection, asked: Asked, part: Part) -> Content:
    """Several under one recommendation, or one as older clients and previews name it."""
    ids = part.get("media_ids") if "media_ids" in part else [part.get("media_id")]
    if not isinstance(ids, list) or not 1 <= len(ids) <= MOST_PICTURES:
        raise Refusal(40007)
    known = [_known(db, asked, media_id, "image") for media_id in ids]
    title = str(part.get("title") or part.get("recommend") or "")
    return Content("image", {"text": "", "media_id": known[0], "media_ids": known, "title": title})


def _voice(db: sqlite3.Connection, asked: Asked, part: Part) -> Content:
    return Content("voice", {"text": "", "media_id": _known(db, asked, part.get("media_id"), "voice")})


def _mpvideo(db: sqlite3.Connection, asked: Asked, part: Part) -> Content:
    media_id = _known(db, asked, part.get("media_id"), "video")
    row = media.find(db, asked.account.account, media_id, asked.now)
    if row is None or row["expires_at"] is not None:  # not through add_material
        raise Refusal(48013)
    caption = db.execute("SELECT * FROM captions WHERE media_id = ?", (media_id,)).fetchone()
    title = str(part.get("title") or (caption["title"] if caption else ""))
    description = str(part.get("description") or (caption["introduction"] if caption else ""))
    return Content("mpvideo", {"text": "", "media_id": media_id, "title": title, "description": description})


def _mpnews(db: sqlite3.Connection, asked: Asked, part: Part) -> Content:
    draft_id = str(part.get("media_id") or "")
    articles = drafts.find(db, asked.account.account, draft_id)
    if articles is None:
        is_file = media.find(db, asked.account.account, draft_id, asked.now) is not None
        raise Refusal(-1 if is_file else 40007)
    page_id = secrets.token_urlsafe(24)
    urls = drafts.give_pages(db, page_id, articles, asked.base_url)
    cards = drafts.as_cards(articles, urls, asked.base_url)
    shown = {"text": "", "articles": cards, "page_id": page_id}
    return Content("mpnews", shown, draft_id)


def _music(db: sqlite3.Connection, asked: Asked, part: Part) -> Content:
    thumb = _known(db, asked, part.get("thumb_media_id"), "thumb")
    words = {name: str(part.get(name) or "") for name in ("title", "description")}
    urls = {"music_url": str(part.get("musicurl") or ""), "hq_music_url": str(part.get("hqmusicurl") or "")}
    return Content("music", {"text": ""} | words | urls | {"thumb_media_id": thumb})


def _known(db: sqlite3.Connection, asked: Asked, media_id: object, type_: str) -> str:
    row = media.find(db, asked.account.account, str(media_id or ""), asked.now)
    if row is None or row["type"] == "article":
        raise Refusal(40007)
    if row["type"] != type_:
        raise Refusal(-1)  # a file of another type: WeChat has no better word for it
    return str(row["media_id"])


READERS: dict[str, Reader] = {
    "text": _text,
    "image": _images,
    "voice": _voice,
    "mpvideo": _mpvideo,
    "mpnews": _mpnews,
    "music": _music,
}
