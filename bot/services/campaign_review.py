"""What a person decides about a campaign that was sent: what failed again, what is not known, what to take back."""

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from bot import clock
from bot.errors import Conflict, Refused
from bot.queue import enqueue
from bot.services import campaign_launches, tasks
from bot.services.campaign_audience import these
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
    Task,
    affected,
)

AT_ONCE = 100_000  # deliveries one person decides about in one step
ENDED = (CampaignStatus.FINISHED, CampaignStatus.PAUSED, CampaignStatus.CANCELLED)
RECALLED = ("articles", "video")  # what WeChat can take back


def retry_failed(session: Session, account: Account, campaign: Campaign) -> int:
    """Send again to those who certainly did not get it; returns how many."""
    return _again(session, campaign, DeliveryStatus.FAILED)


def send_unknown_again(session: Session, account: Account, campaign: Campaign) -> int:
    """Send again to those of whom it is not known: some may get it twice, which is a person's decision."""
    return _again(session, campaign, DeliveryStatus.UNKNOWN)


def count_unknown_as_sent(session: Session, account: Account, campaign: Campaign) -> int:
    """Leave those of whom it is not known as they are, and count them as sent."""
    counted = 0
    unclear = or_(Batch.unknown > 0, Batch.status == BatchStatus.REVIEW)  # also what WeChat took and never reported on
    for batch in session.scalars(select(Batch).where(Batch.campaign_id == campaign.id, unclear).with_for_update()):
        counted += batch.unknown
        session.execute(
            update(Delivery)
            .where(Delivery.campaign_id == campaign.id, Delivery.batch == batch.number)
            .where(Delivery.status == DeliveryStatus.UNKNOWN)
            .values(status=DeliveryStatus.SENT)
            .execution_options(synchronize_session=False)
        )
        batch.sent, batch.unknown = batch.sent + batch.unknown, 0
        if batch.status is BatchStatus.REVIEW:
            batch.status = BatchStatus.DONE
    return counted


def recall(session: Session, account: Account, campaign: Campaign) -> Task:
    """Take back what WeChat can take back: articles and videos open to "deleted"; who has read them has.

    Raises:
        Refused: this kind of message cannot be taken back, or WeChat has none of it.
        Conflict: another campaign of the account is being taken back.
    """
    if campaign.channel is not Channel.MASS or campaign.variants[0]["content"]["kind"] not in RECALLED:
        raise Refused("WeChat takes back only articles and videos of a mass message.")
    taken = select(Batch.id).where(Batch.campaign_id == campaign.id, Batch.msg_id.is_not(None)).limit(1)
    if session.scalar(taken) is None:
        raise Refused("WeChat has not taken any of it, so there is nothing to take back.")
    task = tasks.start(session, account, "campaign_recall", {"campaign_id": campaign.id})
    if task.state["campaign_id"] != campaign.id:
        raise Conflict("Another campaign is being taken back; wait for its end, then take this one back.")
    return task


def _again(session: Session, campaign: Campaign, was: DeliveryStatus) -> int:
    """Move deliveries into batches of their own, with client ids of their own."""
    moved = session.execute(
        update(Campaign)
        .where(Campaign.id == campaign.id, Campaign.status.in_(ENDED))
        .values(status=CampaignStatus.SENDING, why="", errcode=None, finished_at=None, judged=0, judged_failed=0)
        .execution_options(synchronize_session=False)
    )
    session.refresh(campaign)
    if affected(moved) == 0:
        raise Conflict("“{name}” is still being sent; wait for its end, or pause it.", name=campaign.name)
    query = select(Delivery.follower_id, Delivery.batch, Delivery.variant).where(
        Delivery.campaign_id == campaign.id, Delivery.status == was
    )
    by_batch: dict[tuple[int, int], list[int]] = {}
    # One call reaches all of a tag: some of them now and some later would be two calls, each to everybody.
    is_one_call = campaign.reach is not Reach.LIST
    for follower_id, number, variant in session.execute(query if is_one_call else query.limit(AT_ONCE)):
        by_batch.setdefault((number, variant), []).append(follower_id)
    if not by_batch:
        raise Refused("There is nobody to send to again.")
    old = {batch.number: batch for batch in session.scalars(select(Batch).where(Batch.campaign_id == campaign.id))}
    fresh: dict[tuple[str, int], list[int]] = {}
    for (number, variant), ids in by_batch.items():
        batch = old[number]
        batch.size -= len(ids)
        setattr(batch, was.value, getattr(batch, was.value) - len(ids))
        if batch.status in (BatchStatus.REVIEW, BatchStatus.FAILED) and not batch.unknown and not batch.failed:
            batch.status = BatchStatus.DONE
        fresh.setdefault((batch.zone, variant), []).extend(ids)
    number = max(old)
    for (zone, variant), ids in fresh.items():
        most = campaign_launches.most_of(campaign, len(ids))
        for start in range(0, len(ids), most):
            number += 1
            some = ids[start : start + most]
            campaign_launches.add_batch(session, campaign, number, variant, zone, len(some), clock.now())
            session.execute(
                update(Delivery)
                .where(Delivery.campaign_id == campaign.id, Delivery.follower_id.in_(these(session, some)))
                .values(status=DeliveryStatus.PENDING, batch=number, errcode=None, msg_id=None, at=None)
                .execution_options(synchronize_session=False)
            )
    session.flush()
    enqueue(session, "campaigns.advance", campaign.id, queue="broadcasts")
    return sum(len(ids) for ids in by_batch.values())
