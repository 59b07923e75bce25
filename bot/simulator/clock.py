"""The simulator's time: the machine's plus an offset that tests and phones may move."""

import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from bot.simulator.store import Store

CHINA_SECONDS = 8 * 3600  # WeChat's days begin at midnight in China
DAY_SECONDS = 86400


class Clock:
    """Tells the time and writes each change of the offset to a file that the platform may follow."""

    def __init__(self, store: Store, file: Path | None) -> None:
        self._store = store
        self._file = file
        self._moving = threading.Lock()
        with store.reading() as db:
            row = db.execute("SELECT value FROM facts WHERE name = 'clock_offset'").fetchone()
        self.offset = float(row[0]) if row else 0.0
        self._publish()

    def now(self) -> float:
        return time.time() + self.offset

    def day(self) -> int:
        """Number of the day in China: quotas start anew with each."""
        return int(self.now() + CHINA_SECONDS) // DAY_SECONDS

    def month(self) -> str:
        """The month in China, as 2026-11."""
        return datetime.fromtimestamp(self.now() + CHINA_SECONDS, UTC).strftime("%Y-%m")

    def month_start(self) -> float:
        """When this month began in China."""
        here = datetime.fromtimestamp(self.now() + CHINA_SECONDS, UTC)
        return here.replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp() - CHINA_SECONDS

    def advance(self, seconds: float) -> float:
        """Move the time and return the new offset."""
        with self._moving:
            offset = self.offset + seconds
            with self._store.writing() as db:
                db.execute("INSERT OR REPLACE INTO facts VALUES ('clock_offset', ?)", (str(offset),))
            self.offset = offset
            self._publish()
            return offset

    def _publish(self) -> None:
        if self._file is None:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        draft = self._file.with_name(f".{self._file.name}.{os.getpid()}")
        draft.write_text(str(self.offset))
        os.replace(draft, self._file)  # a reader sees the old text or the new one, never half
