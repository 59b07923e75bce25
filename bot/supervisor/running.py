"""Which stack runs for a data folder: a lock on the folder says that, ``run.json`` in it says where."""

import fcntl
import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from bot.errors import Refused


@dataclass(frozen=True)
class Running:
    pid: int
    url: str
    sim_url: str  # empty: without the simulator
    started_at: str
    is_ready: bool = False


def find(data_dir: Path) -> Running | None:
    """The stack that runs for this folder.  What a killed one left behind does not count."""
    try:
        folder = os.open(data_dir, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        fcntl.flock(folder, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None  # nobody holds it
    except OSError:
        return _read(data_dir)
    finally:
        os.close(folder)


class Claim:
    """The folder is ours until ``release``, or until this process dies in whatever way.

    The lock is on the folder itself: no lock file is left, and the kernel lets go of it with the process.

    Raises:
        Refused: another stack has it.
    """

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "run.json"
        self._folder = os.open(data_dir, os.O_RDONLY | os.O_DIRECTORY)
        if not self._locked():
            os.close(self._folder)
            other = _read(data_dir)
            raise Refused(
                "Lobby is already running in {folder}{where}; stop it first, or choose another --data-dir.",
                folder=data_dir,
                where=f" (process {other.pid}, {other.url})" if other else "",
            )
        self.left_over = _read(data_dir) is not None  # the last run did not come to its end
        self._told: Running | None = None

    def tell(self, url: str, sim_url: str) -> None:
        """Let other commands find us."""
        self._write(Running(os.getpid(), url, sim_url, datetime.now(UTC).isoformat(timespec="seconds")))

    def tell_ready(self) -> None:
        assert self._told is not None
        self._write(replace(self._told, is_ready=True))

    def release(self) -> None:
        self._path.unlink(missing_ok=True)
        os.close(self._folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _locked(self) -> bool:
        for _ in range(10):  # `find` holds it for a moment when it looks
            with suppress(OSError):
                fcntl.flock(self._folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            time.sleep(0.02)
        return False

    def _write(self, running: Running) -> None:
        self._told = running
        draft = self._path.with_name(f".run.{os.getpid()}.json")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(asdict(running)) + "\n")
        draft.replace(self._path)


def _read(data_dir: Path) -> Running | None:
    try:
        return Running(**json.loads((data_dir / "run.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None
