"""Campaigns by day, and how many mass messages WeChat would still take on each."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from bot import clock
from bot.errors import Refused
from bot.services import campaign_forecast
from bot.services.campaign_audience import CHINA
from models import Account, Batch, BatchStatus, Campaign, CampaignStatus, Channel

MOST_DAYS = 92
WAITING = (BatchStatus.READY, BatchStatus.UNKNOWN, BatchStatus.SENDING)
OVER = (CampaignStatus.FINISHED, CampaignStatus.CANCELLED)


@dataclass(slots=True)
class Day:
    """``calls`` of mass messaging are WeChat's, whose days begin at midnight in China."""

    day: date  # of the account's zone
    campaigns: list[Campaign] = field(default_factory=list)  # by their start
    calls: int = 0  # made, and those that are due; a draft's are not known before its launch
    calls_left: int | None = None  # None: the day is over


def days(session: Session, account: Account, since: date | None = None, until: date | None = None) -> list[Day]:
    """From ``since`` (today) to ``until`` (30 days later), both included.

    Raises:
        Refused: too many days, or none.
    """
    zone = ZoneInfo(account.timezone)
    since = since or clock.now().astimezone(zone).date()
    until = until or since + timedelta(days=30)
    if not 0 <= (until - since).days < MOST_DAYS:
        raise Refused("Ask for 1 to {max} days.", field="until", max=MOST_DAYS)
    found = {since + timedelta(days=at): Day(since + timedelta(days=at)) for at in range((until - since).days + 1)}
    placed = [(_wall(campaign, zone), campaign) for campaign in _campaigns(session, account, since, until, zone)]
    for wall, campaign in sorted(placed, key=lambda one: (one[0], one[1].id)):
        if wall.date() in found:
            found[wall.date()].campaigns.append(campaign)
    today = clock.now().astimezone(CHINA).date()
    for day, count in _calls(session, account, since, until, today).items():
        if day in found:
            found[day].calls = count
    for one in found.values():
        if one.day >= today:
            one.calls_left = max(0, campaign_forecast.calls_a_day(account) - one.calls)
    return list(found.values())


def _campaigns(session: Session, account: Account, since: date, until: date, zone: ZoneInfo) -> list[Campaign]:
    begins, ends = _midnight(since, zone), _midnight(until + timedelta(days=1), zone)
    walls = and_(Campaign.starts >= since.isoformat(), Campaign.starts < (until + timedelta(days=1)).isoformat())
    at = func.coalesce(Campaign.starts_at, Campaign.launched_at)
    query = select(Campaign).where(
        Campaign.account_id == account.id,
        or_(
            and_(_is_planned(), walls),
            and_(Campaign.status != CampaignStatus.DRAFT, at >= begins, at < ends),
        ),
    )
    return list(session.scalars(query))


def _is_planned() -> ColumnElement[bool]:
    """Its start is what somebody wrote: no audience is frozen, or no more."""
    return or_(Campaign.status == CampaignStatus.DRAFT, Campaign.starts_at.is_(None))


def _wall(campaign: Campaign, zone: ZoneInfo) -> datetime:
    """The start on the account's wall."""
    if campaign.starts and (campaign.status is CampaignStatus.DRAFT or campaign.starts_at is None):
        return datetime.fromisoformat(campaign.starts)
    at = campaign.starts_at or campaign.launched_at or campaign.created_at
    return at.astimezone(zone).replace(tzinfo=None)


def _calls(session: Session, account: Account, since: date, until: date, today: date) -> Counter[date]:
    """Day in China → calls made and calls due; who is late is due today."""
    begins, ends = _midnight(since, CHINA), _midnight(until + timedelta(days=1), CHINA)
    made = select(Batch.accepted_at).where(Batch.account_id == account.id, Batch.accepted_at.between(begins, ends))
    counted = Counter(at.astimezone(CHINA).date() for at in session.scalars(made) if at is not None)
    due = (
        select(Batch.due_at)
        .join(Campaign, Campaign.id == Batch.campaign_id)
        .where(Batch.account_id == account.id, Campaign.channel == Channel.MASS, Campaign.status.not_in(OVER))
        .where(Batch.status.in_(WAITING), Batch.due_at < ends)
    )
    counted.update(max(at.astimezone(CHINA).date(), today) for at in session.scalars(due))
    return counted


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
