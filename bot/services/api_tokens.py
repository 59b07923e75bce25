"""Programs' keys to the API: shown once, kept as a hash, good for some of it."""

import hashlib
import re
import secrets

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import clock
from bot.errors import Forbidden, NotFound, Refused
from bot.services import access
from bot.services.access import Access
from models import Account, ApiToken

ALL = "all"
PREFIX = "lby_"  # lets secret scanners find one that was published by mistake
SCOPES = (ALL, *access.EVERYTHING_IN_ORDER)


def create(session: Session, *, account: Account | None, name: str, scopes: list[str], by: Access | None = None) -> str:
    """Make a key for one account, or for all (None), and return it; it cannot be shown again.

    ``by``: who makes it, for the rule that no key opens more than its maker may; None: whoever owns the server.

    Raises:
        Refused: an unknown scope, or none.
        Forbidden: a scope that whoever makes it does not have.
    """
    scopes = list(dict.fromkeys(scopes))
    for scope in scopes:
        if scope not in SCOPES:
            choices = ", ".join(SCOPES)
            raise Refused("“{scope}” is not one of {choices}.", field="scopes", scope=scope[:64], choices=choices)
    if not scopes:
        raise Refused("Say what the token may do, for example “rules:read”, or “all”.", field="scopes")
    if len(name) > 64:
        raise Refused("Give the token a name of at most 64 characters.", field="name")
    place = account.id if account else None
    if by is not None and not _opened(scopes) <= by.at(place):
        raise Forbidden("A token cannot open more than you may.", field="scopes")
    plain = PREFIX + secrets.token_urlsafe(32)
    session.add(ApiToken(account_id=place, name=name.strip(), digest=_digest(plain), scopes=scopes))
    session.flush()
    return plain


def find(session: Session, plain: str) -> ApiToken | None:
    """The key's row, unless it was revoked.  Looked up by its hash, whose timing tells nothing of the key."""
    if not re.fullmatch(r"lby_[\w-]{43}", plain, re.ASCII):
        return None
    return session.scalar(select(ApiToken).where(ApiToken.digest == _digest(plain), ApiToken.revoked_at.is_(None)))


def allows(token: ApiToken, scope: str) -> bool:
    return ALL in token.scopes or scope in token.scopes


def access_of(token: ApiToken) -> Access:
    return Access({token.account_id: _opened(token.scopes)})


def list_all(session: Session, account: Account | None = None) -> list[ApiToken]:
    """Newest first, revoked ones too; of one account, or all."""
    query = select(ApiToken).order_by(ApiToken.id.desc())
    return list(session.scalars(query.where(ApiToken.account_id == account.id) if account else query))


def get(session: Session, token_id: int, account: Account, by: Access) -> ApiToken:
    """One of an account's own; one for all accounts only for those who may make such.

    Raises:
        NotFound: no such key, or another account's.
    """
    token = session.get(ApiToken, token_id)
    if token is not None and token.account_id == account.id:
        return token
    if token is None or token.account_id is not None or "tokens:write" not in by.at(None):
        raise NotFound("There is no such token.")
    return token


def revoke(session: Session, token_id: int) -> None:
    """From the next request on the key opens nothing; a second time changes nothing."""
    token = session.get(ApiToken, token_id)
    if token is None:
        raise NotFound("There is no such token.")
    if token.revoked_at is None:
        token.revoked_at = clock.now()
        session.flush()


def _opened(scopes: list[str]) -> frozenset[str]:
    return access.EVERYTHING if ALL in scopes else frozenset(scopes)


def _digest(plain: str) -> str:
    return hashlib.sha256(plain.encode()).hexdigest()  # 256 random bits: no slow hash needed
