"""What changed in an account's inbox since a number of its journal: states, not events, so nothing can be missed."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from bot.services import journal
from models import Conversation

MOST = 500  # conversations of one answer; who is further behind reads the lists again


@dataclass(frozen=True, slots=True)
class Changes:
    """``head``: the number to ask with next.  ``reload``: too much changed, or the number is not of this journal."""

    head: int
    changed: list[Conversation]
    reload: bool = False


def changes(session: Session, account_id: int, after: int) -> Changes:
    """The conversations that changed since, as they are now."""
    head = journal.last(session, account_id)  # read first: what is committed meanwhile comes again, not never
    if after == head:
        return Changes(head, [])
    if after > head or after < 0:  # a database brought back from a backup
        return Changes(head, [], reload=True)
    query = (
        select(Conversation)
        .where(Conversation.account_id == account_id, Conversation.seq > after)
        .options(
            joinedload(Conversation.follower), joinedload(Conversation.assignee), selectinload(Conversation.labels)
        )
        .order_by(Conversation.seq)
        .limit(MOST + 1)
    )
    found = list(session.scalars(query))
    return Changes(head, [], reload=True) if len(found) > MOST else Changes(head, found)


def summary(conversation: Conversation) -> dict[str, Any]:
    """One row of a list; times in Unix seconds."""
    talk = conversation
    times = ("waiting_since", "first_replied_at", "snoozed_until", "opened_at", "updated_at", "closed_at")
    return {
        "id": talk.id,
        "follower_id": talk.follower_id,
        "name": talk.follower.name,
        "seq": talk.seq,
        "said_seq": talk.said_seq,
        "status": talk.status.value,
        "assignee_id": talk.assignee_id,
        "assignee": talk.assignee.name if talk.assignee else "",
        "preview": talk.preview,
        "preview_side": talk.preview_side,
        "closed_why": talk.closed_why,
        "labels": [label.name for label in talk.labels],
        **{name: at.timestamp() if (at := getattr(talk, name)) else None for name in times},
    }


def counts(session: Session, account_id: int) -> dict[str, Any]:
    """How many each list holds; ``mine``: operator → theirs."""
    asleep = Conversation.snoozed_until.is_not(None)
    rows = session.execute(
        select(
            Conversation.assignee_id,
            func.count().filter(~asleep),
            func.count().filter(asleep),
            func.count().filter(Conversation.waiting_since.is_not(None)),
        )
        .where(Conversation.account_id == account_id, Conversation.closed_at.is_(None))
        .group_by(Conversation.assignee_id)
    ).all()
    return {
        "mine": {str(operator_id): awake for operator_id, awake, _asleep, _waiting in rows if operator_id},
        "unassigned": sum(awake for operator_id, awake, _asleep, _waiting in rows if operator_id is None),
        "open": sum(awake for _id, awake, _asleep, _waiting in rows),
        "snoozed": sum(asleep for _id, _awake, asleep, _waiting in rows),
        "waiting": sum(waiting for _id, _awake, _asleep, waiting in rows),
    }
