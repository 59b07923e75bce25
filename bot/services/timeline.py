"""One follower's whole story: what was said and done on either side, and what we changed about them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import clock
from bot.services import messages
from bot.services.messages import Turn
from models import Account, Conversation, Follower, FollowerEvent, InboundMessage

DAYS = 90


class Show(StrEnum):
    ALL = "all"
    MESSAGES = "messages"  # what either side said, tapped or scanned
    CHANGES = "changes"  # tags, stage, owner, fields, notes, conversations


@dataclass(frozen=True, slots=True)
class Story:
    turns: list[Turn]  # oldest first; of side "change" those that nobody said
    earlier: datetime | None  # "before" of the page before this one; None: it began here


def page(
    session: Session,
    account: Account,
    follower: Follower,
    *,
    show: Show = Show.ALL,
    before: datetime | None = None,
    limit: int = 50,
) -> Story:
    """The last ``limit`` things before a time; those of one same moment stay together, on whichever page."""
    turns: list[Turn] = []
    if show is not Show.CHANGES:
        turns += messages.timeline(session, account, follower, before, limit + 1)
    if show is not Show.MESSAGES:
        turns += _events(session, follower, before, limit + 1)
        turns += _conversations(session, follower, before, limit + 1)
    turns.sort(key=lambda turn: turn.at)  # stable: a reply stays behind its message
    if len(turns) <= limit:
        return Story(turns, None)
    first = turns[-limit].at
    kept = [turn for turn in turns if turn.at >= first]
    return Story(kept, first if len(kept) < len(turns) else None)


def activity(session: Session, account: Account, follower: Follower) -> list[tuple[date, int]]:
    """How often they wrote, tapped or scanned on each of the last DAYS days of the account's zone, oldest first."""
    zone = ZoneInfo(account.timezone)
    today = clock.now().astimezone(zone).date()
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    query = select(InboundMessage.received_at).where(
        InboundMessage.account_id == account.id,
        InboundMessage.openid == follower.openid,
        InboundMessage.received_at >= clock.now() - timedelta(days=DAYS + 1),
    )
    counts = Counter(at.astimezone(zone).date() for at in session.scalars(query))
    return [(day, counts[day]) for day in days]


def _events(session: Session, follower: Follower, before: datetime | None, limit: int) -> Iterator[Turn]:
    query = select(FollowerEvent).where(FollowerEvent.follower_id == follower.id)
    if before is not None:
        query = query.where(FollowerEvent.at < before)
    found = session.scalars(query.order_by(FollowerEvent.id.desc()).limit(limit)).all()
    for event in reversed(found):
        yield Turn(f"e{event.id}", event.at, "change", event.kind, "", event.detail, "", event.who)


def _conversations(session: Session, follower: Follower, before: datetime | None, limit: int) -> Iterator[Turn]:
    query = select(Conversation).where(Conversation.follower_id == follower.id)
    if before is not None:
        query = query.where(Conversation.opened_at < before)
    for talk in session.scalars(query.order_by(Conversation.id.desc()).limit(limit)):
        yield Turn(f"c{talk.id}", talk.opened_at, "change", "opened", "", {"conversation": talk.id}, "", "")
        if talk.closed_at is not None and (before is None or talk.closed_at < before):
            detail = {"conversation": talk.id, "why": talk.closed_why}
            yield Turn(f"d{talk.id}", talk.closed_at, "change", "closed", "", detail, "", "")
