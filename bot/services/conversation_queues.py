"""The lists that an inbox is made of, and how many each holds."""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from bot import clock
from models import Account, Conversation, Follower, InboundMessage

MOST = 1000  # conversations of one list
LOOKED_AT = 1000  # the newest messages, in which the bot's followers are looked for
BOT_SINCE = timedelta(hours=48)  # as long as WeChat lets us write to them


class Queue(StrEnum):
    MINE = "mine"
    UNASSIGNED = "unassigned"
    OPEN = "open"  # everybody's, without those put off
    BOT = "bot"  # followers whom the bot answers: no conversations, see ``with_bot``
    SNOOZED = "snoozed"
    CLOSED = "closed"


def page(
    session: Session, account: Account, queue: Queue, operator_id: int | None = None, *, limit: int = 50
) -> Sequence[Conversation]:
    """Who waits longest comes first, then what was last said; closed ones by their end, snoozed by their time."""
    query = (
        select(Conversation)
        .where(Conversation.account_id == account.id, _within(queue, operator_id))
        .options(
            joinedload(Conversation.follower), joinedload(Conversation.assignee), selectinload(Conversation.labels)
        )
        .limit(min(limit, MOST))
    )
    match queue:
        case Queue.CLOSED:
            query = query.order_by(Conversation.closed_at.desc(), Conversation.id.desc())
        case Queue.SNOOZED:
            query = query.order_by(Conversation.snoozed_until, Conversation.id)
        case _:
            waits = Conversation.waiting_since.is_(None), Conversation.waiting_since
            query = query.order_by(*waits, Conversation.updated_at.desc(), Conversation.id)
    return session.scalars(query).all()


def counts(session: Session, account: Account, operator_id: int | None) -> dict[Queue, int]:
    """Of the open queues; of the bot's at most as many as the newest messages tell."""
    asleep = Conversation.snoozed_until.is_not(None)
    row = session.execute(
        select(
            func.count().filter(~asleep, Conversation.assignee_id == (operator_id or 0)),
            func.count().filter(~asleep, Conversation.assignee_id.is_(None)),
            func.count().filter(~asleep),
            func.count().filter(asleep),
        ).where(Conversation.account_id == account.id, Conversation.closed_at.is_(None))
    ).one()
    names = (Queue.MINE, Queue.UNASSIGNED, Queue.OPEN, Queue.SNOOZED)
    return dict(zip(names, row, strict=True)) | {Queue.BOT: len(with_bot(session, account, LOOKED_AT))}


def count_waiting(session: Session, account: Account) -> int:
    waiting = Conversation.closed_at.is_(None) & Conversation.waiting_since.is_not(None)
    query = select(func.count(Conversation.id)).where(Conversation.account_id == account.id, waiting)
    return int(session.scalar(query) or 0)


def with_bot(session: Session, account: Account, limit: int = 50) -> list[InboundMessage]:
    """The last thing each follower said to the bot, newest first: those who have no open conversation.

    Looked up in what came in last, so that a message to the bot costs its transaction nothing.
    """
    talks = exists().where(Conversation.follower_id == InboundMessage.follower_id, Conversation.closed_at.is_(None))
    newest = (
        select(InboundMessage)
        .where(
            InboundMessage.account_id == account.id,
            InboundMessage.received_at > clock.now() - BOT_SINCE,
            InboundMessage.event == "",
        )
        .order_by(InboundMessage.received_at.desc())
        .limit(LOOKED_AT)
        .subquery()
    )
    last = select(func.max(newest.c.id)).group_by(newest.c.follower_id)
    query = (
        select(InboundMessage)
        .join(Follower, Follower.id == InboundMessage.follower_id)
        .where(InboundMessage.id.in_(last), ~talks, Follower.is_subscribed)
        .options(joinedload(InboundMessage.follower))
        .order_by(InboundMessage.id.desc())
        .limit(limit)
    )
    return list(session.scalars(query))


def earlier(session: Session, conversation: Conversation, limit: int = 5) -> Sequence[Conversation]:
    """The follower's other conversations, newest first."""
    query = select(Conversation).where(
        Conversation.follower_id == conversation.follower_id, Conversation.id != conversation.id
    )
    return session.scalars(query.order_by(Conversation.id.desc()).limit(limit)).all()


def _within(queue: Queue, operator_id: int | None) -> ColumnElement[bool]:
    if queue is Queue.CLOSED:
        return Conversation.closed_at.is_not(None)
    is_open = Conversation.closed_at.is_(None)
    if queue is Queue.SNOOZED:
        return is_open & Conversation.snoozed_until.is_not(None)
    awake = is_open & Conversation.snoozed_until.is_(None)
    match queue:
        case Queue.MINE:
            return awake & (Conversation.assignee_id == (operator_id or 0))
        case Queue.UNASSIGNED:
            return awake & Conversation.assignee_id.is_(None)
        case _:
            return awake
