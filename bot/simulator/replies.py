"""Judges what the platform answered to a push, as strictly as WeChat does."""

import hmac
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.simulator import envelope, media
from bot.simulator.accounts import Account
from bot.simulator.envelope import BadEnvelope, Xml

TEXT_BYTES = 2048
SILENCE = (b"", b"success")
HANDED_OVER = ("transfer_customer_service", "transfer_biz_ai_ivr")  # nothing to show


Reader = Callable[[sqlite3.Connection, "Sender", Xml], dict[str, Any]]


class BadReply(Exception):
    """The follower sees the failure notice; the text says what was wrong."""


@dataclass(frozen=True)
class Sender:
    """Whom a reply must address, and when it is judged."""

    account: Account
    openid: str
    news_limit: int
    now: float


def judge(db: sqlite3.Connection, sender: Sender, body: bytes) -> dict[str, Any] | None:
    """What the phone shows, as {type, text, …}; None: silence.

    Raises:
        BadReply: it is malformed, for someone else, or not sealed although the account is in safe mode.
    """
    if body in SILENCE:
        return None
    try:
        fields = _opened(sender.account, envelope.from_xml(body))
    except BadEnvelope as error:
        raise BadReply(str(error)) from None
    if fields.get("ToUserName") != sender.openid:
        raise BadReply("ToUserName is not the follower's openid")
    if fields.get("FromUserName") != sender.account.original_id:
        raise BadReply("FromUserName is not the account's original id")
    if not _text(fields, "CreateTime").isdecimal():
        raise BadReply("CreateTime is not a whole number")
    type_ = _text(fields, "MsgType")
    if type_ in HANDED_OVER:
        return {"type": type_, "text": ""}
    read = READERS.get(type_)
    if read is None:
        raise BadReply(f"MsgType “{type_}” cannot be a reply")
    return {"type": type_} | read(db, sender, fields)


def _opened(account: Account, fields: Xml) -> Xml:
    if "Encrypt" not in fields:
        if account.mode == "safe":
            raise BadReply("a plain reply in safe mode")
        return fields
    if account.mode == "plain":
        raise BadReply("an encrypted reply in plain mode")
    sealed = _text(fields, "Encrypt")
    expected = envelope.sign(account.token, _text(fields, "TimeStamp"), _text(fields, "Nonce"), sealed)
    if not hmac.compare_digest(_text(fields, "MsgSignature"), expected):
        raise BadReply("MsgSignature does not fit")
    return envelope.from_xml(envelope.decrypt(account.encoding_aes_key, account.appid, sealed))


def _read_text(_: sqlite3.Connection, __: Sender, fields: Xml) -> dict[str, Any]:
    text = _text(fields, "Content")
    if not text:
        raise BadReply("Content is empty")
    if len(text.encode()) > TEXT_BYTES:
        raise BadReply(f"Content has more than {TEXT_BYTES} bytes")
    return {"text": text}


def _read_media(name: str, id_field: str = "MediaId") -> Reader:
    def read(db: sqlite3.Connection, sender: Sender, fields: Xml) -> dict[str, Any]:
        part = fields.get(name)
        if not isinstance(part, dict):
            raise BadReply(f"{name} is missing")
        media_id = _text(part, id_field)
        types = media.THUMBS if name == "Music" else (name.lower(),)
        if media.find(db, sender.account.account, media_id, sender.now, types) is None:
            raise BadReply(f"{id_field} is not one of the account's media of this type")
        shown = {"text": "", "title": _text(part, "Title"), "description": _text(part, "Description")}
        if name == "Music":
            urls = {"music_url": _text(part, "MusicUrl"), "hq_music_url": _text(part, "HQMusicUrl")}
            return shown | urls | {"thumb_media_id": media_id}
        return shown | {"media_id": media_id}

    return read


def _read_news(_: sqlite3.Connection, sender: Sender, fields: Xml) -> dict[str, Any]:
    articles = fields.get("Articles")
    items = articles.get("item", []) if isinstance(articles, dict) else []
    items = items if isinstance(items, list) else [items]
    count = _text(fields, "ArticleCount")
    if not items or not all(isinstance(item, dict) for item in items):
        raise BadReply("there are no Articles")
    if not count.isdecimal() or int(count) != len(items):
        raise BadReply("ArticleCount is not the number of articles")
    # Too many are no error: the rest is dropped in silence.
    return {"text": "", "articles": [_article(item) for item in items[: sender.news_limit]]}


def _article(item: Xml) -> dict[str, str]:
    return {
        "title": _text(item, "Title"),
        "description": _text(item, "Description"),
        "picurl": _text(item, "PicUrl"),
        "url": _text(item, "Url"),
    }


def _text(fields: Xml, name: str) -> str:
    value = fields.get(name, "")
    return value if isinstance(value, str) else ""


READERS: dict[str, Reader] = {
    "text": _read_text,
    "image": _read_media("Image"),
    "voice": _read_media("Voice"),
    "video": _read_media("Video"),
    "music": _read_media("Music", "ThumbMediaId"),
    "news": _read_news,
}
