"""Presence: who looks at which conversation, and who writes there.  In Redis: gone with it, and nobody misses it."""

import json
import time
from typing import Any

import structlog
from redis.exceptions import RedisError

from bot import queue

SECONDS = 9  # a page speaks every five; who has been silent longer is gone

log = structlog.get_logger()


def here(account_id: int, operator_id: int, name: str, page: str, conversation_id: int, *, writes: bool) -> None:
    """A page is open and in sight.  ``page`` names the tab; no conversation (0): it is away from all of them."""
    field, now = f"{operator_id}:{page[:40]}", time.time()
    told = {"operator": operator_id, "name": name, "conversation": conversation_id, "writes": writes}
    try:
        redis = queue.connection()
        if conversation_id:
            redis.hset(_key(account_id), field, json.dumps({**told, "until": now + SECONDS}))
            redis.expire(_key(account_id), 2 * SECONDS)
        else:
            redis.hdel(_key(account_id), field)
    except RedisError as error:
        log.info("presence.lost", error=type(error).__name__)


def everybody(account_id: int) -> list[dict[str, Any]]:
    """{"operator", "name", "conversation", "writes"} of each who is there, one of each operator and conversation."""
    try:
        found: dict[Any, Any] = queue.connection().hgetall(_key(account_id))
    except RedisError:
        return []
    there: dict[tuple[int, int], dict[str, Any]] = {}
    now = time.time()
    gone = []
    for field, told in found.items():
        one = json.loads(told)
        if one.pop("until") < now:
            gone.append(field)
            continue
        place = (one["conversation"], one["operator"])
        one["writes"] = one["writes"] or there.get(place, {}).get("writes", False)
        there[place] = one
    if gone:
        _forget(account_id, gone)
    return [there[place] for place in sorted(there)]


def _forget(account_id: int, fields: list[Any]) -> None:
    try:
        queue.connection().hdel(_key(account_id), *fields)
    except RedisError:
        return


def _key(account_id: int) -> str:
    return f"lobby:here:{account_id}"
