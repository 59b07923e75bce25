"""Migrating, backing up and restoring."""

import json
import sqlite3
import stat
import subprocess
from pathlib import Path

import pytest

from bot import migrations, settings
from bot.services import health
from bot.supervisor.running import Claim
from tests.cli.conftest import Lobby
from tests.processes import at_once
from tests.stack import LOBBY


def test_an_empty_database_gets_its_tables_once(lobby: Lobby) -> None:
    assert lobby("migrate", "--check").exit_code == 1
    assert lobby("migrate").stdout == "The tables are now of this version.\n"
    assert lobby("migrate").stdout == "The tables were of this version already.\n"
    assert lobby("migrate", "--check").exit_code == 0


def test_several_may_migrate_at_once() -> None:
    at_once(4, _migrate)

    assert health.is_ready()


def _migrate(_number: int) -> None:
    migrations.upgrade(settings.settings())


def test_a_database_of_a_newer_version_is_left_alone(lobby: Lobby, tmp_path: Path) -> None:
    lobby("migrate")
    with sqlite3.connect(tmp_path / "data" / "lobby.db") as database:
        database.execute("UPDATE alembic_version SET version_num = 'f00dfeed'")

    done = lobby("migrate")

    assert done.exit_code == 2
    assert done.stderr.startswith("The database was used by a newer version of Lobby")


def test_a_backup_taken_under_load_can_be_restored(lobby: Lobby, tmp_path: Path) -> None:
    lobby("migrate")
    lobby("account", "add", "shop")
    writer = subprocess.Popen(["bash", "-c", f"for n in $(seq 20); do {LOBBY} account add busy$n || exit 1; done"])
    try:
        done = lobby("backup", str(tmp_path / "backup.db"))
    finally:
        writer.terminate()
        writer.wait()
    assert done.exit_code == 0, done.stderr
    assert "secret.key" in done.stdout
    assert stat.S_IMODE((tmp_path / "backup.db").stat().st_mode) == 0o600

    lobby("account", "add", "later")
    restored = lobby("restore", str(tmp_path / "backup.db"), "--yes")

    assert restored.exit_code == 0, restored.stderr
    known = {each["slug"] for each in json.loads(lobby("account", "list", "--json").stdout)}
    assert "shop" in known
    assert "later" not in known
    assert list((tmp_path / "data").glob("lobby.db.before-*"))


def test_a_backup_does_not_overwrite(lobby: Lobby, tmp_path: Path) -> None:
    lobby("migrate")
    (tmp_path / "backup.db").write_text("precious")

    done = lobby("backup", str(tmp_path / "backup.db"))

    assert (done.exit_code, done.stderr) == (2, f"{tmp_path / 'backup.db'} exists already; choose another name.\n")


@pytest.mark.parametrize("content", [b"", b"no database at all", b"SQLite format 3\0" + b"x" * 4000])
def test_what_is_no_backup_is_refused_and_nothing_changes(lobby: Lobby, tmp_path: Path, content: bytes) -> None:
    lobby("migrate")
    lobby("account", "add", "shop")
    (tmp_path / "odd.db").write_bytes(content)

    done = lobby("restore", str(tmp_path / "odd.db"), "--yes")

    assert (done.exit_code, done.stderr) == (2, f"{tmp_path / 'odd.db'} is no backup of Lobby's.\n")
    assert len(json.loads(lobby("account", "list", "--json").stdout)) == 1


def test_nothing_is_restored_under_a_running_stack(lobby: Lobby, tmp_path: Path) -> None:
    lobby("migrate")
    lobby("backup", str(tmp_path / "backup.db"))
    with Claim(tmp_path / "data"):
        done = lobby("restore", str(tmp_path / "backup.db"), "--yes")

    assert done.exit_code == 2
    assert done.stderr.startswith("Lobby is already running in ")


def test_postgresql_has_tools_of_its_own(lobby: Lobby, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("LOBBY_DATABASE_URL", "postgresql://lobby@127.0.0.1/lobby")

    done = lobby("backup", str(tmp_path / "backup.db"))

    assert (done.exit_code, done.stderr) == (2, "The database is PostgreSQL: use pg_dump to back it up.\n")


def test_the_openapi_document_is_printed(lobby: Lobby) -> None:
    document = json.loads(lobby("openapi").stdout)

    assert document["openapi"].startswith("3.1")
    assert any(path.endswith("/rules") for path in document["paths"])
