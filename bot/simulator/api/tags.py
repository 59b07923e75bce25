"""Tags on followers, and the blacklist."""

import sqlite3
from typing import Any

from bot.simulator import followers
from bot.simulator.api.calls import OK, Asked, Call
from bot.simulator.api.users import OPENID, known, tag_ids
from bot.simulator.errors import Refusal
from bot.simulator.store import next_serial

STARRED = 2
SYSTEM = {0: "未分组", 1: "黑名单", STARRED: "星标组"}
FIRST_OWN = 100
MOST_TAGS = 100
MOST_TAGS_EACH = 20
NAME_BYTES = 30
MOST_FANS_DELETED = 100_000
PAGE = 10_000
BATCH = 50
BLACKLIST_PAGE = 1000
BLACKLIST_BATCH = 20


def create(asked: Asked) -> dict[str, Any]:
    account = asked.account.account
    with asked.world.store.writing() as db:
        name = _name(db, account, asked.body["tag"])
        if db.execute("SELECT count(*) FROM tags WHERE account = ?", (account,)).fetchone()[0] >= MOST_TAGS:
            raise Refusal(45056)
        tag_id = next_serial(db, f"tag:{account}", FIRST_OWN)
        db.execute("INSERT INTO tags VALUES (?, ?, ?)", (account, tag_id, name))
    return {"tag": {"id": tag_id, "name": name}}


def get(asked: Asked) -> dict[str, Any]:
    account = asked.account.account
    with asked.world.store.reading() as db:
        own = db.execute("SELECT id, name FROM tags WHERE account = ? ORDER BY id", (account,)).fetchall()
        tags = [(STARRED, SYSTEM[STARRED]), *((row["id"], row["name"]) for row in own)]
        return {"tags": [{"id": tag_id, "name": name, "count": _fans(db, account, tag_id)} for tag_id, name in tags]}


def update(asked: Asked) -> dict[str, Any]:
    account, tag = asked.account.account, asked.body["tag"]
    with asked.world.store.writing() as db:
        tag_id = _own(db, account, tag)
        name = _name(db, account, tag, but=tag_id)
        db.execute("UPDATE tags SET name = ? WHERE account = ? AND id = ?", (name, account, tag_id))
    return OK


def delete(asked: Asked) -> dict[str, Any]:
    account = asked.account.account
    with asked.world.store.writing() as db:
        tag_id = _own(db, account, asked.body["tag"])
        if _fans(db, account, tag_id) > MOST_FANS_DELETED:
            raise Refusal(45057)
        db.execute("DELETE FROM tags WHERE account = ? AND id = ?", (account, tag_id))
        db.execute("DELETE FROM tagged WHERE account = ? AND tag_id = ?", (account, tag_id))
    return OK


def fans(asked: Asked) -> dict[str, Any]:
    account, after = asked.account.account, asked.body.get("next_openid") or ""
    with asked.world.store.reading() as db:
        tag_id = _existing(db, account, asked.body["tagid"])
        start = 0
        if after:
            known(db, account, after)
            row = db.execute(
                "SELECT id FROM tagged WHERE account = ? AND tag_id = ? AND openid = ?", (account, tag_id, after)
            ).fetchone()
            if row is None:
                raise Refusal(40003)
            start = row[0]
        rows = db.execute(
            "SELECT openid FROM tagged WHERE account = ? AND tag_id = ? AND id > ? ORDER BY id LIMIT ?",
            (account, tag_id, start, PAGE),
        )
        openids = [row[0] for row in rows]
    if not openids:
        return {"count": 0}
    return {"count": len(openids), "data": {"openid": openids}, "next_openid": openids[-1]}


def tag_members(asked: Asked) -> dict[str, Any]:
    account = asked.account.account

    def tag(db: sqlite3.Connection, tag_id: int, openid: str) -> None:
        has = tag_ids(db, account, openid)
        if tag_id not in has and len(has) >= MOST_TAGS_EACH:
            raise Refusal(45059)
        db.execute("INSERT OR IGNORE INTO tagged (account, tag_id, openid) VALUES (?, ?, ?)", (account, tag_id, openid))

    return _for_each_member(asked, tag)


def untag_members(asked: Asked) -> dict[str, Any]:
    def untag(db: sqlite3.Connection, tag_id: int, openid: str) -> None:
        db.execute(
            "DELETE FROM tagged WHERE account = ? AND tag_id = ? AND openid = ?",
            (asked.account.account, tag_id, openid),
        )

    return _for_each_member(asked, untag)


def tags_of(asked: Asked) -> dict[str, Any]:
    account = asked.account.account
    with asked.world.store.reading() as db:
        row = known(db, account, asked.body["openid"])
        if not row["following"]:
            raise Refusal(50005)
        return {"tagid_list": tag_ids(db, account, row["openid"])}


def blacklist(asked: Asked) -> dict[str, Any]:
    account, after = asked.account.account, asked.body.get("begin_openid") or ""
    with asked.world.store.reading() as db:
        start = known(db, account, after)["blacklisted"] if after else 0
        total = db.execute(
            "SELECT count(*) FROM followers WHERE account = ? AND blacklisted > 0", (account,)
        ).fetchone()[0]
        rows = db.execute(
            "SELECT openid FROM followers WHERE account = ? AND blacklisted > ? ORDER BY blacklisted LIMIT ?",
            (account, start, BLACKLIST_PAGE),
        )
        openids = [row[0] for row in rows]
    if not openids:
        return {"total": total, "count": 0, "next_openid": ""}
    return {"total": total, "count": len(openids), "data": {"openid": openids}, "next_openid": openids[-1]}


def blacklist_some(asked: Asked) -> dict[str, Any]:
    return _set_blacklisted(asked, True)


def unblacklist_some(asked: Asked) -> dict[str, Any]:
    return _set_blacklisted(asked, False)


def _set_blacklisted(asked: Asked, on: bool) -> dict[str, Any]:
    account = asked.account.account
    openids = _openids(asked.body["openid_list"], BLACKLIST_BATCH)
    with asked.world.store.writing() as db:
        for openid in openids:
            row = known(db, account, openid)
            place = (row["blacklisted"] or next_serial(db, "blacklist")) if on else 0
            db.execute(
                "UPDATE followers SET blacklisted = ? WHERE account = ? AND openid = ?", (place, account, openid)
            )
    return OK


def _for_each_member(asked: Asked, act: Any) -> dict[str, Any]:
    """Do it for all who can be found; 45171 names the others, unless nobody can: then why."""
    openids = _openids(asked.body["openid_list"], BATCH)
    failed: list[str] = []
    last: Refusal | None = None
    with asked.world.store.writing() as db:
        tag_id = _existing(db, asked.account.account, asked.body["tagid"])
        for openid in openids:
            try:
                _check_follower(db, asked.account.account, openid)
                act(db, tag_id, openid)
            except Refusal as refusal:
                failed.append(openid)
                last = refusal
    if last is None:
        return OK
    raise last if len(failed) == len(openids) else Refusal(45171, fail_openid_list=failed)


def _check_follower(db: sqlite3.Connection, account: str, openid: str) -> None:
    row = followers.find(db, account, openid)
    if row is None:
        elsewhere = db.execute("SELECT 1 FROM followers WHERE openid = ?", (openid,)).fetchone()
        raise Refusal(49003 if elsewhere else 40003)
    if not row["following"]:
        raise Refusal(50005)


def _openids(given: Any, most: int) -> list[str]:
    if not isinstance(given, list) or not 1 <= len(given) <= most:
        raise Refusal(40032)
    if not all(isinstance(openid, str) and OPENID.match(openid) for openid in given):
        raise Refusal(40003)
    return given


def _name(db: sqlite3.Connection, account: str, tag: Any, but: int = -1) -> str:
    name = tag.get("name") if isinstance(tag, dict) else None
    if not isinstance(name, str) or not name.strip() or name in SYSTEM.values():
        raise Refusal(45157)
    if len(name.encode()) > NAME_BYTES:
        raise Refusal(45158)
    row = db.execute("SELECT id FROM tags WHERE account = ? AND name = ?", (account, name)).fetchone()
    if row and row["id"] != but:
        raise Refusal(45157)
    return name


def _own(db: sqlite3.Connection, account: str, tag: Any) -> int:
    tag_id = tag.get("id") if isinstance(tag, dict) else None
    if tag_id in SYSTEM:
        raise Refusal(45058)
    return _existing(db, account, tag_id)


def _existing(db: sqlite3.Connection, account: str, tag_id: Any) -> int:
    if isinstance(tag_id, bool) or not isinstance(tag_id, int):
        raise Refusal(45159)
    row = db.execute("SELECT 1 FROM tags WHERE account = ? AND id = ?", (account, tag_id)).fetchone()
    if row is None and tag_id != STARRED:
        raise Refusal(45159)
    return tag_id


def _fans(db: sqlite3.Connection, account: str, tag_id: int) -> int:
    row = db.execute("SELECT count(*) FROM tagged WHERE account = ? AND tag_id = ?", (account, tag_id)).fetchone()
    return int(row[0])


CALLS = (
    Call("/cgi-bin/tags/create", create, daily=1000, fields=("tag",)),
    Call("/cgi-bin/tags/get", get, method="GET", daily=1000),
    Call("/cgi-bin/tags/update", update, daily=1000, fields=("tag",)),
    Call("/cgi-bin/tags/delete", delete, daily=1000, fields=("tag",)),
    Call("/cgi-bin/user/tag/get", fans, daily=1000, fields=("tagid",)),
    Call("/cgi-bin/tags/members/batchtagging", tag_members, daily=100_000, fields=("openid_list", "tagid")),
    Call("/cgi-bin/tags/members/batchuntagging", untag_members, daily=100_000, fields=("openid_list", "tagid")),
    Call("/cgi-bin/tags/getidlist", tags_of, daily=100_000, fields=("openid",)),
    Call("/cgi-bin/tags/members/getblacklist", blacklist, daily=1000),
    Call("/cgi-bin/tags/members/batchblacklist", blacklist_some, daily=1000, fields=("openid_list",)),
    Call("/cgi-bin/tags/members/batchunblacklist", unblacklist_some, daily=1000, fields=("openid_list",)),
)
