"""Counts every call, for the ledger and for WeChat's daily limits."""

import sqlite3

from bot.simulator.accounts import Account
from bot.simulator.world import World


def count(world: World, account: Account, path: str, daily: int | None) -> bool:
    """Count one call; False when the day's quota is used up."""
    with world.store.writing() as db:
        used = db.execute(
            "INSERT INTO calls VALUES (?, ?, ?, 1, 1) ON CONFLICT (account, day, path)"
            " DO UPDATE SET total = total + 1, used = used + 1 RETURNING used",
            (account.account, world.clock.day(), path),
        ).fetchone()[0]
    limit = account.daily_limits.get(path, daily)
    return limit is None or used <= limit


def clear(db: sqlite3.Connection, account: str, day: int) -> None:
    db.execute("UPDATE calls SET used = 0 WHERE account = ? AND day = ?", (account, day))


def totals(db: sqlite3.Connection, account: str) -> dict[str, int]:
    rows = db.execute("SELECT path, sum(total) FROM calls WHERE account = ? GROUP BY path", (account,))
    return {row[0]: row[1] for row in rows}
