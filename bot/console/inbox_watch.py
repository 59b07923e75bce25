"""One thread for each account that somebody watches: it tails the journal and builds each frame once, for all.

The database is asked, five times a second and only while somebody listens: no message between processes can be lost,
for there is none.  A listener holds nothing but its cursor, so however slow it is, it costs one query to catch up.
"""

import json
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.database import reading
from bot.services import inbox_feed, journal, presence

EVERY_SECONDS = 0.2
KEPT = 25  # frames, for listeners that were not looking just then

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Frame:
    after: int
    head: int
    sent: bytes


def told(changes: inbox_feed.Changes, counts: dict[str, Any]) -> dict[str, Any]:
    if changes.reload:
        return {"reload": True, "head": changes.head, "counts": counts}
    changed = [inbox_feed.summary(each) for each in changes.changed]
    return {"changed": changed, "head": changes.head, "counts": counts}


def build(account_id: int, after: int) -> Frame:
    """All that changed since ``after``, as it is now."""
    with reading() as session:
        changes = inbox_feed.changes(session, account_id, after)
        data = json.dumps(told(changes, inbox_feed.counts(session, account_id)), ensure_ascii=False)
    return Frame(after, changes.head, f"id: {changes.head}\ndata: {data}\n\n".encode())


class Watch:
    """What an account's listeners share."""

    def __init__(self, account_id: int) -> None:
        self._account_id = account_id
        self._changed = threading.Condition()
        self._frames: deque[Frame] = deque(maxlen=KEPT)
        self._head = -1
        self._here: tuple[int, bytes] = (0, b"")
        self._listeners = 0
        self._thread: threading.Thread | None = None

    def join(self) -> None:
        with self._changed:
            self._listeners += 1
            if self._thread is None:
                self._head = -1
                self._thread = threading.Thread(target=self._run, name=f"inbox {self._account_id}", daemon=True)
                self._thread.start()

    def leave(self) -> None:
        with self._changed:
            self._listeners -= 1

    def wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def news(self, cursor: int, here: int, seconds: float) -> tuple[Frame | None, tuple[int, bytes] | None]:
        """A frame that goes on from a cursor, and who is here since another version; neither: nothing happened."""
        with self._changed:
            if self._head <= cursor and self._here[0] == here:
                self._changed.wait(seconds)
            who = self._here if self._here[0] != here else None
            if self._head <= cursor:
                return None, who
            ready = next((each for each in reversed(self._frames) if each.after <= cursor < each.head), None)
        return ready or build(self._account_id, cursor), who

    def _run(self) -> None:
        while True:
            began = time.monotonic()
            try:
                self._look()
            except SQLAlchemyError as error:  # busy or away: the next look finds the same
                log.warning("inbox.watch_failed", account_id=self._account_id, error=type(error).__name__)
            with self._changed:
                if not self._listeners or _watches.get(self._account_id) is not self:
                    self._thread = None
                    self._frames.clear()
                    return
            time.sleep(max(0.02, EVERY_SECONDS - (time.monotonic() - began)))

    def _look(self) -> None:
        with reading() as session:
            head = journal.last(session, self._account_id)
        frame = build(self._account_id, self._head) if self._head not in (-1, head) else None
        here = json.dumps(presence.everybody(self._account_id), ensure_ascii=False)
        line = f"event: here\ndata: {here}\n\n".encode()
        with self._changed:
            if frame is not None:
                self._frames.append(frame)
            moved = self._head != (frame.head if frame else head)
            self._head = frame.head if frame else head
            if line != self._here[1]:
                self._here = (self._here[0] + 1, line)
                moved = True
            if moved:
                self._changed.notify_all()


_watches: dict[int, Watch] = {}
_lock = threading.Lock()


def of_account(account_id: int) -> Watch:
    with _lock:
        return _watches.setdefault(account_id, Watch(account_id))


def forget() -> None:
    """For tests: whatever still watches stops."""
    with _lock:
        watches = list(_watches.values())
        _watches.clear()
    for each in watches:
        each.wake()
