"""Asking who is in a segment without asking too long."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from models import Follower

SECONDS = 5.0
BRIEFLY = 2.0  # while somebody types
CHECK_EVERY = 20_000  # of SQLite's instructions, some ten a row


class TookTooLong(Exception):
    """Not an answer of "nobody"."""


@contextmanager
def at_most(session: Session, seconds: float) -> Iterator[None]:
    """End what is asked within after so many seconds; the transaction goes on.

    Raises:
        TookTooLong
    """
    connection = session.connection()
    is_sqlite = connection.dialect.name == "sqlite"
    driver: Any = connection.connection.driver_connection
    try:
        with session.begin_nested():
            if is_sqlite:
                until = time.monotonic() + seconds
                driver.set_progress_handler(lambda: time.monotonic() > until, CHECK_EVERY)
            else:
                session.execute(select(func.set_config("statement_timeout", f"{int(seconds * 1000)}", True)))
            yield
            if not is_sqlite:
                session.execute(select(func.set_config("statement_timeout", "0", True)))
    except OperationalError as error:
        if str(error.orig) == "interrupted" or getattr(error.orig, "sqlstate", "") == "57014":
            raise TookTooLong from None
        raise
    finally:
        if is_sqlite:
            driver.set_progress_handler(None, 0)


def count(session: Session, query: Select[int], seconds: float = SECONDS) -> int | None:
    """How many followers a query of ids finds; None: it took longer than that."""
    try:
        with at_most(session, seconds):
            return session.scalar(query.with_only_columns(func.count())) or 0
    except TookTooLong:
        return None


def newest(
    session: Session, query: Select[int], limit: int, before: int | None = None, seconds: float = SECONDS
) -> list[Follower] | None:
    """Those who came last; ``before`` is the last id of the page before.  None: it took too long."""
    page: Select[Follower] = query.with_only_columns(Follower).order_by(Follower.id.desc()).limit(limit)
    if before is not None:
        page = page.where(Follower.id < before)
    try:
        with at_most(session, seconds):
            return list(session.scalars(page))
    except TookTooLong:
        return None
