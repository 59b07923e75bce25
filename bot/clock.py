"""What time it is. In practice and in tests it follows the simulator's clock, so that windows can be tried."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

_file: Path | None = None
_seen: tuple[int, float] = (0, 0.0)  # the file's mtime in ns, the offset it held


def follow(file: Path | None) -> None:
    """Take the offset, in seconds, from this file whenever it changes; None: the machine's own time."""
    global _file, _seen
    _file, _seen = file, (0, 0.0)


def timestamp() -> float:
    """Seconds since 1970."""
    return time.time() + _offset() if _file else time.time()


def now() -> datetime:
    return datetime.fromtimestamp(timestamp(), UTC)


def _offset() -> float:
    global _seen
    assert _file is not None
    try:
        changed = os.stat(_file).st_mtime_ns
        if changed != _seen[0]:
            _seen = (changed, float(_file.read_text() or 0))
    except (OSError, ValueError):
        pass  # not written yet, or being replaced: keep the last offset
    return _seen[1]
