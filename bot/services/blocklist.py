"""The blocklist, kept with WeChat: nothing comes from whoever is on it, and nothing goes to them."""

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot import clock
from bot.errors import Refused
from bot.services import abilities, conversations, follower_events, sends, tag_pushes, tags
from models import Account, Follower, PushAction


def page(session: Session, account: Account, *, before: int | None = None, limit: int = 50) -> list[Follower]:
    """Newest followers first; ``before`` is the last id of the page before."""
    query = select(Follower).where(Follower.account_id == account.id, Follower.blocked_at.is_not(None))
    if before is not None:
        query = query.where(Follower.id < before)
    return list(session.scalars(query.order_by(Follower.id.desc()).limit(limit)))


def block(session: Session, account: Account, follower_ids: Sequence[int], who: str) -> int:
    """Block some followers; how many were not.  What waited to be sent to them is not sent.

    Raises:
        NotFound: one of them is not this account's; nobody is changed.
        Refused: the account has no blocklist.
    """
    _must_be_allowed(account)
    found = _set(session, account, follower_ids, True)
    sends.cancel(session, found, sends.BLOCKED)
    for follower_id in found:
        conversations.close(session, follower_id, "blocked", clock.now())
    _tell(session, account, PushAction.BLOCK, found, who)
    return len(found)


def unblock(session: Session, account: Account, follower_ids: Sequence[int], who: str) -> int:
    """Let some followers write again; how many were blocked.

    Raises:
        NotFound: one of them is not this account's; nobody is changed.
        Refused: the account has no blocklist.
    """
    _must_be_allowed(account)
    found = _set(session, account, follower_ids, False)
    _tell(session, account, PushAction.UNBLOCK, found, who)
    return len(found)


def _set(session: Session, account: Account, follower_ids: Sequence[int], on: bool) -> list[int]:
    ids = tags.checked(session, account, follower_ids)
    changed = session.scalars(
        update(Follower)
        .where(Follower.id.in_(ids), Follower.blocked_at.is_(None) if on else Follower.blocked_at.is_not(None))
        .values(blocked_at=clock.now() if on else None)
        .returning(Follower.id)
    ).all()
    return sorted(changed)


def _tell(session: Session, account: Account, action: PushAction, follower_ids: Sequence[int], who: str) -> None:
    tag_pushes.note(session, account.id, action, follower_ids)
    kind = follower_events.BLOCKED if action is PushAction.BLOCK else follower_events.UNBLOCKED
    follower_events.note_all(session, account.id, follower_ids, kind, {}, who)


def _must_be_allowed(account: Account) -> None:
    if not abilities.may(account, "followers"):
        raise Refused("WeChat lets only verified accounts keep a blocklist.")
