"""A person takes over from the bot, answers, and hands back."""

from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session, selectinload

from bot import clock
from bot.errors import Conflict, NotFound, Refused
from bot.services import sends
from bot.wechat.messages import Reply
from models import Account, Conversation, Follower, Operator, Send, affected


def get(session: Session, account: Account, conversation_id: int) -> Conversation:
    conversation = session.scalar(
        select(Conversation).where(Conversation.id == conversation_id, Conversation.account_id == account.id)
    )
    if conversation is None:
        raise NotFound("There is no such conversation.")
    return conversation


def list_open(session: Session, account: Account) -> list[Conversation]:
    """Those who wait first, the longest waiting before the others."""
    return list(
        session.scalars(
            select(Conversation)
            .where(Conversation.account_id == account.id, Conversation.closed_at.is_(None))
            .options(selectinload(Conversation.follower))
            .order_by(Conversation.waiting_since.is_(None), Conversation.waiting_since, Conversation.updated_at.desc())
            .limit(200)
        )
    )


def count_waiting(session: Session, account: Account) -> int:
    waiting = Conversation.closed_at.is_(None) & Conversation.waiting_since.is_not(None)
    query = select(func.count(Conversation.id)).where(Conversation.account_id == account.id, waiting)
    return int(session.scalar(query) or 0)


def list_closed(session: Session, account: Account, limit: int = 50) -> list[Conversation]:
    return list(
        session.scalars(
            select(Conversation)
            .where(Conversation.account_id == account.id, Conversation.closed_at.is_not(None))
            .options(selectinload(Conversation.follower))
            .order_by(Conversation.closed_at.desc())
            .limit(limit)
        )
    )


def take(session: Session, account: Account, follower: Follower, *, is_waiting: bool = False) -> Conversation:
    """Open the follower's conversation, or find the open one; the bot is silent from the commit on."""
    return open_for(session, account.id, follower.id, account.handover_minutes, clock.now(), is_waiting=is_waiting)


def open_for(
    session: Session, account_id: int, follower_id: int, minutes: int, now: datetime, *, is_waiting: bool
) -> Conversation:
    """The same by ids, for the webhook; ``minutes`` of silence until the bot answers again."""
    silence(session, follower_id, now + timedelta(minutes=minutes))
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    session.execute(  # there may be one already
        insert(Conversation)
        .values(
            account_id=account_id,
            follower_id=follower_id,
            opened_at=now,
            updated_at=now,
            waiting_since=now if is_waiting else None,
            closed_why="",
        )
        .on_conflict_do_nothing()
    )
    return session.scalars(
        select(Conversation).where(Conversation.follower_id == follower_id, Conversation.closed_at.is_(None))
    ).one()


def wrote(session: Session, follower_id: int, now: datetime) -> None:
    """The follower wrote to the person: they wait from their first unanswered message."""
    session.execute(
        update(Conversation)
        .where(Conversation.follower_id == follower_id, Conversation.closed_at.is_(None))
        .values(updated_at=now, waiting_since=func.coalesce(Conversation.waiting_since, now))
        .execution_options(synchronize_session=False)
    )


def reply(
    session: Session, account: Account, conversation: Conversation, operator: Operator | None, reply: Reply
) -> Send:
    """Answer as a person, and keep the bot silent for another while.

    Raises:
        Conflict: handed back or timed out since the page was opened.
        Refused: WeChat would not take it: the follower has to write first, or is blocked.
    """
    now = clock.now()
    silence(session, conversation.follower_id, now + timedelta(minutes=account.handover_minutes))
    answered = session.execute(
        update(Conversation)
        .where(Conversation.id == conversation.id, Conversation.closed_at.is_(None))
        .values(updated_at=now, waiting_since=None)
    )
    if affected(answered) == 0:
        raise Conflict("This conversation was closed; take it over again to answer.")
    sends.must_be_allowed(session, conversation.follower_id)
    if not sends.allowance(session, conversation.follower_id).left:
        raise Refused("No replies left: the follower must write first.", field="text")
    return sends.create(session, account.id, conversation.follower_id, reply, operator=operator)


def hand_back(session: Session, account: Account, conversation: Conversation) -> None:
    """The bot answers again.  A second press changes nothing."""
    close(session, conversation.follower_id, "handed_back", clock.now())
    session.refresh(conversation)


def close(session: Session, follower_id: int, why: str, now: datetime) -> None:
    """``why``: handed_back, timed_out, unsubscribed or blocked."""
    silence(session, follower_id, None)
    session.execute(
        update(Conversation)
        .where(Conversation.follower_id == follower_id, Conversation.closed_at.is_(None))
        .values(closed_at=now, closed_why=why, waiting_since=None)
        .execution_options(synchronize_session=False)
    )


def close_timed_out(session: Session, now: datetime, limit: int = 500) -> int:
    """End what nobody answered in time; the clock calls this, and the webhook for whoever writes first."""
    late = session.scalars(
        select(Follower.id)
        .where(Follower.silent_until.is_not(None), Follower.silent_until <= now)
        .limit(limit)
        .with_for_update(skip_locked=True)  # who is being answered this moment is not late
    ).all()
    for follower_id in late:
        close(session, follower_id, "timed_out", now)
    return len(late)


def silence(session: Session, follower_id: int, until: datetime | None) -> None:
    """Always first: the follower's row is the lock of all that is theirs, for the webhook too (decisions.md, 2)."""
    session.execute(
        update(Follower)
        .where(Follower.id == follower_id)
        .values(silent_until=until)
        .execution_options(synchronize_session=False)
    )
