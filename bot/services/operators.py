"""Operators: who may open the console, how they sign in, and which browsers are signed in."""

import hashlib
import secrets
import time
from collections.abc import Collection
from datetime import datetime, timedelta
from functools import cache
from threading import BoundedSemaphore

import structlog
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from redis.exceptions import RedisError
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session, joinedload

from bot import queue
from bot.errors import Conflict, NotFound, Refused, Unauthenticated
from bot.services import audit
from models import Operator, SignIn, SignInLink, affected, utc_now

LIFETIME = timedelta(days=30)  # of one browser's sign-in
LINK_MINUTES = 15
SEEN_EVERY = timedelta(minutes=1)
LANGUAGES = ("zh", "en")

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


def create(session: Session, name: str, password: str = "") -> Operator:
    """Add an operator; without a password they sign in by links only.

    Raises:
        Refused: a bad name or password.
        Conflict: the name is taken.
    """
    name = name.strip()
    if not 1 <= len(name) <= 64 or not name.isprintable():
        raise Refused("Give the operator a name of 1 to 64 characters.", field="name")
    # Hashed before the first statement: a transaction begins there, and hashing takes 0.1 to 0.2 s.
    password_hash = hash_password(password) if password else ""
    if find(session, name) is not None:
        raise Conflict("There is an operator “{name}” already; choose another name.", field="name", name=name)
    operator = Operator(name=name, password_hash=password_hash)
    session.add(operator)
    session.flush()
    return operator


def find(session: Session, name: str) -> Operator | None:
    return session.scalar(select(Operator).where(Operator.name == name.strip()))


def get(session: Session, name: str) -> Operator:
    operator = find(session, name)
    if operator is None:
        raise NotFound("There is no operator “{name}”.", name=name)
    return operator


def list_all(session: Session) -> list[Operator]:
    return list(session.scalars(select(Operator).order_by(Operator.id)))


def names(session: Session, ids: Collection[int]) -> dict[int, str]:
    return dict(session.execute(select(Operator.id, Operator.name).where(Operator.id.in_(ids))).all())


def last_seen(session: Session, ids: Collection[int]) -> dict[int, datetime]:
    """When each was last here; those who were never signed in are left out."""
    query = select(SignIn.operator_id, func.max(SignIn.seen_at)).where(SignIn.operator_id.in_(ids))
    return dict(session.execute(query.group_by(SignIn.operator_id)).all())


def hash_password(password: str) -> str:
    """Takes 0.1 to 0.2 s: call it outside a transaction.

    Raises:
        Refused: too short or too long.
    """
    if not 10 <= len(password) <= 200:
        raise Refused("Use a password of 10 to 200 characters; a short sentence is a good one.", field="password")
    with _hashing:
        return _hasher.hash(password)


def set_password(session: Session, operator: Operator, password: str, *, keep: SignIn | None = None) -> None:
    """Give an operator a new password, or none (""), and end their other sign-ins and unused links."""
    password_hash = hash_password(password) if password else ""
    session.execute(update(Operator).where(Operator.id == operator.id).values(password_hash=password_hash))
    session.execute(delete(SignIn).where(SignIn.operator_id == operator.id, SignIn.id != (keep.id if keep else 0)))
    session.execute(delete(SignInLink).where(SignInLink.operator_id == operator.id, SignInLink.used_at.is_(None)))


def set_language(session: Session, operator: Operator, language: str) -> None:
    if language in LANGUAGES:
        session.execute(update(Operator).where(Operator.id == operator.id).values(language=language))


def sign_in_link(session: Session, operator: Operator, minutes: int = LINK_MINUTES) -> str:
    """Make a secret that signs the operator in once; it is kept as a hash and told only here."""
    secret = secrets.token_urlsafe(32)
    now = utc_now()
    session.execute(delete(SignInLink).where(SignInLink.expires_at < now - LIFETIME))
    session.add(
        SignInLink(operator_id=operator.id, digest=_digest(secret), expires_at=now + timedelta(minutes=minutes))
    )
    session.flush()
    return secret


def find_link(session: Session, secret: str) -> Operator | None:
    """Whom a link would sign in; looking does not use it up."""
    return session.scalar(
        select(Operator)
        .join(SignInLink, SignInLink.operator_id == Operator.id)
        .where(
            SignInLink.digest == _digest(secret),
            SignInLink.used_at.is_(None),
            SignInLink.expires_at > utc_now(),
            Operator.is_active,
        )
    )


def redeem_link(session: Session, secret: str, device: str) -> str:
    """Use a link up and return the new cookie's value.

    Raises:
        Unauthenticated: used already, expired, or never made: the three look alike.
    """
    operator = find_link(session, secret)
    used = session.execute(
        update(SignInLink)
        .where(SignInLink.digest == _digest(secret), SignInLink.used_at.is_(None), SignInLink.expires_at > utc_now())
        .values(used_at=utc_now())
        .returning(SignInLink.id)
    ).one_or_none()
    if operator is None or used is None:
        raise Unauthenticated("This sign-in link was used already or has expired. Ask for a new one.")
    return sign_in(session, operator, device)


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


def password_fits(operator: Operator | None, password: str) -> bool:
    """Takes 0.1 to 0.2 s, for unknown names too: call it outside a transaction."""
    known = operator is not None and operator.is_active and operator.password_hash != ""
    expected = operator.password_hash if operator is not None and known else _nobodys_hash()
    with _hashing:
        try:
            return _hasher.verify(expected, password[:200]) and known
        except (Argon2Error, InvalidHashError):
            return False


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


def sign_in(session: Session, operator: Operator, device: str) -> str:
    """Begin a sign-in for someone who has proved who they are; return the new cookie's value."""
    cookie = secrets.token_urlsafe(32)
    now = utc_now()
    session.execute(delete(SignIn).where(SignIn.expires_at < now))
    session.add(SignIn(operator_id=operator.id, digest=_digest(cookie), device=device[:200], expires_at=now + LIFETIME))
    audit.record(session, "operators.sign_in", operator_id=operator.id)
    session.flush()
    return cookie


def find_sign_in(session: Session, cookie: str) -> SignIn | None:
    return session.scalar(
        select(SignIn)
        .join(Operator)
        .where(SignIn.digest == _digest(cookie), SignIn.expires_at > utc_now(), Operator.is_active)
        .options(joinedload(SignIn.operator))
    )


def list_sign_ins(session: Session, operator: Operator) -> list[SignIn]:
    return list(
        session.scalars(
            select(SignIn)
            .where(SignIn.operator_id == operator.id, SignIn.expires_at > utc_now())
            .order_by(SignIn.seen_at.desc())
        )
    )


def is_due(sign_in: SignIn) -> bool:
    """Last noted as seen a while ago."""
    return utc_now() - sign_in.seen_at >= SEEN_EVERY


def touch(session: Session, sign_in: SignIn) -> None:
    session.execute(update(SignIn).where(SignIn.id == sign_in.id).values(seen_at=utc_now()))


def renew(session: Session, sign_in: SignIn) -> str:
    """A new cookie's value in the old one's place, as after a change of role; "": another request was first."""
    cookie = secrets.token_urlsafe(32)
    renewed = session.execute(
        update(SignIn)
        .where(SignIn.id == sign_in.id, SignIn.digest == sign_in.digest)
        .values(digest=_digest(cookie), must_renew=False)
    )
    return cookie if affected(renewed) else ""


def end_all_sign_ins(session: Session, operator: Operator) -> None:
    """Every browser, and every link that was not used yet."""
    session.execute(delete(SignIn).where(SignIn.operator_id == operator.id))
    session.execute(delete(SignInLink).where(SignInLink.operator_id == operator.id, SignInLink.used_at.is_(None)))


def sign_out(session: Session, sign_in: SignIn) -> None:
    session.execute(delete(SignIn).where(SignIn.id == sign_in.id))


def end_sign_in(session: Session, operator: Operator, sign_in_id: int) -> None:
    """End one of the operator's own browsers; another operator's stays."""
    session.execute(delete(SignIn).where(SignIn.id == sign_in_id, SignIn.operator_id == operator.id))


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
