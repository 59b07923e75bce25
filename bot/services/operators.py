"""Operators: who may open the console, how they sign in, and which browsers are signed in."""

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session, joinedload

from bot.errors import Conflict, NotFound, Refused, Unauthenticated
from bot.services import audit, passwords
from models import Operator, SignIn, SignInLink, affected, utc_now

LIFETIME = timedelta(days=30)  # of one browser's sign-in
LINK_MINUTES = 15
SEEN_EVERY = timedelta(minutes=1)
LANGUAGES = ("zh", "en")


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
    password_hash = passwords.hash_new(password) if password else ""
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


def password_fits(operator: Operator | None, password: str) -> bool:
    """Takes 0.1 to 0.2 s, for unknown names too: call it outside a transaction."""
    return passwords.fits(operator.password_hash if operator is not None and operator.is_active else "", password)


def set_password(session: Session, operator: Operator, password: str, *, keep: SignIn | None = None) -> None:
    """Give an operator a new password, or none (""), and end their other sign-ins and unused links."""
    password_hash = passwords.hash_new(password) if password else ""
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


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()  # 256 random bits: no slow hash needed
