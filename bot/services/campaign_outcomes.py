"""What followers did within some days of a campaign's message: replied, or reached its goal; counted by variant.

Each query begins with what happened, which is less than a ledger of a million rows, and looks up whose delivery it was.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Interval, Select, and_, case, func, literal, literal_column, select
from sqlalchemy.orm import Session

from bot.services import follower_events
from bot.services.segment_sql import SCANS, TAPS
from models import Account, Campaign, Click, Delivery, DeliveryStatus, FollowerEvent, InboundMessage, Tag, TrackedLink

HELD_OUT = "held_out"  # the ledger's reason
NOBODY = -1  # stands for their variant
_LATE = timedelta(hours=1)  # by which an event's number may be behind its time

_Happened = Select[Any, datetime]  # follower_id, at
_Period = tuple[datetime, datetime]  # the first message; the end of what may count for the last


def replied(session: Session, account: Account, campaign: Campaign, period: _Period, days: timedelta) -> Counter[int]:
    """Who wrote to us."""
    return _within(session, campaign, _replies(account, *period), period[0], days)


def converted(
    session: Session, account: Account, campaign: Campaign, period: _Period, days: timedelta
) -> Counter[int] | None:
    """Who reached the campaign's goal; None: it has none, or one that was deleted."""
    kind, of = campaign.goal.get("kind", ""), str(campaign.goal.get("of", ""))
    happened: _Happened | None = None
    match kind:
        case "click":
            happened = select(Click.follower_id, Click.at).join(TrackedLink)
            happened = happened.where(TrackedLink.campaign_id == campaign.id, Click.follower_id.is_not(None))
        case "reply":
            happened = _replies(account, *period)
        case "key" | "scene":
            happened = _events(account, TAPS if kind == "key" else SCANS, of, *period)
        case "tag":
            happened = _tagged(session, account, of, *period)
    return None if happened is None else _within(session, campaign, happened, period[0], days)


def _replies(account: Account, since: datetime, until: datetime) -> _Happened:
    return _messages(account, since, until).where(InboundMessage.kind != "event")


def _events(account: Account, events: Iterable[str], key: str, since: datetime, until: datetime) -> _Happened:
    return _messages(account, since, until).where(
        InboundMessage.event != literal_column("''"),  # spelled as the index is, or SQLite does not see that it fits
        InboundMessage.event.in_(list(events)),
        InboundMessage.key == key,
    )


def _messages(account: Account, since: datetime, until: datetime) -> _Happened:
    return select(InboundMessage.follower_id, InboundMessage.received_at.label("at")).where(
        InboundMessage.account_id == account.id,
        InboundMessage.received_at >= since,
        InboundMessage.received_at < until,
        InboundMessage.follower_id.is_not(None),
    )


def _tagged(session: Session, account: Account, of: str, since: datetime, until: datetime) -> _Happened | None:
    """Who got the tag, by the name it has now.  Events have no index by time; their numbers rise with it."""
    tag = session.get(Tag, int(of)) if of.isascii() and of.isdecimal() and len(of) < 19 else None
    if tag is None or tag.account_id != account.id:
        return None
    before = select(FollowerEvent.id).where(FollowerEvent.at < since - _LATE).order_by(FollowerEvent.id.desc())
    return select(FollowerEvent.follower_id, FollowerEvent.at).where(
        FollowerEvent.id > (session.scalar(before.limit(1)) or 0),
        FollowerEvent.account_id == account.id,
        FollowerEvent.kind == follower_events.TAGGED,
        FollowerEvent.at < until,
        FollowerEvent.detail["tag"].as_string() == tag.name,
    )


def _within(
    session: Session, campaign: Campaign, happened: _Happened, first: datetime, days: timedelta
) -> Counter[int]:
    """For how many it happened within so many days of their message; who got none, of the campaign's first."""
    did = happened.subquery()
    got_nothing = (Delivery.status == DeliveryStatus.EXCLUDED) & (Delivery.reason == HELD_OUT)
    begins = case((got_nothing, literal(first, Delivery.at.type)), else_=Delivery.at)
    variant = case((got_nothing, literal_column(str(NOBODY))), else_=Delivery.variant).label("variant")
    query = (
        select(variant, func.count(Delivery.follower_id.distinct()))
        .select_from(did)
        .join(Delivery, and_(Delivery.campaign_id == campaign.id, Delivery.follower_id == did.c.follower_id))
        .where((Delivery.status == DeliveryStatus.SENT) | got_nothing)
        .where(did.c.at >= begins, did.c.at < _later(session, begins, days))
        .group_by(variant)
    )
    return Counter(dict(session.execute(query).all()))


def _later(session: Session, at: ColumnElement[Any], days: timedelta) -> ColumnElement[Any]:
    if session.get_bind().dialect.name == "sqlite":  # its times are text, which sorts as they do
        return func.strftime("%Y-%m-%d %H:%M:%f", at, f"+{days.days} days")
    return at + literal(days, Interval())
