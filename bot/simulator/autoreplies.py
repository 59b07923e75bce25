"""The auto-replies an owner set on WeChat's own pages; they answer only while no callback address is set."""

import json
import sqlite3
from collections.abc import Iterator
from typing import Any


def save(db: sqlite3.Connection, account: str, info: dict[str, Any]) -> None:
    """`info`: in the shape of get_current_autoreply_info."""
    db.execute(
        "INSERT OR REPLACE INTO facts VALUES (?, ?)", (f"autoreplies:{account}", json.dumps(info, ensure_ascii=False))
    )


def info(db: sqlite3.Connection, account: str) -> dict[str, Any]:
    row = db.execute("SELECT value FROM facts WHERE name = ?", (f"autoreplies:{account}",)).fetchone()
    known: dict[str, Any] = json.loads(row[0]) if row else {}
    return {"is_add_friend_reply_open": 0, "is_autoreply_open": 0} | known


def to_follow(known: dict[str, Any]) -> Iterator[str]:
    if known["is_add_friend_reply_open"]:
        yield from _text(known.get("add_friend_autoreply_info"))


def to_message(known: dict[str, Any], text: str) -> Iterator[str]:
    """The replies of the first rule with a keyword in the text, else the reply to everything."""
    if not known["is_autoreply_open"]:
        return
    for rule in (known.get("keyword_autoreply_info") or {}).get("list", []):
        if any(_hits(keyword, text) for keyword in rule.get("keyword_list_info", [])):
            replies = [reply for part in rule.get("reply_list_info", []) for reply in _text(part)]
            yield from replies[:1] if rule.get("reply_mode") == "random_one" else replies
            return
    yield from _text(known.get("message_default_autoreply_info"))


def _hits(keyword: dict[str, Any], text: str) -> bool:
    content = str(keyword.get("content", ""))
    return content == text if keyword.get("match_mode") == "equal" else bool(content) and content in text


def _text(part: dict[str, Any] | None) -> Iterator[str]:
    if part and part.get("type") == "text" and part.get("content"):
        yield str(part["content"])
