"""What WeChat reports of our messages; a report may come before the answer to the call, three times, late or never."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import clock
from bot.fault_points import fault_point
from bot.services import campaign_ledger
from models import (
    Account,
    Batch,
    BatchStatus,
    Campaign,
    Channel,
    Delivery,
    DeliveryStatus,
    InboundMessage,
    Reach,
)

MASS = "masssendjobfinish"
ASK_AFTER = (timedelta(minutes=10), timedelta(minutes=45), timedelta(hours=6))  # without a report we ask ourselves
RECENT = timedelta(days=2)  # reports of template messages come within seconds; later ones are not looked for


def accepted(session: Session, batch: Batch, msg_id: int, data_id: int | None) -> None:
    """WeChat took a mass message on; its report may have come before.

    A number that another batch has is not ours to count: a person must look (45065 was seen on first calls).
    """
    mine = select(Batch.id).where(Batch.account_id == batch.account_id, Batch.msg_id == msg_id, Batch.id != batch.id)
    if session.scalar(mine.limit(1)) is not None:
        batch.error = "clash"
        campaign_ledger.close_list(session, batch, BatchStatus.REVIEW, DeliveryStatus.UNKNOWN)
        return
    now = clock.now()
    batch.msg_id, batch.msg_data_id, batch.accepted_at, batch.check_at = msg_id, data_id, now, now + ASK_AFTER[0]
    campaign_ledger.close_list(session, batch, BatchStatus.ACCEPTED, DeliveryStatus.SENT)
    early = select(InboundMessage.fields).where(
        InboundMessage.account_id == batch.account_id,
        InboundMessage.event == MASS,
        InboundMessage.received_at >= (batch.first_tried_at or now) - RECENT,
    )
    for fields in session.scalars(early):
        if str(fields.get("MsgID")) == str(msg_id):
            ended(session, batch, fields)


def report(session: Session, account_id: int, fields: Mapping[str, Any]) -> bool:
    """A mass message has ended; False: no batch of ours has this number, or none yet."""
    msg_id = str(fields.get("MsgID", ""))
    if not msg_id.isdecimal() or len(msg_id) > 18:
        return False
    # Whoever records the answer to the call holds the account: one of the two finds what the other has written.
    session.execute(select(Account.id).where(Account.id == account_id).with_for_update())
    query = select(Batch).where(Batch.account_id == account_id, Batch.msg_id == int(msg_id))
    batch = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if batch is None:
        return False
    ended(session, batch, fields)
    fault_point("K16 inside event apply")
    return True


def ended(session: Session, batch: Batch, fields: Mapping[str, Any]) -> None:
    """Apply what WeChat says of the end, once; a person must look where it does not fit the list."""
    if batch.status is not BatchStatus.ACCEPTED:
        return
    status = str(fields.get("Status", ""))
    names = {"total": "TotalCount", "filtered": "FilterCount", "sent": "SentCount", "error": "ErrorCount"}
    batch.ended = {"status": status, **{name: _number(fields.get(key)) for name, key in names.items()}}
    batch.check_at = None
    campaign = session.get_one(Campaign, batch.campaign_id)
    named = batch.sent + batch.failed + batch.unknown
    if status != "send success":
        _undelivered(session, batch)
    elif campaign.reach is Reach.LIST and batch.ended["total"] not in (None, named):
        batch.status, batch.error = BatchStatus.REVIEW, "count"
    else:
        batch.status = BatchStatus.DONE
    session.flush()
    campaign_ledger.finish(session, campaign)


def asked(session: Session, batch_id: int, status: str) -> None:
    """What WeChat answered when we asked, as no report came; it tells no counts."""
    query = select(Batch).where(Batch.id == batch_id).with_for_update().execution_options(populate_existing=True)
    batch = session.scalars(query).one()
    if batch.status is not BatchStatus.ACCEPTED:
        return
    batch.checks += 1
    if status in ("SEND_SUCCESS", "DELETE"):
        batch.status, batch.check_at = BatchStatus.DONE, None
    elif status == "SEND_FAIL":
        _undelivered(session, batch)
    elif batch.checks < len(ASK_AFTER) and batch.accepted_at is not None:
        batch.check_at = batch.accepted_at + ASK_AFTER[batch.checks]
    else:
        batch.status, batch.error, batch.check_at = BatchStatus.REVIEW, "silence", None
    session.flush()
    campaign_ledger.finish(session, session.get_one(Campaign, batch.campaign_id))


def unreported(session: Session, campaign_id: int, now: datetime) -> list[tuple[int, int]]:
    """(batch, msg_id) of mass messages that WeChat took on and says nothing of."""
    query = select(Batch.id, Batch.msg_id).where(
        Batch.campaign_id == campaign_id, Batch.status == BatchStatus.ACCEPTED, Batch.check_at <= now
    )
    return [(batch_id, msg_id) for batch_id, msg_id in session.execute(query.limit(20)) if msg_id is not None]


def template_ended(session: Session, account_id: int, follower_id: int, msg_id: int, status: str) -> bool:
    """How a template message ended; False: it is none of a campaign's."""
    delivery = _latest(session, account_id, follower_id, Channel.TEMPLATE, Delivery.msg_id == msg_id)
    if delivery is not None and not status.startswith("success"):
        _fail(session, delivery, None)
    return delivery is not None


def notice_ended(session: Session, account_id: int, follower_id: int, errcode: int) -> bool:
    """The same for a subscription notice, of which only the follower is known."""
    delivery = _latest(session, account_id, follower_id, Channel.NOTICE)
    if delivery is not None and errcode:
        _fail(session, delivery, errcode)
    return delivery is not None


def _latest(session: Session, account_id: int, follower_id: int, channel: Channel, *also: Any) -> Delivery | None:
    since: datetime = clock.now() - RECENT
    query = (
        select(Delivery)
        .join(Campaign, Campaign.id == Delivery.campaign_id)
        .where(Campaign.account_id == account_id, Campaign.channel == channel, Campaign.launched_at.is_not(None))
        .where(Delivery.follower_id == follower_id, Delivery.at >= since, *also)
        .where(Delivery.status.in_((DeliveryStatus.SENT, DeliveryStatus.UNKNOWN)))
        .order_by(Delivery.at.desc())
        .limit(1)
    )
    return session.scalars(query).one_or_none()


def _fail(session: Session, delivery: Delivery, errcode: int | None) -> None:
    batch = session.scalars(
        select(Batch).where(Batch.campaign_id == delivery.campaign_id, Batch.number == delivery.batch).with_for_update()
    ).one()
    if delivery.status is DeliveryStatus.SENT:
        batch.sent -= 1
    else:
        batch.unknown -= 1
    batch.failed += 1
    delivery.status, delivery.errcode = DeliveryStatus.FAILED, errcode
    session.flush()


def _undelivered(session: Session, batch: Batch) -> None:
    """WeChat's check refused it: nobody got it."""
    campaign_ledger.turn(session, batch, DeliveryStatus.SENT, DeliveryStatus.FAILED)
    batch.status, batch.check_at = BatchStatus.FAILED, None


def _number(text: Any) -> int | None:
    return int(text) if str(text or "").isdecimal() else None
