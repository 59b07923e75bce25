"""Followers: finding them, naming them, tagging them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session, selectinload

from bot.errors import NotFound, Refused
from models import Account, Follower, ReplyWindow, Send, SendStatus


def get(session: Session, account: Account, follower_id: int) -> Follower:
    follower = session.scalar(select(Follower).where(Follower.id == follower_id, Follower.account_id == account.id))
    if follower is None:
        raise NotFound("There is no such follower.")
    return follower


def page(
    session: Session, account: Account, *, search: str = "", before: int | None = None, limit: int = 50
) -> list[Follower]:
    """Newest first; ``before`` is the last id of the page before."""
    query = (
        select(Follower)
        .where(Follower.account_id == account.id)
        .options(selectinload(Follower.tags))
        .order_by(Follower.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(Follower.id < before)
    if search := search.strip():
        like = "%" + search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        query = query.where(
            or_(
                Follower.nickname.ilike(like, escape="\\"),
                Follower.remark.ilike(like, escape="\\"),
                Follower.openid == search,
            )
        )
    return list(session.scalars(query))


def count(session: Session, account: Account) -> int:
    """Those who follow now."""
    query = select(func.count()).select_from(Follower)
    return session.scalar(query.where(Follower.account_id == account.id, Follower.is_subscribed)) or 0


def rename(session: Session, follower: Follower, remark: str) -> None:
    if len(remark.strip()) > 30:
        raise Refused("A remark takes 30 characters at most.", field="remark")
    follower.remark = remark.strip()


def subscribed(session: Session, follower_id: int, scene: str, now: datetime) -> None:
    """They follow, perhaps again, perhaps through the code with this scene."""
    values: dict[str, object] = {"is_subscribed": True, "subscribed_at": now, "unsubscribed_at": None}
    if scene:
        values["source"] = scene[:64]
    session.execute(update(Follower).where(Follower.id == follower_id).values(**values))


def wrote(session: Session, follower_id: int, at: datetime, now: datetime) -> None:
    """Only who follows can write, tap or scan: if we think they had left before, the event of their return got lost."""
    session.execute(
        update(Follower)
        .where(Follower.id == follower_id, ~Follower.is_subscribed, Follower.unsubscribed_at < at)
        .values(is_subscribed=True, subscribed_at=now, unsubscribed_at=None)
    )


def unsubscribed(session: Session, follower_ids: Sequence[int], now: datetime) -> None:
    """They left: mark it, and stop what was about to be sent."""
    session.execute(
        update(Follower)
        .where(Follower.id.in_(follower_ids))
        .values(is_subscribed=False, unsubscribed_at=now, silent_until=None)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(Send)
        .where(Send.follower_id.in_(follower_ids), Send.status == SendStatus.READY)
        .values(status=SendStatus.FAILED, error="The follower no longer follows the account.")
        .execution_options(synchronize_session=False)
    )
    # WeChat forgets what they were still owed; when they come back, only what they do then counts.
    session.execute(
        delete(ReplyWindow)
        .where(ReplyWindow.follower_id.in_(follower_ids))
        .execution_options(synchronize_session=False)
    )
