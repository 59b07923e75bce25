"""Hints for the workers.  A hint says "look at this row"; the row is the fact, and the clock hints again."""

from functools import lru_cache
from typing import NamedTuple

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from sqlalchemy.orm import Session

from bot.settings import Settings, settings

QUEUES = ("replies", "broadcasts", "work", "assistant")  # one worker process each


class Hint(NamedTuple):
    """Look at this row."""

    job: str  # "sends.deliver": a function of bot.jobs
    row_id: int
    queue: str


log = structlog.get_logger()


def redis_url(settings: Settings) -> str:
    from bot.redis_server import socket_path

    return settings.redis_url or f"unix://{socket_path(settings.data_dir)}?db=0"


@lru_cache
def connection() -> Redis:
    # No retries: a repeated enqueue puts the job in twice, a lost one is hinted again (reliability 2.2).
    never = Retry(NoBackoff(), 0)
    return Redis.from_url(redis_url(settings()), socket_timeout=2, socket_connect_timeout=2, retry=never)


def queue(name: str) -> Queue:
    return Queue(name, connection=connection(), serializer="json")


def enqueue(session: Session, job: str, row_id: int, queue: str = "work") -> None:
    """Hint, after this session's commit, that ``bot.jobs.<job>`` should look at a row."""
    session.info.setdefault("hints", []).append(Hint(job, row_id, queue))


def taken_from(session: Session | None) -> list[Hint]:
    """What ``enqueue`` gathered in a session; the door sends it once its transaction is committed."""
    return session.info.pop("hints", []) if session is not None else []


def send(hints: list[Hint]) -> None:
    """Put hints into Redis; without Redis the clock's sweep does it later."""
    try:
        for hint in hints:
            queue(hint.queue).enqueue(
                f"bot.jobs.{hint.job}",
                hint.row_id,
                job_timeout=90,
                result_ttl=0,
                failure_ttl=86_400,
                description=hint.job,
            )
    except RedisError as error:
        log.warning("hints.lost", count=len(hints), error=type(error).__name__)
