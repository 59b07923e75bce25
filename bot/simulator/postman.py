"""Works behind the calls: sends mass messages, publishes drafts and pushes events when their time has come."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

from bot.simulator import finishes, masses, publications
from bot.simulator.world import World

PUSHERS = 16
IN_HAND = 4 * PUSHERS


class Postman:
    def __init__(self, world: World) -> None:
        self._world = world
        self._pool = ThreadPoolExecutor(PUSHERS, "simulator-push")
        self._lock = threading.Lock()
        self._in_hand = 0

    def work(self) -> float | None:
        """Do all that is due; the seconds until there is more, None when nothing waits."""
        masses.deliver_due(self._world)
        publications.publish_due(self._world)
        self._push_due()
        now = self._world.clock.now()
        with self._world.store.reading() as db:
            due_at = _next(db)
        return None if due_at is None else max(0.0, due_at - now) or self._pause()

    def _push_due(self) -> None:
        with self._lock:
            free = IN_HAND - self._in_hand
        if free <= 0:
            return
        with self._world.store.writing() as db:
            rows = finishes.take_due(db, self._world.clock.now(), free)
        with self._lock:
            self._in_hand += len(rows)
        for row in rows:
            self._pool.submit(self._push, row)

    def _push(self, row: sqlite3.Row) -> None:
        try:
            finishes.push(self._world, row)
        finally:
            with self._lock:
                self._in_hand -= 1
                is_time = self._in_hand == IN_HAND // 2 or self._in_hand == 0
            if is_time:
                self._world.alarm.ring()

    def _pause(self) -> float:
        """With all hands full one of them will ring."""
        with self._lock:
            return 1.0 if self._in_hand >= IN_HAND else 0.0


def start(world: World) -> None:
    """Go on with what an earlier process has left."""
    world.alarm.work = Postman(world).work
    with world.store.writing() as db:
        finishes.take_back(db)
        waits = _next(db) is not None
    if waits:
        world.alarm.ring()


def _next(db: sqlite3.Connection) -> float | None:
    row = db.execute(
        "SELECT min(due_at) FROM (SELECT min(due_at) AS due_at FROM masses WHERE status = 'SENDING'"
        " UNION ALL SELECT min(due_at) FROM publications WHERE status = 1"
        " UNION ALL SELECT min(due_at) FROM events WHERE taken = 0)"
    ).fetchone()
    return None if row[0] is None else float(row[0])
