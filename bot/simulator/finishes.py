"""What WeChat tells the platform of by itself: how a job ended, and what a follower allowed."""

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from bot.simulator import accounts, delivery, envelope
from bot.simulator.delivery import Push
from bot.simulator.faults import Fault
from bot.simulator.world import World

WAITING, TAKEN, EARLY = 0, 1, 2  # early: the call that caused it pushes it before it answers

AS_USUAL = Fault()


def enqueue(
    db: sqlite3.Connection,
    account: str,
    openid: str,
    event: str,
    fields: Mapping[str, Any],
    now: float,
    plan: Fault = AS_USUAL,
) -> None:
    """Keep an event until it is pushed: as often, and as late, as a test has ordered."""
    text = json.dumps({"CreateTime": int(now)} | dict(fields), ensure_ascii=False)
    for _ in range(0 if plan.lost else plan.copies):
        db.execute(
            "INSERT INTO events (account, openid, event, fields, due_at, taken) VALUES (?, ?, ?, ?, ?, ?)",
            (account, openid, event, text, now + plan.delay_seconds, EARLY if plan.early else WAITING),
        )


def take_due(db: sqlite3.Connection, now: float, most: int) -> list[sqlite3.Row]:
    return db.execute(
        "UPDATE events SET taken = ? WHERE id IN"
        " (SELECT id FROM events WHERE taken = ? AND due_at <= ? ORDER BY due_at, id LIMIT ?) RETURNING *",
        (TAKEN, WAITING, now, most),
    ).fetchall()


def take_back(db: sqlite3.Connection) -> None:
    """What a process that died had taken is pushed again: twice is what WeChat also does."""
    db.execute("UPDATE events SET taken = ? WHERE taken != ?", (WAITING, WAITING))


def push_early(world: World, account: str) -> None:
    with world.store.writing() as db:  # taken, so that of two calls at once only one pushes it
        rows = db.execute(
            "UPDATE events SET taken = ? WHERE account = ? AND taken = ? RETURNING *", (TAKEN, account, EARLY)
        ).fetchall()
    for row in rows:
        push(world, row)


def push(world: World, row: sqlite3.Row) -> None:
    """Three attempts, as with every push; then it is forgotten."""
    with world.store.reading() as db:
        account = accounts.find(db, row["account"])
    if account is not None and account.callback_url:
        head = {"ToUserName": account.original_id, "FromUserName": row["openid"]}
        fields = json.loads(row["fields"])
        kind = {"MsgType": "event", "Event": row["event"]}
        xml = envelope.to_xml(head | {"CreateTime": fields.pop("CreateTime")} | kind | fields)
        delivery.deliver(world, account, Push(row["openid"], xml, shows_reply=False))
    with world.store.writing() as db:
        db.execute("DELETE FROM events WHERE id = ?", (row["id"],))
