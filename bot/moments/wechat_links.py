"""Who a member is in WeChat: for signing in, and for nothing else.

Only the member is shown their links.  No page or endpoint of an account asks this table, so its operators do not learn
which of their followers is here, nor as whom.
"""

import secrets

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.errors import Conflict, Refused
from bot.moments import members
from models import Account, Member, WechatLink


def find(session: Session, account_id: int, openid: str) -> Member | None:
    linked = select(WechatLink.member_id).where(WechatLink.account_id == account_id, WechatLink.openid == openid)
    return session.scalar(select(Member).where(Member.id.in_(linked)))


def enter(session: Session, account_id: int, openid: str, nickname: str) -> tuple[Member, bool]:
    """The member who is this person in WeChat, and whether they were made just now."""
    known = find(session, account_id, openid)
    if known is not None:
        return known, False
    try:
        with session.begin_nested():
            handle = f"wx-{secrets.token_hex(6)}"
            member = members.add(session, handle, _name(nickname) or handle)
            session.add(WechatLink(member_id=member.id, account_id=account_id, openid=openid))
            session.flush()
    except IntegrityError:  # another tab of theirs was first
        known = find(session, account_id, openid)
        if known is None:
            raise
        return known, False
    return member, True


def link(session: Session, member: Member, account_id: int, openid: str) -> None:
    """Let the member sign in as this person of WeChat too; the one of this account before is theirs no longer.

    Raises:
        Conflict: another member is this person.
    """
    known = find(session, account_id, openid)
    if known is not None and known.id != member.id:
        raise Conflict("This WeChat belongs to another member: sign in with it and unlink it there first.")
    members.lock(session, member.id)  # two links at once take turns
    session.execute(delete(WechatLink).where(WechatLink.member_id == member.id, WechatLink.account_id == account_id))
    session.add(WechatLink(member_id=member.id, account_id=account_id, openid=openid))
    session.flush()


def unlink(session: Session, member: Member, link_id: int) -> None:
    """
    Raises:
        Refused: it is the only way in that they have.
    """
    members.lock(session, member.id)
    theirs = WechatLink.member_id == member.id
    if not member.password_hash and session.scalar(select(func.count()).where(theirs)) == 1:
        raise Refused("Choose a password first: without one, and without WeChat, you could not come in any more.")
    session.execute(delete(WechatLink).where(theirs, WechatLink.id == link_id))


def of(session: Session, member: Member) -> list[tuple[WechatLink, Account]]:
    """A member's links, each with its account."""
    query = select(WechatLink, Account).join(Account, Account.id == WechatLink.account_id)
    rows = session.execute(query.where(WechatLink.member_id == member.id).order_by(WechatLink.id))
    return [(row[0], row[1]) for row in rows]


def _name(nickname: str) -> str:
    return "".join(letter for letter in nickname if letter.isprintable()).strip()[:32].strip()
