"""Freezing a campaign's audience into the ledger, a piece in each transaction; and the end of one that is cancelled."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, literal, or_, select, update
from sqlalchemy.orm import Session

from bot import clock
from bot.fault_points import fault_point
from bot.services import campaign_contents
from bot.services.campaign_audience import Part, these
from bot.services.campaigns import fingerprint
from bot.wechat import limits
from models import (
    Account,
    Batch,
    BatchStatus,
    Campaign,
    CampaignStatus,
    Channel,
    Delivery,
    DeliveryStatus,
    Reach,
    TrackedLink,
    affected,
)

LEASE = timedelta(seconds=60)
BATCH = 1_000  # followers, where each is a call of their own
WRITE = 10_000  # rows in one transaction: the webhook waits no longer than for these


def take(session: Session, campaign_id: int) -> int | None:
    """Begin to prepare; returns the fence.  None: it does not wait for that, or another worker does it."""
    now = clock.now()
    return session.scalar(
        update(Campaign)
        .where(Campaign.id == campaign_id, Campaign.status == CampaignStatus.PREPARING)
        .where(or_(Campaign.leased_until.is_(None), Campaign.leased_until <= now))
        .values(fence=Campaign.fence + 1, leased_until=now + LEASE)
        .returning(Campaign.fence)
        .execution_options(synchronize_session=False)
    )


def holds(session: Session, campaign_id: int, fence: int, **values: object) -> bool:
    """Go on preparing; False: the launch was taken back, or another worker has it."""
    held = session.execute(
        update(Campaign)
        .where(Campaign.id == campaign_id, Campaign.status == CampaignStatus.PREPARING, Campaign.fence == fence)
        .values(leased_until=clock.now() + LEASE, **values)
        .execution_options(synchronize_session=False)
    )
    return affected(held) > 0


def clear(session: Session, campaign_id: int) -> bool:
    """Take out some rows of an earlier launch; False: there are none left."""
    ours = Delivery.campaign_id == campaign_id
    # A range of the key: PostgreSQL, which has no statistics of rows so young, compared each with each for a list.
    last = session.scalar(
        select(Delivery.follower_id).where(ours).order_by(Delivery.follower_id).offset(WRITE - 1).limit(1)
    )
    gone = delete(Delivery).where(ours) if last is None else delete(Delivery).where(ours, Delivery.follower_id <= last)
    session.execute(gone.execution_options(synchronize_session=False))
    if last is None:
        for table in (Batch, TrackedLink):
            session.execute(
                delete(table).where(table.campaign_id == campaign_id).execution_options(synchronize_session=False)
            )
    return last is not None


def most_of(campaign: Campaign, count: int) -> int:
    """How many of so many followers go into one batch: all, where one call reaches a whole tag."""
    if campaign.channel is not Channel.MASS:
        return BATCH
    return limits.MASS_OPENIDS.stop - 1 if campaign.reach is Reach.LIST else max(1, count)


def add_batch(
    session: Session, campaign: Campaign, number: int, variant: int, zone: str, size: int, due_at: datetime
) -> None:
    session.add(
        Batch(
            account_id=campaign.account_id,
            campaign_id=campaign.id,
            number=number,
            variant=variant,
            zone=zone,
            size=size,
            due_at=due_at,
            client_id=secrets.token_hex(16),
        )
    )


def freeze(session: Session, campaign: Campaign, part: Part, ids: Sequence[int], number: int, due_at: datetime) -> None:
    """Write one batch of the audience, or (number 0) some of those who get nothing."""
    if number:
        add_batch(session, campaign, number, part.variant, part.zone, len(ids), due_at)
    status = DeliveryStatus.EXCLUDED if part.reason else DeliveryStatus.PENDING
    whom = these(session, ids).subquery()
    columns = ("campaign_id", "follower_id", "batch", "variant", "status", "reason", "at")
    row = select(
        literal(campaign.id),
        next(iter(whom.c)),
        literal(number),
        literal(part.variant),
        literal(status, Delivery.status.type),
        literal(part.reason),
        literal(clock.now() if part.reason else None, Delivery.at.type),
    )
    session.execute(insert(Delivery).from_select(columns, row, include_defaults=False))
    fault_point("K1 after plan insert")


def keep_links(session: Session, campaign: Campaign) -> None:
    """Give each address in the content a code that counts who opens it."""
    for variant, content in enumerate(campaign_contents.contents_of(campaign)):
        for number, url in enumerate(campaign_contents.links_in(content)):
            code = campaign_contents.code_for(campaign, variant, number)
            session.add(
                TrackedLink(
                    account_id=campaign.account_id,
                    campaign_id=campaign.id,
                    variant=variant,
                    number=number,
                    code=code,
                    url=url,
                )
            )


def ready(session: Session, account: Account, campaign: Campaign, fence: int, excluded: dict[str, int]) -> bool:
    """The ledger is whole: wait for the start, or for a second person; False: the launch was taken back meanwhile."""
    batches = list(session.scalars(select(Batch).where(Batch.campaign_id == campaign.id)))
    count = sum(batch.size for batch in batches)
    needs_approval = account.approval_above is not None and count > account.approval_above
    is_approved = not needs_approval or campaign.approved_hash == fingerprint(session, campaign)
    moved = session.execute(
        update(Campaign)
        .where(Campaign.id == campaign.id, Campaign.status == CampaignStatus.PREPARING, Campaign.fence == fence)
        .values(
            status=CampaignStatus.SCHEDULED if is_approved else CampaignStatus.WAITING,
            starts_at=min((batch.due_at for batch in batches), default=clock.now()),
            excluded=excluded,
            audience=count + sum(excluded.values()),
            leased_until=None,
        )
        .execution_options(synchronize_session=False)
    )
    return affected(moved) > 0


def cancel_some(session: Session, campaign: Campaign) -> bool:
    """Close the next batch of a cancelled campaign that nobody is sending; False: there is none left."""
    dead = (Batch.status == BatchStatus.SENDING) & (Batch.leased_until <= clock.now())
    open_ = Batch.status.in_((BatchStatus.READY, BatchStatus.UNKNOWN)) | dead
    query = select(Batch).where(Batch.campaign_id == campaign.id, open_).limit(1)
    batch = session.scalars(query.with_for_update()).first()
    if batch is None:
        return False
    # What WeChat may have is not known: that is for a person to see, not for us to call cancelled.
    for was, to in (
        (DeliveryStatus.SENDING, DeliveryStatus.UNKNOWN),
        (DeliveryStatus.PENDING, DeliveryStatus.CANCELLED),
    ):
        closed = session.execute(
            update(Delivery)
            .where(Delivery.campaign_id == campaign.id, Delivery.batch == batch.number, Delivery.status == was)
            .values(status=to, at=clock.now())
            .execution_options(synchronize_session=False)
        )
        if to is DeliveryStatus.UNKNOWN:
            batch.unknown += affected(closed)
        else:
            batch.skipped += affected(closed)
    batch.status = BatchStatus.REVIEW if batch.unknown else BatchStatus.CANCELLED
    batch.leased_until, batch.fence = None, batch.fence + 1
    return True
