"""The compiled rules that this process answers by, one book an account."""

import time
from threading import Event, Lock, Thread

import structlog
from sqlalchemy import Connection, select

from bot.database import reading
from bot.services import matching
from bot.services.matching import RuleBook
from models import Account, RuleVersion

LARGE = 1_000  # rules; past that compiling takes longer than a message may wait
LOOK_EVERY = 0.3  # seconds

log = structlog.get_logger()
_books: dict[int, RuleBook] = {}
_building = Lock()
_wanted = Event()
_behind: set[int] = set()  # accounts whose small book gives way to a large one
_watcher: list[Thread] = []


def current(connection: Connection, account_id: int, version: int) -> RuleBook:
    """What messages are answered by: this version, but of many rules the one before, for less than a second."""
    known = _books.get(account_id)
    if known is not None and known.version == version:
        return known
    if known is not None and _is_large(connection, account_id, version):
        _behind.add(account_id)
        _watch()
        _wanted.set()
        return known
    return exact(connection, account_id, version)


def exact(connection: Connection, account_id: int, version: int) -> RuleBook:
    """The rules of this version, compiled now where this process has another one."""
    with _building:
        known = _books.get(account_id)
        if known is not None and known.version == version:
            return known
        # Not there: the account has published none.
        content = connection.scalar(
            select(RuleVersion.content).where(RuleVersion.account_id == account_id, RuleVersion.number == version)
        )
        fresh = RuleBook(version, map(matching.compiled, content or []))
        if len(fresh.rules) > LARGE:
            _watch()
        _books[account_id] = fresh
        return fresh


def forget() -> None:
    _books.clear()
    _behind.clear()


def _is_large(connection: Connection, account_id: int, version: int) -> bool:
    summary = connection.scalar(
        select(RuleVersion.summary).where(RuleVersion.account_id == account_id, RuleVersion.number == version)
    )
    return summary is not None and summary["rules"] > LARGE


def _watch() -> None:
    """Have a thread look for new versions of large books, so that no message has to wait for one."""
    if not _watcher or not _watcher[0].is_alive():  # a forked process has the list, not the thread
        thread = Thread(target=_look, name="rule-books", daemon=True)
        _watcher[:] = [thread]
        thread.start()


def _look() -> None:
    while True:
        _wanted.wait(LOOK_EVERY)
        _wanted.clear()
        watched = {account_id for account_id, book in list(_books.items()) if len(book.rules) > LARGE} | _behind
        try:
            if watched:
                _renew(watched)
                _behind.difference_update(watched)
        except Exception:  # the database is away: the books stay as they are until it is back
            log.warning("rule books not renewed", exc_info=True)
            time.sleep(1)


def _renew(account_ids: set[int]) -> None:
    with reading() as session:
        newest = session.execute(select(Account.id, Account.rules_version).where(Account.id.in_(account_ids)))
        for account_id, version in newest.all():
            if (known := _books.get(account_id)) is not None and known.version != version:
                exact(session.connection(), account_id, version)
