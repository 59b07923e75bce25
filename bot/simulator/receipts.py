"""The referee's ledger: how often each follower received what, for a million of them in one question."""

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

BLOCK = 5000  # lines written at once

# Each receipt as (rowid of the follower, times), of items that hold a text, among their words or as their client id.
# CROSS JOIN keeps SQLite to the order that is fast: items first, then their followers.
_HITS = (
    "WITH hits AS MATERIALIZED (SELECT id, openid FROM chat WHERE account = :account AND kind != 'mine'"
    " AND (:kind = '' OR kind = :kind) AND (:text = '' OR instr(data, :text) > 0)),"
    " got AS MATERIALIZED (SELECT who, sum(times) AS times FROM ("
    "SELECT followers.rowid AS who, 1 AS times FROM hits CROSS JOIN followers"
    " ON followers.account = :account AND followers.openid = hits.openid WHERE hits.openid != ''"
    " UNION ALL SELECT follower, times FROM received WHERE item IN (SELECT id FROM hits WHERE openid = '')"
    ") GROUP BY who)"
)


def totals(db: sqlite3.Connection, account: str, text: str, kind: str, most: int) -> dict[str, Any]:
    """How many followers received it 0 times, once, more often; and up to `most` openids of the last."""
    of = _values(account, text, kind)
    counts = dict(
        db.execute(f"{_HITS} SELECT times, count(*) FROM got GROUP BY times ORDER BY times", of).fetchall()  # noqa: S608
    )
    more = sum(count for times, count in counts.items() if times > 1)
    everyone = db.execute("SELECT count(*) FROM followers WHERE account = ?", (account,)).fetchone()[0]
    return {
        "followers": everyone,
        "never": everyone - sum(counts.values()),
        "once": counts.get(1, 0),
        "more": more,
        "receipts": sum(times * count for times, count in counts.items()),
        "times": {str(times): count for times, count in counts.items()},
        "twice": _twice(db, of, most) if more else [],
    }


def _twice(db: sqlite3.Connection, of: dict[str, Any], most: int) -> list[dict[str, Any]]:
    rows = db.execute(
        f"{_HITS} SELECT openid, times FROM got JOIN followers ON followers.rowid = who WHERE times > 1"  # noqa: S608
        " ORDER BY openid LIMIT :most",
        of | {"most": most},
    )
    return [{"openid": row["openid"], "times": row["times"]} for row in rows]


def lines(db: sqlite3.Connection, account: str, text: str, kind: str, at_least: int, most: int) -> Iterator[bytes]:
    """“openid times” line by line, of those who received it so often; at least 0 and at most 0: who never did."""
    rows = db.execute(
        f"{_HITS} SELECT openid, coalesce(times, 0) AS times FROM followers LEFT JOIN got ON who = followers.rowid"  # noqa: S608
        " WHERE account = :account AND coalesce(times, 0) BETWEEN :at_least AND :most ORDER BY openid",
        _values(account, text, kind) | {"at_least": at_least, "most": most},
    )
    while block := rows.fetchmany(BLOCK):
        yield "".join(f"{row[0]} {row[1]}\n" for row in block).encode()


def jobs(db: sqlite3.Connection, account: str) -> dict[str, Any]:
    """Every mass message taken on, oldest first, and what still waits: none of it, and the ledger is complete."""
    rows = db.execute("SELECT * FROM masses WHERE account = ? ORDER BY msg_id", (account,)).fetchall()
    sending = db.execute(
        "SELECT (SELECT count(*) FROM masses WHERE account = :account AND status = 'SENDING'),"
        " (SELECT count(*) FROM publications WHERE account = :account AND status = 1),"
        " (SELECT count(*) FROM events WHERE account = :account)",
        {"account": account},
    ).fetchone()
    return {
        "waiting": {"masses": sending[0], "publications": sending[1], "events": sending[2]},
        "masses": [
            {name: row[name] for name in ("msg_id", "client_id", "status", "type", "scope", "total", "kept")}
            | {"created_at": row["created_at"], "sent_at": row["sent_at"]}
            for row in rows
        ],
    }


def _values(account: str, text: str, kind: str) -> dict[str, Any]:
    # The items are kept as JSON: a quotation mark or a line's end is written there as JSON writes it.
    return {"account": account, "text": json.dumps(text, ensure_ascii=False)[1:-1], "kind": kind}
