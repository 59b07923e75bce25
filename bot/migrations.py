"""Brings the database to the shape that this version of the code expects."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import models
from bot.errors import Refused
from bot.settings import Settings


def upgrade(settings: Settings) -> None:
    """Run what has not run yet.  Several processes may call it at once: one works, the others wait for it.

    Raises:
        Refused: the database belongs to a newer version.
    """
    from alembic import command  # heavy, and only this needs it
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    # By the package's place, not by pyproject.toml: an installed Lobby has no such file.
    config.set_main_option("script_location", str(Path(models.__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["url"] = settings.database_url
    # PostgreSQL is serialised inside (models/migrations/env.py).
    with _alone(settings.database_url) if settings.database_url.startswith("sqlite") else nullcontext():
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            if "locate revision" not in str(error):
                raise
            raise Refused(
                "The database was used by a newer version of Lobby; start that one, or restore an older backup."
            ) from None


@contextmanager
def _alone(url: str) -> Iterator[None]:
    """Take the file lock that SQLite's writers take (bot.database): nobody writes while tables change."""
    path = url.removeprefix("sqlite:///")
    with open(f"{path}.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
