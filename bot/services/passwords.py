"""Passwords of operators and members: how they are kept, and how often one may be tried."""

import hashlib
import secrets
import time
from datetime import timedelta
from functools import cache
from threading import BoundedSemaphore

import structlog
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from redis.exceptions import RedisError

from bot import queue
from bot.errors import Refused

# Wrong passwords in 15 minutes after which tries are let through only one by one.
WINDOW = timedelta(minutes=15)
TRIES, TRIES_OF_ADDRESS = 10, 100
ONE_TRY_EVERY = timedelta(seconds=30)

log = structlog.get_logger()

_hasher = PasswordHasher()
_hashing = BoundedSemaphore(2)  # 64 MiB and a core each: a storm of sign-ins must not starve the callback
_tries_here: dict[str, tuple[int, float]] = {}  # without Redis: this process's own count and its end


class TooManyTries(Refused):
    status = 429


def hash_new(password: str) -> str:
    """Takes 0.1 to 0.2 s: call it outside a transaction.

    Raises:
        Refused: too short or too long.
    """
    if not 10 <= len(password) <= 200:
        raise Refused("Use a password of 10 to 200 characters; a short sentence is a good one.", field="password")
    with _hashing:
        return _hasher.hash(password)


def fits(password_hash: str, password: str) -> bool:
    """Takes 0.1 to 0.2 s, also when there is no hash (""): call it outside a transaction."""
    expected = password_hash or _nobodys_hash()
    with _hashing:
        try:
            return _hasher.verify(expected, password[:200]) and password_hash != ""
        except (Argon2Error, InvalidHashError):
            return False


def count_try(name: str, address: str) -> None:
    """Count a try before its password is looked at, so that many at once cannot slip through.

    Raises:
        TooManyTries: this name from this address, or this address, failed too often; known names or not.
    """
    for key, limit in _throttles(name, address):
        wait = _wait(key, limit)
        if wait:
            raise TooManyTries(
                "Too many tries. Wait {seconds} seconds, or use a sign-in link.", field="password", seconds=wait
            )


def forget_tries(name: str, address: str) -> None:
    """The right password: this name starts anew from this address."""
    key, _ = _throttles(name, address)[0]
    _tries_here.pop(key, None)
    try:
        queue.connection().delete(key, f"{key}:next")
    except RedisError as error:
        log.warning("sign_in.uncounted", error=type(error).__name__)


def forget() -> None:
    """Drop the tries that this process counted by itself."""
    _tries_here.clear()


@cache
def _nobodys_hash() -> str:
    """Verified for unknown names, so that they take as long; made when first needed, not in each process's start."""
    return _hasher.hash(secrets.token_hex(16))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()  # 256 random bits: no slow hash needed


def _throttles(name: str, address: str) -> list[tuple[str, int]]:
    who = _digest(f"{name.strip()}\x1f{address}")[:32]
    return [(f"lobby:tries:{who}", TRIES), (f"lobby:tries:{_digest(address)[:32]}", TRIES_OF_ADDRESS)]


def _wait(key: str, limit: int) -> int:
    """Count one try; seconds to wait when it may not be made now."""
    try:
        redis = queue.connection()
        with redis.pipeline() as pipe:
            pipe.set(key, 0, ex=WINDOW, nx=True)
            pipe.incr(key)
            tries = int(pipe.execute()[1])
        if tries <= limit or redis.set(f"{key}:next", 1, ex=ONE_TRY_EVERY, nx=True):
            return 0
        return max(1, int(redis.ttl(f"{key}:next")))
    except RedisError as error:
        log.warning("sign_in.counted_here_only", error=type(error).__name__)
        return _wait_here(key, limit)


def _wait_here(key: str, limit: int) -> int:
    now = time.monotonic()
    if len(_tries_here) > 10_000:
        _tries_here.clear()
    tries, ends = _tries_here.get(key, (0, 0.0))
    if now > ends:
        tries, ends = 0, now + WINDOW.total_seconds()
    _tries_here[key] = (tries + 1, ends)
    return 0 if tries < limit else int(ends - now) + 1
