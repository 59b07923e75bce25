"""How a campaign stands: four numbers, the pace and the end; who is in which state; and why somebody got nothing."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from bot import clock
from bot.services import campaign_ledger
from bot.wechat.errors import refusal
from models import (
    Account,
    Batch,
    BatchStatus,
    Campaign,
    CampaignStatus,
    Channel,
    Delivery,
    DeliveryStatus,
    Follower,
)

RATE = timedelta(seconds=10)  # over which the speed is measured
MASS_RATE = timedelta(seconds=60)
GOING = (CampaignStatus.SENDING, CampaignStatus.PAUSED)
RUNNING = (*GOING, CampaignStatus.PREPARING)


@dataclass(frozen=True, slots=True)
class Progress:
    """In followers; ``total`` = sent + left + failed + unknown + skipped."""

    total: int  # to whom it was to go when it was launched
    sent: int
    left: int
    failed: int
    unknown: int  # not confirmed
    skipped: int  # excluded or cancelled since the launch
    excluded: dict[str, int]  # at the launch, by reason
    waiting: int  # batches that WeChat has and has not reported on
    review: int  # batches that a person must look at
    speed: float  # messages a second just now
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class Recipient:
    follower: Follower
    delivery: Delivery
    batch: Batch | None


def of(session: Session, campaign: Campaign) -> Progress:
    """Read off the batches, which are few."""
    sums = (func.sum(getattr(Batch, name)) for name in ("size", "sent", "failed", "unknown", "skipped"))
    row = session.execute(select(*sums).where(Batch.campaign_id == campaign.id)).one()
    total, sent, failed, unknown, skipped = (int(value or 0) for value in row)
    counted = select(Batch.status, func.count()).where(Batch.campaign_id == campaign.id).group_by(Batch.status)
    statuses = dict(session.execute(counted).all())
    left = total - sent - failed - unknown - skipped
    speed = _speed(session, campaign) if campaign.status is CampaignStatus.SENDING else 0.0
    ends_at = None
    if campaign.status is CampaignStatus.SENDING and left and speed:
        begins = max(clock.now(), campaign.parked_until or clock.now())
        ends_at = begins + timedelta(seconds=left / speed)
    return Progress(
        *(total, sent, left, failed, unknown, skipped),
        excluded=dict(campaign.excluded),
        waiting=statuses.get(BatchStatus.ACCEPTED, 0),
        review=statuses.get(BatchStatus.REVIEW, 0),
        speed=speed,
        ends_at=ends_at,
    )


def running(session: Session, account: Account) -> list[tuple[Campaign, Progress]]:
    """What is being written down, sent or paused, the newest first."""
    found = session.scalars(
        select(Campaign)
        .where(Campaign.account_id == account.id, Campaign.status.in_(RUNNING))
        .order_by(Campaign.id.desc())
        .limit(20)
    )
    return [(campaign, of(session, campaign)) for campaign in found]


def totals(session: Session, campaigns: Sequence[Campaign]) -> dict[int, tuple[int, int]]:
    """Campaign → to how many it has been sent, and to how many it was to go; those without a ledger are left away."""
    query = (
        select(Batch.campaign_id, func.sum(Batch.sent), func.sum(Batch.size))
        .where(Batch.campaign_id.in_([campaign.id for campaign in campaigns]))
        .group_by(Batch.campaign_id)
    )
    return {campaign_id: (int(sent), int(size)) for campaign_id, sent, size in session.execute(query)}


def next_due(session: Session, campaign: Campaign) -> datetime | None:
    """When the next batch that waits may go; None: none waits."""
    waits = Batch.status.in_((BatchStatus.READY, BatchStatus.UNKNOWN, BatchStatus.SENDING))
    return session.scalar(select(func.min(Batch.due_at)).where(Batch.campaign_id == campaign.id, waits))


def errors(session: Session, campaign: Campaign) -> list[tuple[int | None, int]]:
    """WeChat's codes of what failed, with how many followers each, most first.  Walks the campaign's ledger."""
    query = (
        select(Delivery.errcode, func.count())
        .where(Delivery.campaign_id == campaign.id, Delivery.status == DeliveryStatus.FAILED)
        .group_by(Delivery.errcode)
        .order_by(func.count().desc())
    )
    return [(errcode, count) for errcode, count in session.execute(query)]


def advice(errcode: int | None, language: str = "en") -> str:
    """What WeChat's code means and what to do; "" for none."""
    return "" if errcode is None else refusal(errcode, "", "").advice(language)


def skipped(session: Session, campaign: Campaign) -> Counter[str]:
    """Reason → how many got nothing, those of the launch included.  Walks the campaign's ledger."""
    query = (
        select(Delivery.reason, func.count())
        .where(Delivery.campaign_id == campaign.id, Delivery.status == DeliveryStatus.EXCLUDED)
        .group_by(Delivery.reason)
    )
    return Counter(dict(session.execute(query).all()))


def recipients(
    session: Session,
    campaign: Campaign,
    *,
    status: DeliveryStatus | None = None,
    reason: str = "",
    errcode: int | None = None,
    after: int = 0,
    limit: int = 50,
) -> list[Recipient]:
    """Some of the ledger, by follower; ``after`` is the last follower's id of the page before."""
    query = _listed(campaign, status, reason, errcode).where(Delivery.follower_id > after).limit(limit)
    return [Recipient(*row) for row in session.execute(query)]


def rows(session: Session, campaign: Campaign) -> Iterator[Recipient]:
    """All of the ledger, for an export: a thousand at a time."""
    after, some = 0, [True]
    while some:
        page = recipients(session, campaign, after=after, limit=1000)
        yield from page
        some = [True] if page else []
        after = page[-1].follower.id if page else 0
        session.expunge_all()


def find(session: Session, campaign: Campaign, follower_id: int) -> Recipient | None:
    """What became of one follower; None: the campaign was not meant for them."""
    query = _listed(campaign, None, "", None).where(Delivery.follower_id == follower_id)
    row = session.execute(query).one_or_none()
    return Recipient(*row) if row else None


def of_follower(
    session: Session, account: Account, follower_id: int, limit: int = 50
) -> list[tuple[Campaign, Delivery]]:
    """Campaigns that were meant for a follower, the last first."""
    query = (
        select(Campaign, Delivery)
        .join(Delivery, Delivery.campaign_id == Campaign.id)
        .where(Campaign.account_id == account.id, Campaign.launched_at.is_not(None))
        .where(Delivery.follower_id == follower_id)
        .order_by(Campaign.launched_at.desc())
        .limit(limit)
    )
    return [(campaign, delivery) for campaign, delivery in session.execute(query)]


def explain(campaign: Campaign, found: Recipient | None) -> str:
    """Why somebody got it or not, as a sentence for the catalogue.

    On the mass path WeChat tells counts only, so what can be said is which call they were in.
    """
    if campaign.launched_at is None:
        return "It was not launched yet."
    if found is None:
        return "It was not meant for them: they were not in its audience when it was launched."
    if found.delivery.status is DeliveryStatus.EXCLUDED:
        return EXCLUDED[found.delivery.reason]
    if found.delivery.status is DeliveryStatus.SENT and campaign.channel is Channel.MASS:
        ended = found.batch.ended if found.batch else None
        if ended and (ended.get("sent") or 0) < (ended.get("total") or 0):
            return "WeChat took it for them, and left out some of the same call in silence; it does not say whom."
    return STATES[found.delivery.status]


EXCLUDED = {
    "left": "They no longer follow the account.",
    "blocked": "They are on the blocklist.",
    "opted_out": "They have opted out of campaigns.",
    "excluded": "They are in a segment that was excluded.",
    "monthly": "They had this month's four mass messages already; WeChat would leave them out.",
    "no_window": "WeChat's reply window was closed: they had not written lately.",
    "capped": "They had as many campaigns lately as the account's cap allows.",
    "held_out": "They were held out, to compare with.",
    "alone": "WeChat's lists begin with two people, and they were the only one.",
}
STATES = {
    DeliveryStatus.PENDING: "Their turn has not come yet.",
    DeliveryStatus.SENDING: "It is being sent to them now.",
    DeliveryStatus.SENT: "WeChat took it for them.",
    DeliveryStatus.FAILED: "WeChat refused it.",
    DeliveryStatus.UNKNOWN: "No answer came from WeChat: they may have it. It is not sent again by itself.",
    DeliveryStatus.CANCELLED: "The campaign was cancelled before their turn.",
}


def _listed(
    campaign: Campaign, status: DeliveryStatus | None, reason: str, errcode: int | None
) -> Select[Follower, Delivery, Batch]:
    query = (
        select(Follower, Delivery, Batch)
        .join(Delivery, Delivery.follower_id == Follower.id)
        .outerjoin(Batch, (Batch.campaign_id == Delivery.campaign_id) & (Batch.number == Delivery.batch))
        .where(Delivery.campaign_id == campaign.id)
        .order_by(Delivery.follower_id)
    )
    if status is not None:
        query = query.where(Delivery.status == status)
    if reason:
        query = query.where(Delivery.reason == reason)
    if errcode is not None:
        query = query.where(Delivery.errcode == errcode)
    return query


def _speed(session: Session, campaign: Campaign) -> float:
    now = clock.now()
    if campaign.channel is Channel.MASS:
        taken = select(func.sum(Batch.sent)).where(
            Batch.campaign_id == campaign.id, Batch.accepted_at > now - MASS_RATE
        )
        since = max(now - MASS_RATE, campaign.starts_at or now)
        return int(session.scalar(taken) or 0) / max(1.0, (now - since).total_seconds())
    touched = select(Batch.number).where(
        Batch.campaign_id == campaign.id, Batch.leased_until > now + campaign_ledger.LEASE - 2 * RATE
    )
    done = select(func.count()).where(
        Delivery.campaign_id == campaign.id, Delivery.batch.in_(touched), Delivery.at > now - RATE,
        Delivery.status.in_((DeliveryStatus.SENT, DeliveryStatus.FAILED, DeliveryStatus.UNKNOWN)),
    )  # fmt: skip
    since = max(now - RATE, campaign.starts_at or now)
    return (session.scalar(done) or 0) / max(1.0, (now - since).total_seconds())
