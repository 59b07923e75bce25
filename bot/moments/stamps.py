"""Stamps: ids that are also times.  41 bits of milliseconds and 12 of chance: 53, exact also in a double.

What the rules compare ("was in the group before the post") are stamps of one author's doings; each is taken while the
author's row is held and is larger than the one before, so the order is that of the commits, whatever the clocks say.
"""

import secrets
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot import clock

EPOCH = int(datetime(2015, 1, 1, tzinfo=UTC).timestamp() * 1000)  # members bring posts of ten years along
DAY = 86_400_000 << 12


def now() -> int:
    """The largest stamp of this moment."""
    return of(clock.now()) | 0xFFF


def of(at: datetime) -> int:
    """The smallest stamp of a moment."""
    return max(0, int(at.timestamp() * 1000) - EPOCH) << 12


def after(*earlier: int) -> int:
    """A new one, larger than all of these.  Of two processes one may draw the other's: the table's key refuses it."""
    return max(of(clock.now()) + secrets.randbelow(4096), *(stamp + 1 for stamp in earlier), 1)


def time(stamp: int) -> datetime:
    return datetime.fromtimestamp(((stamp >> 12) + EPOCH) / 1000, UTC)


def place(session: Session, row: Any, *earlier: int) -> None:
    """Insert a row under a new stamp, larger than all of these."""
    for left in range(5, -1, -1):
        row.id = after(*earlier)
        try:
            with session.begin_nested():
                session.add(row)
            return
        except IntegrityError:  # another process drew the same, or something else is wrong
            if not left:
                raise
