"""Who follows: the list in pages, and what WeChat still tells about each."""

import re
import sqlite3
from typing import Any

from bot.simulator import followers
from bot.simulator.api.calls import OK, Asked, Call
from bot.simulator.errors import Refusal
from bot.simulator.permissions import Allowed

PAGE = 10_000
BATCH = 100
REMARK_BYTES = 30

OPENID = re.compile(r"^[\w-]{28}$", re.ASCII)


def get(asked: Asked) -> dict[str, Any]:
    account, after = asked.account.account, asked.query.get("next_openid", "")
    with asked.world.store.reading() as db:
        start = 0
        if after:
            start = known(db, account, after)["follow_seq"]
        total = db.execute("SELECT count(*) FROM followers WHERE account = ? AND following = 1", (account,)).fetchone()[
            0
        ]
        rows = db.execute(
            "SELECT openid FROM followers WHERE account = ? AND following = 1 AND follow_seq > ?"
            " ORDER BY follow_seq LIMIT ?",
            (account, start, PAGE),
        )
        openids = [row[0] for row in rows]
    if not openids:  # no data at all, and nothing to go on with
        return {"total": total, "count": 0, "next_openid": ""}
    # The last page, too, names a next one.
    return {"total": total, "count": len(openids), "data": {"openid": openids}, "next_openid": openids[-1]}


def info(asked: Asked) -> dict[str, Any]:
    openid = asked.query.get("openid")
    if not openid:
        raise Refusal(41009)
    with asked.world.store.reading() as db:
        return _facts(db, known(db, asked.account.account, openid))


def batch_info(asked: Asked) -> dict[str, Any]:
    wanted = asked.body["user_list"]
    if not isinstance(wanted, list) or not 1 <= len(wanted) <= BATCH:
        raise Refusal(40032)
    with asked.world.store.reading() as db:
        rows = [
            known(db, asked.account.account, one.get("openid") if isinstance(one, dict) else None) for one in wanted
        ]
        return {"user_info_list": [_facts(db, row) for row in rows]}


def update_remark(asked: Asked) -> dict[str, Any]:
    remark = asked.body["remark"]
    if not isinstance(remark, str) or len(remark.encode()) >= REMARK_BYTES:
        raise Refusal(40092)
    account = asked.account.account
    with asked.world.store.writing() as db:
        row = known(db, account, asked.body["openid"])
        if not row["following"]:
            raise Refusal(43004)
        db.execute("UPDATE followers SET remark = ? WHERE account = ? AND openid = ?", (remark, account, row["openid"]))
    return OK


def known(db: sqlite3.Connection, account: str, openid: Any) -> followers.Follower:
    """The person of this openid, following or not; others are refused: 40003."""
    row = followers.find(db, account, openid) if isinstance(openid, str) and OPENID.match(openid) else None
    if row is None:
        raise Refusal(40003)
    return row


def tag_ids(db: sqlite3.Connection, account: str, openid: str) -> list[int]:
    """Newest last."""
    rows = db.execute("SELECT tag_id FROM tagged WHERE account = ? AND openid = ? ORDER BY id", (account, openid))
    return [row[0] for row in rows]


def _facts(db: sqlite3.Connection, row: followers.Follower) -> dict[str, Any]:
    """No name and no picture: WeChat has not given them since December 2021."""
    if not row["following"]:
        return {"subscribe": 0, "openid": row["openid"]}
    tags = tag_ids(db, row["account"], row["openid"])
    return {
        "subscribe": 1,
        "openid": row["openid"],
        "language": "zh_CN",
        "subscribe_time": row["subscribed_at"],
        "remark": row["remark"],
        "groupid": tags[0] if tags else 0,
        "tagid_list": tags,
        "subscribe_scene": row["scene"],
        "qr_scene": row["qr_scene"],
        "qr_scene_str": row["qr_scene_str"],
    }


CALLS = (
    Call("/cgi-bin/user/get", get, method="GET", daily=500),
    Call("/cgi-bin/user/info", info, method="GET", daily=5_000_000),
    Call("/cgi-bin/user/info/batchget", batch_info, daily=5_000_000, fields=("user_list",)),
    Call(
        "/cgi-bin/user/info/updateremark",
        update_remark,
        allowed=Allowed.VERIFIED_SERVICE,
        daily=10_000,
        fields=("openid", "remark"),
    ),
)
