"""Programs' keys to the API: shown once, kept as a hash, good for some of it."""

import hashlib
import re
import secrets

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot import clock
from bot.errors import NotFound, Refused
from models import Account, ApiToken

ALL = "all"
PREFIX = "lby_"  # lets secret scanners find one that was published by mistake
NOUNS = ("accounts", "rules", "menus", "followers", "messages", "conversations", "sends", "tasks", "operators")
SCOPES = (ALL, *(f"{noun}:{act}" for noun in NOUNS for act in ("read", "write")), "health:read")


def create(session: Session, *, account: Account | None, name: str, scopes: list[str]) -> str:
    """Make a key for one account, or for all (None), and return it; it cannot be shown again.

    Raises:
        Refused: an unknown scope, or none.
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
    plain = PREFIX + secrets.token_urlsafe(32)
    session.add(
        ApiToken(account_id=account.id if account else None, name=name.strip(), digest=_digest(plain), scopes=scopes)
    )
    session.flush()
    return plain


def find(session: Session, plain: str) -> ApiToken | None:
    """The key's row, unless it was revoked.  Looked up by its hash, whose timing tells nothing of the key."""
    if not re.fullmatch(r"lby_[\w-]{43}", plain, re.ASCII):
        return None
    return session.scalar(select(ApiToken).where(ApiToken.digest == _digest(plain), ApiToken.revoked_at.is_(None)))


def allows(token: ApiToken, scope: str) -> bool:
    return ALL in token.scopes or scope in token.scopes


def list_all(session: Session, account: Account | None = None) -> list[ApiToken]:
    """Newest first, revoked ones too; of one account, or all."""
    query = select(ApiToken).order_by(ApiToken.id.desc())
    return list(session.scalars(query.where(ApiToken.account_id == account.id) if account else query))


def revoke(session: Session, token_id: int) -> None:
    """From the next request on the key opens nothing; a second time changes nothing."""
    if session.get(ApiToken, token_id) is None:
        raise NotFound("There is no such token.")
    session.execute(
        update(ApiToken)
        .where(ApiToken.id == token_id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=clock.now())
        .execution_options(synchronize_session=False)
    )


def _digest(plain: str) -> str:
    return hashlib.sha256(plain.encode()).hexdigest()  # 256 random bits: no slow hash needed
