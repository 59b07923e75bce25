"""How many customer-service messages an account may still send to a follower, and until when."""

import sqlite3
from typing import Any

HOUR_SECONDS = 3600

# What opens a window: (messages, seconds). Each kind has its own, and doing it again fills it anew.
TRIGGERS = {
    "message": (5, 48 * HOUR_SECONDS),
    "menu": (3, 60),
    "follow": (3, 60),
    "scan": (3, 60),
}

SPENT, CLOSED, USED_UP = "spent", "closed", "used up"


def open_window(db: sqlite3.Connection, account: str, openid: str, trigger: str, now: float) -> None:
    messages, seconds = TRIGGERS[trigger]
    db.execute(
        "INSERT OR REPLACE INTO windows VALUES (?, ?, ?, ?, ?)", (account, openid, trigger, messages, now + seconds)
    )


def spend(db: sqlite3.Connection, account: str, openid: str, now: float) -> str:
    """Take one message from the window that closes first: SPENT, CLOSED (45015) or USED_UP (45047)."""
    live = _live(db, account, openid, now)
    if not live:
        return CLOSED
    for window in live:
        if window["remaining"] > 0:
            db.execute(
                "UPDATE windows SET remaining = remaining - 1 WHERE account = ? AND openid = ? AND opened_by = ?",
                (account, openid, window["opened_by"]),
            )
            return SPENT
    return USED_UP


def state(db: sqlite3.Connection, account: str, openid: str, now: float) -> dict[str, Any]:
    """For the phone's side panel: messages left in all, and the seconds until the last window closes."""
    live = _live(db, account, openid, now)
    return {
        "remaining": sum(window["remaining"] for window in live),
        "seconds": max((round(window["expires_at"] - now) for window in live), default=0),
        "windows": [
            {
                "opened_by": window["opened_by"],
                "remaining": window["remaining"],
                "seconds": round(window["expires_at"] - now),
            }
            for window in live
        ],
    }


def _live(db: sqlite3.Connection, account: str, openid: str, now: float) -> list[sqlite3.Row]:
    return db.execute(
        "SELECT * FROM windows WHERE account = ? AND openid = ? AND expires_at > ? ORDER BY expires_at",
        (account, openid, now),
    ).fetchall()
