"""Requests of WeChat's that wait for the assistant: how long, how many, and who wakes them.

WeChat closes a request after five seconds and asks again, three times in all (docs/decisions.md, 92).  A request waits
outside of any transaction.  One thread a process looks, 20 times a second while anybody waits, which of the answers are
there: so 200 that wait cost one query, not 200.  Past SEATS nobody waits: the answer goes another way at once, which
the message's own transaction decides; one more for each of 150 would keep everybody else's messages from SQLite.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy.exc import OperationalError

from bot import clock
from bot.database import quick_transaction, reading
from bot.fault_points import fault_point
from bot.services import assistant_answers
from bot.services.assistant_answers import Taken, Waiting

GIVES_SECONDS = 4.5  # from a request's first byte: what is given by then reaches WeChat in its five seconds
ENDS_SECONDS = 5.3  # then WeChat has hung up by itself, which is what makes it ask again
LOOK_SECONDS = 0.05
SEATS = 48  # of a process; the web process has more threads than that, for everybody else (bot.supervisor.stack)

log = structlog.get_logger()

_seats = threading.BoundedSemaphore(SEATS)
_waiting: dict[int, list[threading.Event]] = {}
_lock = threading.Lock()
_watcher: threading.Thread | None = None


class Seat:
    """One request's, from when it is taken to the end of the ``with``."""

    def __init__(self) -> None:
        self._is_taken = False

    def __enter__(self) -> "Seat":
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_taken:
            _seats.release()

    def take(self) -> bool:
        """False: there is none."""
        self._is_taken = self._is_taken or _seats.acquire(blocking=False)
        return self._is_taken


def wait(seat: Seat, waiting: Waiting, began: float) -> Taken | None:
    """The reply for this request, which began at this monotonic time; None: WeChat should ask again."""
    if not seat.take():  # a repeat, for whom there was one with the attempt before
        log.info("answer.no_seat", answer_id=waiting.answer_id)
        return _take(waiting.answer_id, is_over=True)
    with _woken(waiting.answer_id) as event:
        taken = None
        while taken is None and (left := began + GIVES_SECONDS - time.monotonic()) > 0:
            if event.wait(left):
                event.clear()
                taken = _take(waiting.answer_id, is_over=False)
    if taken is None and waiting.is_last:
        taken = _take(waiting.answer_id, is_over=True)
    if taken is None:
        fault_point("A3 this attempt is over")
        time.sleep(max(0.0, began + ENDS_SECONDS - time.monotonic()))
    return taken


def _take(answer_id: int, *, is_over: bool) -> Taken | None:
    with quick_transaction() as session:
        return assistant_answers.take(session, answer_id, clock.now(), is_over=is_over)


@contextmanager
def _woken(answer_id: int) -> Iterator[threading.Event]:
    global _watcher
    event = threading.Event()
    with _lock:
        _waiting.setdefault(answer_id, []).append(event)
        if _watcher is None or not _watcher.is_alive():
            _watcher = threading.Thread(target=_watch, name="answers", daemon=True)
            _watcher.start()
    try:
        yield event
    finally:
        with _lock:
            _waiting[answer_id].remove(event)
            if not _waiting[answer_id]:
                del _waiting[answer_id]


def _watch() -> None:
    """Look for all who wait; end when nobody does."""
    global _watcher
    while True:
        time.sleep(LOOK_SECONDS)
        with _lock:
            wanted = list(_waiting)
            if not wanted:
                _watcher = None
                return
        try:
            with reading() as session:
                there = assistant_answers.ended(session, wanted)
        except OperationalError as error:  # busy or away: they wait on, and in the end WeChat asks again
            log.warning("answers.not_seen", error=type(error).__name__)
            continue
        with _lock:
            for answer_id in there:
                for event in _waiting.get(answer_id, ()):
                    event.set()
