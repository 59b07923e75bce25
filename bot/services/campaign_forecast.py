"""What a launch would do: the same query that freezes the audience, counted; and WeChat's quotas before they bite."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot import clock
from bot.services import campaign_audience, campaign_control, campaign_ledger
from bot.services.campaign_audience import CHINA
from bot.wechat import limits
from models import Account, AccountKind, Batch, Campaign, Channel, Reach

PER_WORKER = 1_000  # messages a second, where the pace sets no other limit
MASS_A_DAY_SUBSCRIPTION = 1  # of a verified subscription account


@dataclass(frozen=True, slots=True)
class Forecast:
    """Before the launch; of a campaign that was launched its ledger tells."""

    deliverable: int
    excluded: dict[str, int]  # reason → followers
    variants: list[int]  # how many get each
    starts_at: datetime
    ends_at: datetime
    calls: int  # of mass messaging; 0 on other channels
    calls_left: int | None  # today; None: this channel has no such limit
    needs_approval: bool = False
    zones: dict[str, datetime] = field(default_factory=dict)  # when each zone's followers are due, if they differ


def of(session: Session, account: Account, campaign: Campaign) -> Forecast:
    """Count whom a launch now would reach.

    Raises:
        Refused: nobody was chosen to get it.
    """
    counted = campaign_audience.forecast(session, account, campaign)
    excluded: Counter[str] = Counter()
    variants = [0] * max(1, len(campaign.variants))
    groups: Counter[tuple[str, int]] = Counter()
    for (reason, variant, zone), count in counted.items():
        if not reason and count == 1 and campaign.channel is Channel.MASS and campaign.reach is Reach.LIST:
            reason = "alone"
        if reason:
            excluded[reason] += count
        else:
            variants[variant] += count
            groups[zone, variant] += count
    deliverable = sum(variants)
    now = clock.now()
    dues = {zone: campaign_control.due_in(account, _as_launched(campaign, now), zone) for zone, _variant in groups}
    is_mass = campaign.channel is Channel.MASS
    most = limits.MASS_OPENIDS.stop - 1 if campaign.reach is Reach.LIST else max(1, deliverable)
    calls = sum(-(-count // most) for count in groups.values()) if is_mass else 0
    left = calls_left(session, account, now) if is_mass else None
    starts_at, last = min(dues.values(), default=now), max(dues.values(), default=now)
    return Forecast(
        deliverable=deliverable,
        excluded=dict(excluded),
        variants=variants,
        starts_at=starts_at,
        ends_at=last + _takes(campaign, deliverable, calls, left),
        calls=calls,
        calls_left=left,
        needs_approval=account.approval_above is not None and deliverable > account.approval_above,
        zones=dues if len(set(dues.values())) > 1 else {},
    )


def calls_left(session: Session, account: Account, now: datetime) -> int:
    """Mass messages that WeChat still takes today; its days begin at midnight in China."""
    today = now.astimezone(CHINA).replace(hour=0, minute=0, second=0, microsecond=0)
    made = select(func.count(Batch.id)).where(Batch.account_id == account.id, Batch.accepted_at >= today)
    return max(0, most_calls(account) - (session.scalar(made) or 0))


def most_calls(account: Account) -> int:
    """Mass messages that WeChat takes from the account in a day."""
    return limits.MASS_A_DAY if account.kind is AccountKind.SERVICE else MASS_A_DAY_SUBSCRIPTION


def _takes(campaign: Campaign, deliverable: int, calls: int, left: int | None) -> timedelta:
    if calls:
        days = max(0, calls - (left or 0) + limits.MASS_A_DAY - 1) // limits.MASS_A_DAY
        paced = timedelta(seconds=deliverable / campaign.pace) if campaign.pace else timedelta()
        return max(calls * campaign_ledger.MASS_SLOT, paced) + timedelta(days=days)
    return timedelta(seconds=deliverable / min(campaign.pace or PER_WORKER, PER_WORKER))


def _as_launched(campaign: Campaign, now: datetime) -> Campaign:
    """A plain copy with the launch at ``now``: what the session holds stays as it is."""
    return Campaign(
        launched_at=now,
        starts=campaign.starts,
        in_own_zone=campaign.in_own_zone,
        quiet_from=campaign.quiet_from,
        quiet_until=campaign.quiet_until,
    )
