"""Customer-service messages: what an account may write to a follower who was just there."""

import re
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from bot.simulator import followers, inbox, media, windows
from bot.simulator.api.calls import OK, Asked, Call
from bot.simulator.errors import Refusal

TEXT_BYTES = 2048
MENU_ITEMS = 10
MENU_ITEM_BYTES = 128
DAILY = 500_000
TYPING_SECONDS = 15
INTERACTION_SECONDS = 30

OPENID = re.compile(r"^[\w-]{28}$", re.ASCII)

Reader = Callable[[sqlite3.Connection, Asked, dict[str, Any]], dict[str, Any]]


def send(asked: Asked) -> dict[str, Any]:
    openid = asked.body.get("touser")
    if not isinstance(openid, str) or not OPENID.match(openid):
        raise Refusal(40003)
    type_ = asked.body.get("msgtype")
    if type_ == "link":  # mini programs only
        raise Refusal(45162)
    if not isinstance(type_, str) or type_ not in READERS:
        raise Refusal(40008)
    part = asked.body.get(type_)
    if not isinstance(part, dict):
        raise Refusal(44004 if type_ == "text" else 47003)
    agent = asked.body.get("customservice")
    if isinstance(agent, dict) and agent.get("kf_account"):
        raise Refusal(65401)  # agents are not simulated yet: none exists
    account = asked.account.account
    with asked.world.store.writing() as db:
        shown = READERS[type_](db, asked, part)
        if isinstance(asked.body.get("aimsgcontext"), dict) and asked.body["aimsgcontext"].get("is_ai_msg"):
            shown["is_ai"] = True
        _check_reachable(db, account, openid)
        verdict = windows.spend(db, account, openid, asked.now)
        if verdict == windows.CLOSED:
            raise Refusal(45015)
        if verdict == windows.USED_UP:
            raise Refusal(45047)
        inbox.add(db, account, openid, "customer", type_, asked.now, shown)
        db.execute(
            "UPDATE followers SET typing_until = 0, interacted_at = ? WHERE account = ? AND openid = ?",
            (asked.now, account, openid),
        )
    asked.world.bell.ring()
    return OK


def typing(asked: Asked) -> dict[str, Any]:
    account, openid = asked.account.account, str(asked.body.get("touser", ""))
    command = asked.body.get("command")
    if command not in ("Typing", "CancelTyping"):
        raise Refusal(45072)
    with asked.world.store.writing() as db:
        follower = followers.find(db, account, openid)
        if follower is None:
            raise Refusal(40003)
        if command == "Typing":
            if asked.now - follower["interacted_at"] > INTERACTION_SECONDS:
                raise Refusal(45080)
            if follower["typing_until"] > asked.now:
                raise Refusal(45081)
        until = asked.now + TYPING_SECONDS if command == "Typing" else 0
        db.execute("UPDATE followers SET typing_until = ? WHERE account = ? AND openid = ?", (until, account, openid))
    asked.world.bell.ring()
    return OK


def _check_reachable(db: sqlite3.Connection, account: str, openid: str) -> None:
    follower = followers.find(db, account, openid)
    if follower is None:
        raise Refusal(40003)
    if follower["blacklisted"]:
        raise Refusal(43019)
    if not follower["following"]:
        raise Refusal(45015)
    if follower["refuses_messages"]:
        raise Refusal(48002)


def _text(_: sqlite3.Connection, __: Asked, part: dict[str, Any]) -> dict[str, Any]:
    text = part.get("content")
    if not isinstance(text, str) or not text:
        raise Refusal(44004)
    if len(text.encode()) > TEXT_BYTES:
        raise Refusal(45002)
    return {"text": text}


def _media(type_: str) -> Reader:
    def read(db: sqlite3.Connection, asked: Asked, part: dict[str, Any]) -> dict[str, Any]:
        return {
            "text": "",
            "media_id": _known(db, asked, part, "media_id", (type_,)),
            "title": str(part.get("title") or ""),
            "description": str(part.get("description") or ""),
        }

    return read


def _music(db: sqlite3.Connection, asked: Asked, part: dict[str, Any]) -> dict[str, Any]:
    for name in ("musicurl", "hqmusicurl"):
        if not isinstance(part.get(name), str):
            raise Refusal(47003, f"argument invalid! missing {name}")
    return {
        "text": "",
        "title": str(part.get("title") or ""),
        "description": str(part.get("description") or ""),
        "music_url": part["musicurl"],
        "hq_music_url": part["hqmusicurl"],
        "thumb_media_id": _known(db, asked, part, "thumb_media_id"),
    }


def _news(_: sqlite3.Connection, __: Asked, part: dict[str, Any]) -> dict[str, Any]:
    articles = part.get("articles")
    if not isinstance(articles, list) or not articles:
        raise Refusal(44003)
    if len(articles) > 1 or not isinstance(articles[0], dict):
        raise Refusal(45008)
    names = ("title", "description", "url", "picurl")
    return {"text": "", "articles": [{name: str(articles[0].get(name) or "") for name in names}]}


def _menu(_: sqlite3.Connection, __: Asked, part: dict[str, Any]) -> dict[str, Any]:
    items = part.get("list")
    if not isinstance(items, list) or not items or len(items) > MENU_ITEMS:
        raise Refusal(45098)
    for item in items:
        if not isinstance(item, dict) or not item.get("id") or not item.get("content"):
            raise Refusal(47003)
        if len(str(item["content"]).encode()) > MENU_ITEM_BYTES:
            raise Refusal(45099)
    head, tail = str(part.get("head_content") or ""), str(part.get("tail_content") or "")
    shown = [{"id": str(item["id"]), "content": str(item["content"])} for item in items]
    lines = [head, *(item["content"] for item in shown), tail]
    return {"text": "\n".join(line for line in lines if line), "head": head, "items": shown, "tail": tail}


def _miniprogram(db: sqlite3.Connection, asked: Asked, part: dict[str, Any]) -> dict[str, Any]:
    if not re.match(r"^wx[0-9a-f]{16}$", str(part.get("appid", ""))):
        raise Refusal(40166)
    if not part.get("pagepath"):
        raise Refusal(40165)
    return {
        "text": "",
        "title": str(part.get("title") or ""),
        "appid": part["appid"],
        "pagepath": str(part["pagepath"]),
        "thumb_media_id": _known(db, asked, part, "thumb_media_id"),
    }


def _refused(errcode: int) -> Reader:
    """What refers to things that cannot exist here yet: articles and cards."""

    def read(_: sqlite3.Connection, __: Asked, ___: dict[str, Any]) -> dict[str, Any]:
        raise Refusal(errcode)

    return read


def _known(
    db: sqlite3.Connection, asked: Asked, part: dict[str, Any], name: str, types: Sequence[str] = media.THUMBS
) -> str:
    media_id = str(part.get(name) or "")
    if media.find(db, asked.account.account, media_id, asked.now, types) is None:
        raise Refusal(40007)
    return media_id


READERS = {
    "text": _text,
    "image": _media("image"),
    "voice": _media("voice"),
    "video": _media("video"),
    "music": _music,
    "news": _news,
    "msgmenu": _menu,
    "miniprogrampage": _miniprogram,
    "mpnews": _refused(40007),
    "mpnewsarticle": _refused(53600),
    "wxcard": _refused(40073),
}

CALLS = (
    Call("/cgi-bin/message/custom/send", send, daily=DAILY),
    Call("/cgi-bin/message/custom/typing", typing, daily=DAILY),
)
