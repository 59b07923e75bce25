"""What goes out on which day, and how many of WeChat's mass messages each day has left."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from bot import clock
from bot.services.campaign_audience import CHINA
from models import Account, Batch, BatchStatus, Campaign, CampaignStatus, Channel

MOST = 500  # campaigns of one month


@dataclass(slots=True)
class Day:
    """A day of the account's time zone."""

    day: date
    campaigns: list[Campaign] = field(default_factory=list)  # in the order of the day
    used: int = 0  # mass messages that WeChat took on, of its day in China
    planned: int = 0  # and those that will be


def days(session: Session, account: Account, first: date, last: date) -> dict[date, Day]:
    """Every day from the first to the last."""
    count = (last - first).days + 1
    found = {day: Day(day) for day in (first + timedelta(days=at) for at in range(count))}
    zone = ZoneInfo(account.timezone)
    since = datetime.combine(first, time.min, zone).astimezone(UTC)
    until = datetime.combine(last + timedelta(days=1), time.min, zone).astimezone(UTC)
    begun = func.coalesce(Campaign.starts_at, Campaign.launched_at)
    planned = (Campaign.status == CampaignStatus.DRAFT) & Campaign.starts.between(f"{first}", f"{last}T99")
    launched = (Campaign.status != CampaignStatus.DRAFT) & (begun >= since) & (begun < until)
    query = select(Campaign).where(Campaign.account_id == account.id, or_(planned, launched))
    campaigns = session.scalars(query.limit(MOST))
    for campaign in sorted(campaigns, key=lambda each: wall(account, each)):
        day = found.get(date.fromisoformat(wall(account, campaign)[:10]))
        if day is not None:
            day.campaigns.append(campaign)
    _count(session, account, found, since, until)
    return found


def wall(account: Account, campaign: Campaign) -> str:
    """When it begins or began, on the account's wall: 2026-11-25T09:00."""
    at = campaign.starts_at or campaign.launched_at
    if campaign.status is CampaignStatus.DRAFT or at is None:
        return campaign.starts or clock.now().astimezone(ZoneInfo(account.timezone)).strftime("%Y-%m-%dT%H:%M")
    return at.astimezone(ZoneInfo(account.timezone)).strftime("%Y-%m-%dT%H:%M")


def _count(session: Session, account: Account, found: dict[date, Day], since: datetime, until: datetime) -> None:
    waits = Batch.status.in_((BatchStatus.READY, BatchStatus.UNKNOWN))
    rows = session.execute(
        select(Batch.accepted_at, Batch.due_at)
        .join(Campaign, Campaign.id == Batch.campaign_id)
        .where(Batch.account_id == account.id, Campaign.channel == Channel.MASS)
        .where(Campaign.status != CampaignStatus.CANCELLED)
        .where(
            Batch.accepted_at.between(since - timedelta(days=1), until + timedelta(days=1))
            | (waits & Batch.due_at.between(since - timedelta(days=1), until + timedelta(days=1)))
        )
    )
    used: Counter[date] = Counter()
    planned: Counter[date] = Counter()
    for accepted_at, due_at in rows:
        if accepted_at is not None:
            used[accepted_at.astimezone(CHINA).date()] += 1
        else:
            planned[due_at.astimezone(CHINA).date()] += 1
    for day in found.values():
        day.used, day.planned = used[day.day], planned[day.day]
