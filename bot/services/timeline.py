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
from models import (
    Account,
    Campaign,
    Click,
    Conversation,
    Delivery,
    DeliveryStatus,
    Follower,
    FollowerEvent,
    InboundMessage,
    TrackedLink,
)

DAYS = 90


class Show(StrEnum):
    ALL = "all"
    MESSAGES = "messages"  # what either side said, tapped or scanned; campaigns and their links among it
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
        turns += _campaigns(session, follower, before, limit + 1)
        turns += _clicks(session, follower, before, limit + 1)
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


def _campaigns(session: Session, follower: Follower, before: datetime | None, limit: int) -> Iterator[Turn]:
    """Those that reached them; found by campaign, as the ledger's key begins with it."""
    query = (
        select(Campaign.id, Campaign.name, Delivery.at)
        .join(Delivery, (Delivery.campaign_id == Campaign.id) & (Delivery.follower_id == follower.id))
        .where(Campaign.account_id == follower.account_id, Campaign.launched_at.is_not(None))
        .where(Delivery.status == DeliveryStatus.SENT, Delivery.at.is_not(None))
    )
    if before is not None:
        query = query.where(Delivery.at < before)
    for campaign_id, name, at in session.execute(query.order_by(Delivery.at.desc()).limit(limit)):
        assert at is not None
        detail = {"campaign": name, "campaign_id": campaign_id}
        yield Turn(f"b{campaign_id}", at, "change", "received", "", detail, "", "")


def _clicks(session: Session, follower: Follower, before: datetime | None, limit: int) -> Iterator[Turn]:
    query = (
        select(Click.id, Click.at, Click.times, TrackedLink.url, Campaign.name, Campaign.id)
        .join(TrackedLink, TrackedLink.id == Click.link_id)
        .join(Campaign, Campaign.id == TrackedLink.campaign_id)
        .where(Click.follower_id == follower.id)
    )
    if before is not None:
        query = query.where(Click.at < before)
    for click_id, at, times, url, name, campaign_id in session.execute(query.order_by(Click.at.desc()).limit(limit)):
        detail = {"campaign": name, "campaign_id": campaign_id, "url": url, "times": times}
        yield Turn(f"l{click_id}", at, "change", "link", "", detail, "", "")
