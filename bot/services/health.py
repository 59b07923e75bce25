"""Is everything in order?  Each check in plain words, with what to do about it.

The checks know no door: the command line prints them, the console shows them, /readyz asks the quick ones only.
"""

import os
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from rq.utils import utcparse
from sqlalchemy import func, select
from sqlalchemy import text as sql
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

import models
from bot import clock, queue
from bot.database import reading
from bot.services import account_health, accounts
from bot.services.checks import Check, State, fail, ok, warn
from bot.settings import Settings, settings
from models import Leadership, Media, MediaState, Member, MemberStatus, Send, SendStatus, Task, TaskStatus

__all__ = ["Check", "State", "essentials", "is_ready", "newest_migrations", "report"]

LEAST_FREE_BYTES, FEW_FREE_BYTES = 100_000_000, 1_000_000_000
OLDEST_REDIS = (6, 2)
LATE_SECONDS = 60  # sweeps come every 15 s: what is due for longer is not looked at
WORKER_SECONDS = 90  # RQ's heartbeat comes at least every 60 s
ERASED_HOURS = 2  # the clock needs at most 65 minutes; a day is what Moments promises


def report(slug: str = "") -> list[Check]:
    """Look at all of the install, and at one account's connection; takes seconds when something does not answer.

    Raises:
        NotFound: there is no such account.
    """
    known = settings()
    checks = [_settings(known), *_data_folder(known.data_dir), *essentials(), *_redis(known)]
    try:
        with reading() as session:
            account = accounts.get(session, slug) if slug else None
            checks += [_clock(session), *_late(session), _erasures(session)]
    except SQLAlchemyError:
        return checks  # the checks of database and tables have told why
    return checks + (account_health.report(account) if account else [])


def essentials() -> list[Check]:
    """Without these no message can be answered."""
    try:
        with reading() as session:
            session.execute(sql("SELECT 1"))
            return [ok("Database", "It answers ({kind}).", kind=session.get_bind().dialect.name), _tables(session)]
    except SQLAlchemyError as error:
        return [
            fail(
                "Database",
                "It does not answer: {why}.",
                "Start it, or correct LOBBY_DATABASE_URL.",
                why=_first_line(getattr(error, "orig", None) or error),
            )
        ]


def is_ready() -> bool:
    return not any(check.is_failure for check in essentials())


@lru_cache
def newest_migrations() -> frozenset[str]:
    """What the database of this version of the code has; read from the files, as alembic is heavy."""
    names, followed = set(), set()
    for path in (Path(models.__file__).parent / "migrations" / "versions").glob("*.py"):
        source = path.read_text(encoding="utf-8")
        names |= set(re.findall(r"^revision\b[^=]*=\s*[\"'](\w+)[\"']", source, re.MULTILINE))
        for parents in re.findall(r"^down_revision\b[^=]*=\s*(.+)$", source, re.MULTILINE):
            followed |= set(re.findall(r"[\"'](\w+)[\"']", parents))
    return frozenset(names - followed)


def _settings(known: Settings) -> Check:
    if known.is_practice:
        return ok("Settings", "Practice: messages go to the simulator at {url}.", url=known.wechat_url)
    if not known.base_url.startswith("https://"):
        return warn(
            "Settings",
            "Links to us begin with {url}, which followers' phones will not open.",
            "Set LOBBY_BASE_URL to the address that the world reaches us at; it begins with https://.",
            url=known.base_url,
        )
    return ok("Settings", "All values can be used.")


def _data_folder(folder: Path) -> Iterator[Check]:
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield fail("Data folder", "We may not write to {folder}.", "Change its owner or rights.", folder=folder)
    elif folder.stat().st_mode & 0o077:
        yield warn(
            "Data folder",
            "Other users of this machine may look into {folder}, which holds the key to all secrets.",
            "Run: chmod 700 {folder}",
            folder=folder,
        )
    else:
        yield ok("Data folder", "Only we may use {folder}.", folder=folder)
    free = shutil.disk_usage(folder).free
    size = f"{free / 1e9:.1f} GB"
    if free < LEAST_FREE_BYTES:
        yield fail("Disk", "Only {size} are free: soon nothing can be saved.", "Make room at once.", size=size)
    elif free < FEW_FREE_BYTES:
        yield warn("Disk", "Only {size} are free.", "Make room, or move LOBBY_DATA_DIR.", size=size)
    else:
        yield ok("Disk", "{size} are free.", size=size)


def _tables(session: Session) -> Check:
    try:
        found = frozenset(session.scalars(sql("SELECT version_num FROM alembic_version")))
    except SQLAlchemyError:
        session.rollback()
        found = frozenset()
    if found == newest_migrations():
        return ok("Tables", "They are of this version.")
    if not found:
        return fail("Tables", "There are none yet.", "Run: lobby migrate")
    return fail("Tables", "They are not of this version.", "Stop the other processes and run: lobby migrate")


def _redis(known: Settings) -> Iterator[Check]:
    client = queue.connection()
    try:
        about = client.info()
    except RedisError as error:
        yield fail(
            "Redis",
            "It does not answer ({why}): answers go out, but messages that we send by ourselves wait.",
            "Start it, or correct LOBBY_REDIS_URL; without one, `lobby up` starts its own.",
            why=type(error).__name__,
        )
        return
    yield from _redis_itself(client, about, known.redis_url)
    yield from _workers(client)


def _redis_itself(client: Redis, about: dict[str, Any], url: str) -> Iterator[Check]:
    version = str(about.get("valkey_version") or about.get("redis_version") or "0")
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_REDIS:
        yield warn("Redis", "Version {version} is old.", "Use Redis 6.2 or Valkey 7.2 or newer.", version=version)
    else:
        kind = "Valkey" if about.get("valkey_version") else "Redis"
        yield ok("Redis", "{kind} {version} answers.", kind=kind, version=version)
    if not about.get("aof_enabled"):
        yield warn(
            "Redis files",
            "It keeps no append-only file: a restart forgets hints, and work goes on up to 30 seconds later.",
            "Set appendonly yes, if that delay matters.",
        )
    if about.get("maxmemory") and about.get("maxmemory_policy") != "noeviction":
        yield warn(
            "Redis memory",
            "When its memory is full it throws away keys ({policy}).",
            "Set maxmemory-policy noeviction.",
            policy=about.get("maxmemory_policy"),
        )
    if url.startswith("redis") and not client.connection_pool.connection_kwargs.get("password"):
        yield warn(
            "Redis password",
            "Whoever reaches its port may use it: there is no password.",
            "Set requirepass, and write redis://:PASSWORD@… into LOBBY_REDIS_URL; or use a unix socket.",
        )


def _workers(client: Redis) -> Iterator[Check]:
    for name in queue.QUEUES:
        keys = client.smembers(f"rq:workers:{name}")
        count = sum(_is_alive(client.hget(key, "last_heartbeat")) for key in keys)
        if count:
            yield ok("Worker {queue}", "{count} at work.", queue=name, count=count)
        else:
            yield fail("Worker {queue}", "Nobody works on this queue.", "Start: lobby worker {queue}", queue=name)


def _is_alive(heartbeat: bytes | str | None) -> bool:
    if heartbeat is None:
        return False
    text = heartbeat.decode() if isinstance(heartbeat, bytes) else heartbeat
    age = datetime.now(UTC) - utcparse(text).replace(tzinfo=UTC)  # RQ knows no clock but the machine's
    return abs(age.total_seconds()) < WORKER_SECONDS


def _clock(session: Session) -> Check:
    until = session.scalar(select(Leadership.until).where(Leadership.name == "clock"))
    if until is not None and until > clock.now():
        return ok("Clock", "It runs.")
    return fail("Clock", "Nobody looks after due work.", "Start: lobby clock")


def _late(session: Session) -> Iterator[Check]:
    now = clock.now()
    late = 0
    for table, ready in ((Send, SendStatus.READY), (Task, TaskStatus.READY)):
        oldest = session.scalar(select(func.min(table.due_at)).where(table.status == ready))
        if oldest is not None:
            late = max(late, int((now - oldest).total_seconds()))
    if late > LATE_SECONDS:
        yield warn(
            "Waiting work",
            "The oldest has been due for {seconds} seconds.",
            "See whether workers and clock run; more workers may be needed.",
            seconds=late,
        )
    else:
        yield ok("Waiting work", "Nothing is late.")


def _erasures(session: Session) -> Check:
    """How late Moments erases what it promised to: neither whose, nor how much."""
    members = select(func.min(Member.erase_at)).where(Member.status == MemberStatus.GONE)
    media = select(func.min(Media.erased_at)).where(Media.state == MediaState.ERASED)
    now = clock.now()
    oldest = min(session.scalar(members) or now, session.scalar(media) or now)
    hours = int((now - oldest).total_seconds() // 3600)
    if hours >= ERASED_HOURS:
        return warn(
            "Erasures",
            "What was deleted in Moments has waited for {hours} hours to be erased; a day is promised.",
            "See whether the clock runs, and look for “clock.failed” in its log.",
            hours=hours,
        )
    return ok("Erasures", "What was deleted in Moments is erased in time.")


def _first_line(error: object) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
