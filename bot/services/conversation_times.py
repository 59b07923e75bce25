"""What happens to conversations by the clock: they time out, and come back when they were put off."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.services import conversations
from models import Conversation, Follower


def close_timed_out(session: Session, now: datetime, limit: int = 500) -> int:
    """End what nobody answered in time; the clock calls this, and the webhook for whoever writes first."""
    late = session.scalars(
        select(Follower.id)
        .where(Follower.silent_until.is_not(None), Follower.silent_until <= now)
        .limit(limit)
        .with_for_update(skip_locked=True)  # who is being answered this moment is not late
    ).all()
    for follower_id in late:
        conversations.close(session, follower_id, "timed_out", now)
    return len(late)


def wake_due(session: Session, now: datetime, limit: int = 500) -> int:
    """Bring back what was put off until now; the clock calls this."""
    due = session.scalars(
        select(Conversation)
        .join(Follower, Follower.id == Conversation.follower_id)
        .where(Conversation.closed_at.is_(None), Conversation.snoozed_until <= now)
        .limit(limit)
        .with_for_update(skip_locked=True, of=Follower)
    ).all()
    woken = 0
    for conversation in due:
        session.refresh(conversation)  # it was looked up before its follower was held: it may have moved on
        if conversation.is_open and conversation.snoozed_until is not None and conversation.snoozed_until <= now:
            conversations.wake(session, conversation, who="")
            woken += 1
    return woken
