"""Where the bytes lie: under the data folder, by a random key, each part whole or not there."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from bot.moments.media.limits import FREE_BYTES
from bot.settings import settings

PARTS = ("thumb", "feed", "full", "video")
_UNTIL_MOVED = ".new"


def folder() -> Path:
    return settings().data_dir / "media"


def new_key() -> str:
    return secrets.token_hex(16)


def path(key: str, part: str) -> Path:
    assert part in PARTS
    return folder() / key[:2] / f"{key}-{part}"


def is_full() -> bool:
    folder().mkdir(mode=0o700, exist_ok=True)
    return shutil.disk_usage(folder()).free < FREE_BYTES


def nameless() -> IO[bytes]:
    """A file that no name leads to: it is gone when it is closed, also by kill -9."""
    folder().mkdir(mode=0o700, exist_ok=True)
    return tempfile.TemporaryFile(dir=folder())


@contextmanager
def written(key: str, parts: Sequence[str]) -> Iterator[list[int]]:
    """Open files to write a key's parts to; they get their names together when all went well, and none otherwise."""
    home = path(key, parts[0]).parent
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = [path(key, part).with_suffix(_UNTIL_MOVED) for part in parts]
    files = [os.open(each, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600) for each in beside]
    try:
        yield files
        for file in files:
            os.fsync(file)
        for each in beside:
            each.rename(each.with_suffix(""))
        _sync(home)
    except BaseException:
        for each in beside:
            each.unlink(missing_ok=True)
        raise
    finally:
        for file in files:
            os.close(file)


def size(key: str) -> int:
    return sum(file.stat().st_size for file in (path(key, part) for part in PARTS) if file.exists())


def remove(key: str) -> None:
    """All parts, and what a dead process left beside them."""
    for part in PARTS:
        path(key, part).unlink(missing_ok=True)
        path(key, part).with_suffix(_UNTIL_MOVED).unlink(missing_ok=True)


def keys(first: int, step: int) -> set[str]:
    """The keys of all files in every so manieth of the 256 folders."""
    found: set[str] = set()
    for number in range(first % step, 256, step):
        home = folder() / f"{number:02x}"
        if home.is_dir():
            found |= {name[:32] for name in os.listdir(home)}
    return found


def _sync(home: Path) -> None:
    opened = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(opened)
    os.close(opened)
