"""Counts every call, for the ledger and for WeChat's daily limits."""

import sqlite3
from collections.abc import Sequence

from bot.simulator.accounts import Account
from bot.simulator.world import World

MINUTE_SECONDS = 60


def count(world: World, account: Account, path: str, daily: int | None) -> bool:
    """Count one call; False when the day's quota is used up."""
    with world.store.writing() as db:
        return count_in(db, world, account, path, daily)


def count_in(db: sqlite3.Connection, world: World, account: Account, path: str, daily: int | None) -> bool:
    used = db.execute(
        "INSERT INTO calls VALUES (?, ?, ?, 1, 1) ON CONFLICT (account, day, path)"
        " DO UPDATE SET total = total + 1, used = used + 1 RETURNING used",
        (account.account, world.clock.day(), path),
    ).fetchone()[0]
    limit = account.daily_limits.get(path, daily)
    return limit is None or used <= limit


def used_today(db: sqlite3.Connection, account: str, day: int, paths: Sequence[str]) -> int:
    """Of calls that share a day's quota: how many were made, this one too."""
    marks = ", ".join("?" * len(paths))
    return int(
        db.execute(
            f"SELECT coalesce(sum(used), 0) FROM calls WHERE account = ? AND day = ? AND path IN ({marks})",  # noqa: S608
            (account, day, *paths),
        ).fetchone()[0]
    )


def count_in_minute(db: sqlite3.Connection, account: str, family: str, most: int, now: float) -> bool:
    """Count one call; False when the last 60 seconds saw `most` already.  A refused one does not count."""
    of = (account, family)
    db.execute("DELETE FROM recent_calls WHERE account = ? AND family = ? AND at <= ?", (*of, now - MINUTE_SECONDS))
    recent = db.execute("SELECT count(*) FROM recent_calls WHERE account = ? AND family = ?", of).fetchone()[0]
    if recent >= most:
        return False
    db.execute("INSERT INTO recent_calls VALUES (?, ?, ?)", (*of, now))
    return True


def clear(db: sqlite3.Connection, account: str, day: int) -> None:
    db.execute("UPDATE calls SET used = 0 WHERE account = ? AND day = ?", (account, day))


def totals(db: sqlite3.Connection, account: str) -> dict[str, int]:
    rows = db.execute("SELECT path, sum(total) FROM calls WHERE account = ? GROUP BY path", (account,))
    return {row[0]: row[1] for row in rows}
