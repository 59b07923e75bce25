"""The simulator's own memory: one SQLite file that survives a kill, shared by all its threads."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.simulator.sending_tables import SENDING_TABLES

TABLES = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS serials (name TEXT PRIMARY KEY, value INTEGER NOT NULL);

CREATE TABLE IF NOT EXISTS accounts (
    account TEXT PRIMARY KEY, appid TEXT NOT NULL UNIQUE, original_id TEXT NOT NULL UNIQUE, data TEXT NOT NULL);

CREATE TABLE IF NOT EXISTS tokens (
    token TEXT PRIMARY KEY, account TEXT NOT NULL, flow TEXT NOT NULL,  -- flow: classic or stable
    issued_at REAL NOT NULL, expires_at REAL NOT NULL,
    dies_at REAL);  -- superseded: works until then
CREATE INDEX IF NOT EXISTS tokens_by_account ON tokens (account, flow, issued_at);
CREATE TABLE IF NOT EXISTS forced_refreshes (account TEXT NOT NULL, at REAL NOT NULL);

CREATE TABLE IF NOT EXISTS calls (
    account TEXT NOT NULL, day INTEGER NOT NULL, path TEXT NOT NULL,
    total INTEGER NOT NULL, used INTEGER NOT NULL,  -- used: towards the day's quota, clear_quota empties it
    PRIMARY KEY (account, day, path));

CREATE TABLE IF NOT EXISTS faults (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL, account TEXT, times INTEGER NOT NULL, data TEXT NOT NULL);

CREATE TABLE IF NOT EXISTS followers (
    account TEXT NOT NULL, openid TEXT NOT NULL, name TEXT NOT NULL, bulk INTEGER NOT NULL DEFAULT 0,
    following INTEGER NOT NULL, follow_seq INTEGER NOT NULL, subscribed_at INTEGER NOT NULL,
    scene TEXT NOT NULL DEFAULT 'ADD_SCENE_SEARCH', qr_scene INTEGER NOT NULL DEFAULT 0,
    qr_scene_str TEXT NOT NULL DEFAULT '', remark TEXT NOT NULL DEFAULT '',
    blacklisted INTEGER NOT NULL DEFAULT 0, refuses_messages INTEGER NOT NULL DEFAULT 0,
    interacted_at REAL NOT NULL DEFAULT 0, typing_until REAL NOT NULL DEFAULT 0,
    PRIMARY KEY (account, openid));
CREATE UNIQUE INDEX IF NOT EXISTS followers_by_name ON followers (account, name) WHERE bulk = 0;
CREATE INDEX IF NOT EXISTS followers_in_order ON followers (account, following, follow_seq);

CREATE TABLE IF NOT EXISTS tags (
    account TEXT NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (account, id));
CREATE TABLE IF NOT EXISTS tagged (
    id INTEGER PRIMARY KEY, account TEXT NOT NULL, tag_id INTEGER NOT NULL, openid TEXT NOT NULL,
    UNIQUE (account, openid, tag_id));
CREATE INDEX IF NOT EXISTS tagged_by_tag ON tagged (account, tag_id, id);

CREATE TABLE IF NOT EXISTS windows (
    account TEXT NOT NULL, openid TEXT NOT NULL, opened_by TEXT NOT NULL,
    remaining INTEGER NOT NULL, expires_at REAL NOT NULL, PRIMARY KEY (account, openid, opened_by));

CREATE TABLE IF NOT EXISTS chat (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, openid TEXT NOT NULL,
    kind TEXT NOT NULL,  -- mine: what the follower did; else what the phone received
    type TEXT NOT NULL, at REAL NOT NULL, data TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS chat_by_phone ON chat (account, openid, id);

CREATE TABLE IF NOT EXISTS menus (
    menuid INTEGER PRIMARY KEY, account TEXT NOT NULL, buttons TEXT NOT NULL,
    rule TEXT);  -- NULL: the default menu
CREATE TABLE IF NOT EXISTS media (
    media_id TEXT PRIMARY KEY, account TEXT NOT NULL, type TEXT NOT NULL, filename TEXT NOT NULL,
    content_type TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at REAL);
CREATE TABLE IF NOT EXISTS qrcodes (
    ticket TEXT PRIMARY KEY, account TEXT NOT NULL, scene TEXT NOT NULL, is_number INTEGER NOT NULL,
    url TEXT NOT NULL, created_at REAL NOT NULL, expires_at REAL);  -- NULL: permanent
CREATE TABLE IF NOT EXISTS web_codes (
    code TEXT PRIMARY KEY, account TEXT NOT NULL, openid TEXT NOT NULL, scope TEXT NOT NULL,
    snapshot INTEGER NOT NULL, expires_at REAL NOT NULL, used INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS web_tokens (
    token TEXT PRIMARY KEY, account TEXT NOT NULL, openid TEXT NOT NULL, scope TEXT NOT NULL, expires_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS qrcodes_by_account ON qrcodes (account, created_at);
"""


class Store:
    """Connections to the file, borrowed for one transaction each; writers take turns."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[sqlite3.Connection] = []
        self._writing = threading.Lock()
        with self._borrowed() as db:
            db.executescript(TABLES + SENDING_TABLES)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A consistent view; what is written meanwhile stays unseen."""
        with self._borrowed() as db:
            db.execute("BEGIN")
            try:
                yield db
            finally:
                db.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, one writer at a time: what it reads stays true until it commits.  Never nest it."""
        with self._writing, self._borrowed() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    @contextmanager
    def _borrowed(self) -> Iterator[sqlite3.Connection]:
        try:
            db = self._idle.pop()  # list.pop and append are atomic
        except IndexError:
            db = self._connect()
        try:
            yield db
        finally:
            self._idle.append(db)

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, timeout=10, isolation_level=None, check_same_thread=False)
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA journal_mode=WAL")
        # The process may die at any time without loss; only a power cut could cost the last moments.
        db.execute("PRAGMA synchronous=NORMAL")
        # A million followers and their receipts are some 200 MB: room to sort in, and to read them where they lie.
        db.execute("PRAGMA cache_size=-16384")  # KB
        db.execute("PRAGMA temp_store=MEMORY")
        db.execute("PRAGMA mmap_size=268435456")
        return db


def next_serial(db: sqlite3.Connection, name: str, start: int = 1, step: int = 1) -> int:
    """The next number of a series that never repeats; take it while writing."""
    row = db.execute(
        "INSERT INTO serials VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + ? RETURNING value",
        (name, start, step),
    ).fetchone()
    return int(row[0])
