"""Sessions: one short transaction for each unit of work, on SQLite or PostgreSQL.

SQLite: WAL; writers take a file lock before BEGIN IMMEDIATE (its own busy handler is unfair: p99 0.9 s against 30 ms),
readers have an engine of their own.  See docs/decisions.md.
"""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from hashlib import md5
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from bot import queue
from bot.settings import settings

KEPT = 16  # connections at hand for the webhook; PostgreSQL's pool of 48 serves all others too
POOL_SECONDS = 4  # for a connection of 48 that all are taken: WeChat gives up after 5


class Database:
    """The engines of one database."""

    def __init__(self, url: str) -> None:
        is_sqlite = url.startswith("sqlite")
        if is_sqlite:
            self.write = _sqlite(url, "FULL", _Writer)
            self.inbound = _sqlite(url, "NORMAL", _Writer)  # process death loses nothing; see decisions
            self.read = _sqlite(url, "NORMAL", _Reader)
        else:
            # A repeat waits for the first attempt's row; WeChat gives up after 5 s.
            options = "-c lock_timeout=4500 -c timezone=UTC -c jit=off"
            self.write = self.inbound = create_engine(
                url,
                pool_size=16,
                max_overflow=32,
                pool_timeout=POOL_SECONDS,
                pool_pre_ping=False,
                hide_parameters=True,
                connect_args={"options": options},
            )
            self.read = self.write.execution_options(postgresql_readonly=True)

        self._kept: list[Connection] = []
        # SQLite's writers go one by one anyway; threads that queue here do not fight for the interpreter meanwhile.
        self.callback_turn: AbstractContextManager[object] = threading.Lock() if is_sqlite else nullcontext()

    @contextmanager
    def kept_connection(self) -> Iterator[Connection]:
        """One of those kept for ``inbound``: KEPT at most, not one for each of a hundred threads."""
        try:
            connection = self._kept.pop()
        except IndexError:
            connection = self.inbound.connect()
        try:
            yield connection
        finally:
            if len(self._kept) < KEPT:
                self._kept.append(connection)
            else:
                connection.close()

    def dispose(self) -> None:
        while self._kept:
            self._kept.pop().close()
        for engine in (self.write, self.inbound, self.read):
            engine.dispose()


_database: Database | None = None


def use(database: Database | None) -> None:
    """Make this the process's database; None: the one in the settings, when it is next needed."""
    global _database
    _database = database


def forget() -> None:
    """Close all connections, and read the settings again when one is next needed."""
    if _database is not None:
        _database.dispose()
    use(None)


def database() -> Database:
    global _database
    if _database is None:
        _database = Database(settings().database_url)
    return _database


@contextmanager
def transaction() -> Iterator[Session]:
    """A session that commits at the end or not at all; hints for the workers leave after the commit."""
    with Session(database().write, expire_on_commit=False) as session:
        with session.begin():
            yield session
        queue.send(queue.taken_from(session))


@contextmanager
def quick_transaction() -> Iterator[Session]:
    """The same for a hundred threads, of which most wait: in the process's turn, and without waiting for SQLite's disk.

    As with the webhook's own the death of a process loses nothing.
    """
    with Session(database().inbound, expire_on_commit=False) as session:
        with database().callback_turn, session.begin():
            yield session
        queue.send(queue.taken_from(session))


@contextmanager
def reading() -> Iterator[Session]:
    """A session for looking only."""
    yield from _looking(database().read)


def _looking(engine: Engine) -> Iterator[Session]:
    with Session(engine, expire_on_commit=False) as session:
        yield session
        session.expunge_all()  # nothing of it is to be written
        session.commit()  # psycopg forgets all prepared statements at a rollback: plans cost more than what they find


@contextmanager
def snapshot() -> Iterator[Session]:
    """For looking at several tables as they were at one moment, that of the first statement.

    SQLite's readers have that anyway.
    """
    engine = database().read
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    yield from _looking(engine)


@contextmanager
def inbound() -> Iterator[Connection]:
    """The webhook's transaction: a bare connection, kept from the last one.

    An ORM session costs more than the rest of a message; taking a connection from the pool a tenth of it.
    """
    with database().kept_connection() as connection:
        try:
            with connection.begin():
                yield connection
        except connection.dialect.loaded_dbapi.OperationalError as error:
            # models.prepared runs past SQLAlchemy: what the driver raises gets its name here.
            raise OperationalError(None, None, error) from error


def bucket(salt: str, name: str) -> int:
    """One of 10,000, the same for the same two on any database: experiments deal followers out by it."""
    return int(md5(f"{salt}:{name}".encode(), usedforsecurity=False).hexdigest()[:7], 16) % 10_000


class _Reader(sqlite3.Connection):
    """SQLite as we use it; SQLAlchemy asks it to begin, and commits or rolls back."""

    def __init__(self, path: str, *args: Any, **options: Any) -> None:
        super().__init__(path, *args, **options)
        self.isolation_level = None  # we say BEGIN ourselves
        for pragma in ("journal_mode=WAL", "foreign_keys=ON", "busy_timeout=10000"):
            self.execute(f"PRAGMA {pragma}")

    def begin(self) -> None:
        self.execute("BEGIN")


class _Writer(_Reader):
    """Waits at a file lock before it begins, and lets the next one in once its transaction has ended."""

    def __init__(self, path: str, *args: Any, **options: Any) -> None:
        super().__init__(path, *args, **options)
        self._gate = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def begin(self) -> None:
        fcntl.flock(self._gate, fcntl.LOCK_EX)
        try:
            self.execute("BEGIN IMMEDIATE")
        except BaseException:
            fcntl.flock(self._gate, fcntl.LOCK_UN)
            raise

    def commit(self) -> None:
        super().commit()  # when it fails, a rollback follows
        fcntl.flock(self._gate, fcntl.LOCK_UN)

    def rollback(self) -> None:
        super().rollback()
        fcntl.flock(self._gate, fcntl.LOCK_UN)

    def close(self) -> None:
        super().close()
        if self._gate >= 0:
            os.close(self._gate)
            self._gate = -1


def _sqlite(url: str, synchronous: str, kind: type[_Reader]) -> Engine:
    engine = create_engine(
        url,
        pool_size=16,
        max_overflow=32,
        pool_timeout=POOL_SECONDS,
        hide_parameters=True,  # errors go to the log and, with a failed job, to Redis: what people wrote does not
        connect_args={"timeout": 10, "factory": kind},
    )

    @event.listens_for(engine, "connect")
    def connected(connection: _Reader, entry: ConnectionPoolEntry) -> None:
        connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.execute(f"PRAGMA query_only={int(kind is _Reader)}")
        connection.create_function("lobby_bucket", 2, bucket, deterministic=True)
        # 16 MB of log between checkpoints instead of 4: a page that many messages touch is copied back less often.
        connection.execute("PRAGMA wal_autocheckpoint=4000")

    @event.listens_for(engine, "begin")
    def began(connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        try:
            driver.begin()
        except sqlite3.OperationalError as error:  # past SQLAlchemy, so it gets its name here
            raise OperationalError("BEGIN", None, error) from error

    return engine
