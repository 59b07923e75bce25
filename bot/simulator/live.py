"""Tells waiting phones that something new may have arrived."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

LINGER_SECONDS = 1.0  # a thread for each of a thousand messages a second would cost more than the messages

MOST_WAITING = 10  # of 32 threads: pushes and API calls must always find one


class Bell:
    def __init__(self) -> None:
        self._rung = threading.Condition()
        self._count = 0
        self._seats = threading.BoundedSemaphore(MOST_WAITING)

    @property
    def is_full(self) -> bool:
        """Every seat is taken: whoever comes now gets an answer at once."""
        if self._seats.acquire(blocking=False):
            self._seats.release()
            return False
        return True

    def ring(self) -> None:
        with self._rung:
            self._count += 1
            self._rung.notify_all()

    def wait_for(self, look: Callable[[], Found | None], seconds: float) -> Found | None:
        """What `look` finds, at once or after some ring; None when time is up or too many are waiting."""
        if not self._seats.acquire(blocking=False):
            return look()
        try:
            return self._wait(look, seconds)
        finally:
            self._seats.release()

    def _wait(self, look: Callable[[], Found | None], seconds: float) -> Found | None:
        deadline = time.monotonic() + seconds
        while True:
            with self._rung:
                seen = self._count
            found = look()
            remaining = deadline - time.monotonic()
            if found is not None or remaining <= 0:
                return found
            with self._rung:
                if self._count == seen:  # else it rang during the look: look again
                    self._rung.wait(remaining)


class Alarm:
    """Works in a thread of its own while there is something to wait for, and not much longer."""

    def __init__(self) -> None:
        self.work: Callable[[], float | None] | None = None  # the seconds until there is more to do; None: nothing
        self._ringing = threading.Event()
        self._lock = threading.Lock()
        self._is_running = False

    def ring(self) -> None:
        """There may be something to do, or the time was moved."""
        with self._lock:
            self._ringing.set()
            if not self._is_running and self.work is not None:
                self._is_running = True
                threading.Thread(target=self._run, daemon=True, name="simulator-work").start()

    def _run(self) -> None:
        while True:
            self._ringing.clear()
            try:
                seconds = self.work() if self.work is not None else None
            except Exception:  # a thread that ends here would leave jobs unsent for ever
                logging.getLogger(__name__).exception("The simulator's work failed.")
                seconds = 1.0
            self._ringing.wait(LINGER_SECONDS if seconds is None else seconds)
            with self._lock:
                if seconds is None and not self._ringing.is_set():
                    self._is_running = False
                    return
