"""What followers did within some days of a campaign's message: replied, or reached its goal; counted by variant.

Each query begins with what happened, which is less than a ledger of a million rows, and looks up whose delivery it was.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Interval, Select, and_, case, func, literal, literal_column, or_, select
from sqlalchemy.orm import Session

from bot.services import follower_events
from bot.services.segment_sql import SCANS, TAPS
from bot.services.tallies import tally
from models import Account, Campaign, Click, Delivery, DeliveryStatus, FollowerEvent, InboundMessage, Tag, TrackedLink

HELD_OUT = "held_out"  # the ledger's reason
NOBODY = -1  # stands for their variant
_LATE = timedelta(hours=1)  # by which an event's number may be behind its time
_GOT_NOTHING = (Delivery.status == DeliveryStatus.EXCLUDED) & (Delivery.reason == HELD_OUT)

_Happened = Select[Any, datetime]  # follower_id, at
_Period = tuple[datetime, datetime]  # the first message; the end of what may count for the last


def replied(session: Session, account: Account, campaign: Campaign, period: _Period, days: timedelta) -> dict[int, int]:
    """Who wrote to us."""
    did = _replies(account, *period)
    return tally(f"replied {campaign.id} {days}", account.id, lambda: _within(session, campaign, did, period[0], days))


def clicked(session: Session, campaign: Campaign) -> dict[int, int]:
    """Who opened a link of it, whenever; of those to whom it was sent."""
    did, sent = _in_order(_clicks(campaign)), Delivery.status == DeliveryStatus.SENT
    return tally(f"clicked {campaign.id}", campaign.account_id, lambda: _by_variant(session, campaign, did, sent))


def converted(
    session: Session, account: Account, campaign: Campaign, period: _Period, days: timedelta
) -> dict[int, int] | None:
    """Who reached the campaign's goal; None: it has none, or one that was deleted."""
    kind, of = campaign.goal.get("kind", ""), str(campaign.goal.get("of", ""))
    happened: _Happened | None = None
    match kind:
        case "click":
            happened = _clicks(campaign)
        case "reply":
            return replied(session, account, campaign, period, days)
        case "key" | "scene":
            happened = _events(account, TAPS if kind == "key" else SCANS, of, *period)
        case "tag":
            happened = _tagged(session, account, of, *period)
    if happened is None:
        return None
    did, what = happened, f"converted {campaign.id} {days} {kind} {of}"
    return tally(what, account.id, lambda: _within(session, campaign, did, period[0], days))


def _clicks(campaign: Campaign) -> _Happened:
    clicks = select(Click.follower_id, Click.at).join(TrackedLink).where(TrackedLink.campaign_id == campaign.id)
    return clicks.where(Click.follower_id.is_not(None))


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
) -> dict[int, int]:
    """For how many it happened within so many days of their message; who got none, of the campaign's first."""
    did = _in_order(happened)
    begins = case((_GOT_NOTHING, literal(first, Delivery.at.type)), else_=Delivery.at)
    # The first of the two spares most rows the second.
    ends = or_(did.c.at < literal(first + days, Delivery.at.type), did.c.at < _later(session, begins, days))
    in_time = and_(did.c.at >= begins, ends)
    return _by_variant(session, campaign, did, in_time, (Delivery.status == DeliveryStatus.SENT) | _GOT_NOTHING)


def _in_order(happened: _Happened) -> Any:
    """By follower, as the ledger lies: looked up here and there it would not fit SQLite's small cache."""
    return happened.group_by(*happened.selected_columns).subquery("did")


def _by_variant(session: Session, campaign: Campaign, did: Any, *conditions: ColumnElement[bool]) -> dict[int, int]:
    # SQLite would begin with the ledger, and ask of a million followers what they did.  The plus makes it look them up.
    whose = literal_column("+did.follower_id") if _is_sqlite(session) else did.c.follower_id
    variant = case((_GOT_NOTHING, literal_column(str(NOBODY))), else_=Delivery.variant).label("variant")
    each = (
        select(Delivery.follower_id, variant)
        .select_from(did)
        .join(Delivery, and_(Delivery.campaign_id == campaign.id, Delivery.follower_id == whose))
        .where(*conditions)
        .distinct()
        .subquery()
    )
    return dict(session.execute(select(each.c.variant, func.count()).group_by(each.c.variant)).all())


def _later(session: Session, at: ColumnElement[Any], days: timedelta) -> ColumnElement[Any]:
    if _is_sqlite(session):  # its times are text, which sorts as they do
        return func.strftime("%Y-%m-%d %H:%M:%f", at, f"+{days.days} days")
    return at + literal(days, Interval())


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"
