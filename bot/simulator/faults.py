"""Troubles ordered by a test: error codes, HTTP failures, delays, cut connections, jobs that end otherwise."""

import json
import sqlite3
from dataclasses import dataclass
from typing import Literal

from bot.simulator.world import World

CALLBACK = "callback"  # instead of an API path: pushes to the platform
FOR_EVER = -1

# Ends of jobs: how each may be told to end, besides well.
ENDS = {
    "MASSSENDJOBFINISH": r"send fail|err\(\d{5}\)|reprint|reprint forbidden",
    "PUBLISHJOBFINISH": r"[2-6]",
    "TEMPLATESENDJOBFINISH": r"failed:user block|failed: system failed",
    "subscribe_msg_sent_event": r"[1-9]\d{0,5}",  # its ErrorCode
}


@dataclass(frozen=True)
class Fault:
    errcode: int | None = None
    status: int | None = None
    delay_ms: int = 0
    # reply: the work is done, its answer is lost; request: it never came; push (callbacks only): it never arrives
    cut: Literal["reply", "request", "push", ""] = ""
    after: bool = False  # errcode, status and delay come once the work is done
    # Of a job's end, whose path is the event's name:
    result: str = ""  # how the job ends, instead of well
    lost: bool = False
    early: bool = False  # the event comes before the call's own answer
    copies: int = 1
    delay_seconds: float = 0.0  # of the event, in the simulator's time


def order(db: sqlite3.Connection, path: str, account: str | None, times: int, fault: Fault) -> int:
    fault_id = db.execute(
        "INSERT INTO faults (path, account, times, data) VALUES (?, ?, ?, ?)",
        (path, account, times if times > 0 else FOR_EVER, json.dumps(vars(fault))),
    ).lastrowid
    assert fault_id is not None
    return fault_id


def clear(db: sqlite3.Connection) -> int:
    return db.execute("DELETE FROM faults").rowcount


def take(world: World, path: str, account: str | None) -> Fault | None:
    """The oldest fault ordered for this path, used once; None: nothing goes wrong."""
    with world.store.reading() as db:  # most calls find nothing, and need no writer's turn
        if _oldest(db, path, account) is None:
            return None
    with world.store.writing() as db:
        return take_in(db, path, account)


def take_in(db: sqlite3.Connection, path: str, account: str | None) -> Fault | None:
    """The same within a transaction: what is refused in the end has used none."""
    row = _oldest(db, path, account)
    if row is None:
        return None
    if row["times"] == 1:
        db.execute("DELETE FROM faults WHERE id = ?", (row["id"],))
    elif row["times"] > 1:
        db.execute("UPDATE faults SET times = times - 1 WHERE id = ?", (row["id"],))
    return Fault(**json.loads(row["data"]))


def _oldest(db: sqlite3.Connection, path: str, account: str | None) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM faults WHERE path = ? AND (account IS NULL OR account = ?) ORDER BY id LIMIT 1", (path, account)
    ).fetchone()
    return row
