"""Reads what was said, so that it can be found."""

import time

from bot.database import reading, transaction
from bot.jobs import tasks
from bot.queue import enqueue
from bot.services import message_search

SLICE_SECONDS = 20.0  # then others' work may go on
OPEN_SECONDS = 5.0  # how long a transaction that began before us is waited for; then the next sweep looks again


def index(row_id: int) -> None:
    """Keep what all texts up to now can be found by, at most for a slice; twice at once is once."""
    over = time.monotonic() + SLICE_SECONDS
    with reading() as session:
        end = message_search.end(session)
    with reading() as session:
        fence = message_search.fence(session)
    if not _is_over(fence):
        return
    while True:
        with reading() as session:
            some = message_search.read(session, end)
        if some is None:
            return
        with transaction() as session:
            message_search.keep(session, some)
            if tasks.stopping.is_set() or time.monotonic() > over:
                enqueue(session, "message_search.index", row_id)
                return


def _is_over(fence: int) -> bool:
    until = time.monotonic() + OPEN_SECONDS
    while True:
        with reading() as session:
            if message_search.is_over(session, fence):
                return True
        if time.monotonic() > until or tasks.stopping.wait(0.02):
            return False


JOBS = (index,)
