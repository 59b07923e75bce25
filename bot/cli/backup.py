"""``lobby backup`` and ``lobby restore``: the SQLite database as one file, taken while Lobby runs."""

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import click

from bot.cli.base import Sentence, command, prepared
from bot.settings import Settings
from bot.supervisor.running import Claim

FILE = click.Path(dir_okay=False, path_type=Path)
BESIDE = ("", "-wal", "-shm")  # the files that make up a SQLite database


@command("backup")
@click.argument("file", type=FILE)
def backup(file: Path) -> None:
    """Copy the database into FILE, as it is at one moment; Lobby may go on running."""
    source = _database(prepared(), "use pg_dump to back it up.")
    if not source.exists():
        raise Sentence(f"There is no database at {source} yet.")
    if file.exists():
        raise Sentence(f"{file} exists already; choose another name.")
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL, 0o600))  # it holds what followers wrote
        with closing(sqlite3.connect(source, timeout=10)) as database:
            # Unlike SQLite's backup API this does not begin anew whenever somebody writes.
            database.execute("VACUUM INTO ?", (str(draft),))
        draft.rename(file)
    except (OSError, sqlite3.Error) as error:
        raise Sentence(f"{file} cannot be written: {error}.") from None
    finally:
        draft.unlink(missing_ok=True)
    click.echo(f"The database is in {file}.")
    click.echo(
        f"Keep {source.parent / 'secret.key'} (or LOBBY_SECRET_KEY) too, in another place: "
        "without it the accounts' secrets in the backup cannot be read, with it anybody can."
    )


@command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore(file: Path, yes: bool) -> None:
    """Put the database in FILE in the place of the present one, which is kept beside it.

    Lobby must be stopped, all of its processes.
    """
    known = prepared()
    target = _database(known, "use pg_restore to restore it.")
    _check(file)
    with Claim(known.data_dir):
        if not yes:
            click.confirm(f"Replace {target}?", abort=True, default=False)
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL, 0o600))
        try:
            with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
                database.execute("VACUUM INTO ?", (str(draft),))
            kept = _put_aside(target)
            draft.rename(target)
        finally:
            draft.unlink(missing_ok=True)
        from bot import migrations

        migrations.upgrade(known)
    click.echo(f"Restored.{f' What was there is now {kept}.' if kept else ''}")
    click.echo("The secret key must be the one of the backup; `lobby doctor` tells.")


def _database(known: Settings, otherwise: str) -> Path:
    if not known.database_url.startswith("sqlite:///"):
        raise Sentence(f"The database is PostgreSQL: {otherwise}")
    return Path(known.database_url.removeprefix("sqlite:///"))


def _check(file: Path) -> None:
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            sound = database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            database.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error:
        raise Sentence(f"{file} is no backup of Lobby's.") from None
    if not sound:
        raise Sentence(f"{file} is damaged; use another backup.")


def _put_aside(target: Path) -> Path | None:
    if not target.exists():
        return None
    kept = target.with_name(f"{target.name}.before-{datetime.now(UTC):%Y%m%d-%H%M%S}")
    for end in BESIDE:  # what is in -wal belongs to it
        part = Path(f"{target}{end}")
        if part.exists():
            part.rename(f"{kept}{end}")
    return kept
