"""What each phone shows: all that arrived there, in order, between what its owner did."""

import json
import sqlite3
from typing import Any

Item = dict[str, Any]

MINE = "mine"
EVERYONE = ""  # in the place of an openid: a mass message, kept once; the table received says who has it

# What lies on one phone: its own items, and the mass messages it has received.
_ON_PHONE = (
    "(SELECT id, kind, type, at, data, 1 AS times FROM chat WHERE account = :account AND openid = :openid"
    " AND id > :after UNION ALL SELECT id, kind, type, at, data, times FROM received JOIN chat ON id = item"
    " WHERE item > :after AND follower ="
    " (SELECT rowid FROM followers WHERE account = :account AND openid = :openid))"
)


def add(
    db: sqlite3.Connection, account: str, openid: str, kind: str, type_: str, at: float, data: dict[str, Any]
) -> Item:
    """kind: mine, passive, customer, mass, preview, template, subscription or notice."""
    item_id = db.execute(
        "INSERT INTO chat (account, openid, kind, type, at, data) VALUES (?, ?, ?, ?, ?, ?)",
        (account, openid, kind, type_, round(at, 3), json.dumps(data, ensure_ascii=False)),
    ).lastrowid
    return {"id": item_id, "kind": kind, "type": type_, "at": round(at, 3), "text": ""} | data


def place(text: str) -> int:
    """Where to read on, out of an address: an item's id."""
    return max(0, min(int(text), 2**63 - 1))


def received(db: sqlite3.Connection, account: str, openid: str, after: int = 0) -> list[Item]:
    """What arrived, without what the owner did."""
    rows = db.execute(
        f"SELECT * FROM {_ON_PHONE} WHERE kind != 'mine' ORDER BY id",  # noqa: S608 (ours)
        {"account": account, "openid": openid, "after": after},
    )
    return [_item(row) for row in rows]


def everything(db: sqlite3.Connection, account: str, openid: str, after: int = 0, limit: int = 200) -> list[Item]:
    """The last items of both sides, oldest first."""
    rows = db.execute(
        f"SELECT * FROM {_ON_PHONE} ORDER BY id DESC LIMIT :limit",  # noqa: S608 (ours)
        {"account": account, "openid": openid, "after": after, "limit": limit},
    ).fetchall()
    return [_item(row) for row in reversed(rows)]


def counts(db: sqlite3.Connection, account: str) -> dict[str, dict[str, int]]:
    """How many of each kind every follower received."""
    result: dict[str, dict[str, int]] = {}
    rows = db.execute(
        "SELECT openid, kind, count(*) FROM chat WHERE account = :account AND openid != '' AND kind != 'mine'"
        " GROUP BY openid, kind UNION ALL SELECT openid, 'mass', sum(times) FROM received"
        " JOIN followers ON followers.rowid = follower WHERE account = :account GROUP BY openid",
        {"account": account},
    )
    for openid, kind, count in rows:
        result.setdefault(openid, {})[kind] = count
    return result


def _item(row: sqlite3.Row) -> Item:
    data: Item = json.loads(row["data"])
    if row["times"] > 1:
        data["times"] = row["times"]
    return {"id": row["id"], "kind": row["kind"], "type": row["type"], "at": row["at"], "text": ""} | data
