"""What WeChat reports of our messages; a report may come before the answer to the call, three times, late or never."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from bot import clock
from bot.fault_points import fault_point
from bot.services import campaign_ledger
from bot.services.campaign_audience import these
from models import (
    Account,
    Batch,
    BatchStatus,
    Campaign,
    Channel,
    Delivery,
    DeliveryStatus,
    Follower,
    InboundMessage,
    Reach,
)

MASS, TEMPLATE, NOTICE = "masssendjobfinish", "templatesendjobfinish", "subscribe_msg_sent_event"
OF_CHANNEL = {Channel.TEMPLATE: TEMPLATE, Channel.NOTICE: NOTICE}  # one report for each follower
ASK_AFTER = (timedelta(minutes=10), timedelta(minutes=45), timedelta(hours=6))  # without a report we ask ourselves
RECENT = timedelta(days=2)  # reports of template messages come within seconds; later ones are not looked for
CLOCKS = timedelta(minutes=1)  # between WeChat's and ours


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
    _hold(session, account_id)
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


def one_ended(session: Session, account_id: int, follower_id: int, event: str, fields: Mapping[str, Any]) -> bool:
    """A template message or a notice to one follower has ended; False: it is none of a campaign's, or not yet."""
    if _errcode(event, fields) is not None:
        _hold(session, account_id)
    channel = Channel.TEMPLATE if event == TEMPLATE else Channel.NOTICE
    query = (
        select(Delivery, Campaign)
        .join(Campaign, Campaign.id == Delivery.campaign_id)
        .where(Campaign.account_id == account_id, Campaign.channel == channel, Campaign.launched_at.is_not(None))
        .where(Delivery.follower_id == follower_id, Delivery.at >= clock.now() - RECENT)
        .where(Delivery.status.in_((DeliveryStatus.SENDING, DeliveryStatus.SENT, DeliveryStatus.UNKNOWN)))
        .order_by(Delivery.at.desc())
        .limit(20)
    )
    for delivery, campaign in session.execute(query.execution_options(populate_existing=True)):
        if _is_of(fields, campaign, delivery, delivery.at):
            if delivery.status is not DeliveryStatus.SENDING:  # who records that answer looks here for the report
                _apply(session, delivery, event, fields)
            return True
    return False


def came_early(session: Session, account: Account, campaign: Campaign, ids: Collection[int], since: datetime) -> None:
    """Apply the failures that were reported before the answers to these calls, made since then, were recorded."""
    if ids and campaign.channel in OF_CHANNEL:
        _look_back(session, account, campaign, since, Delivery.follower_id.in_(these(session, ids)))


def of_the_dead(session: Session, account: Account, campaign: Campaign, batch: Batch) -> None:
    """The same of notices that a dead worker sent: nobody knows of an answer to them, and no try will bring one."""
    if campaign.channel is Channel.NOTICE and batch.unknown:
        _look_back(session, account, campaign, None, Delivery.batch == batch.number)


def _look_back(
    session: Session, account: Account, campaign: Campaign, since: datetime | None, *which: ColumnElement[bool]
) -> None:
    session.flush()
    event, ends = OF_CHANNEL[campaign.channel], (DeliveryStatus.SENT, DeliveryStatus.UNKNOWN)
    found = select(Delivery, Follower.openid).join(Follower, Follower.id == Delivery.follower_id)
    found = found.where(Delivery.campaign_id == campaign.id, Delivery.status.in_(ends[since is None :]), *which)
    rows = session.execute(found.execution_options(populate_existing=True))
    by_openid = {openid: delivery for delivery, openid in rows}
    # By whom it is about: within a few seconds there may be thousands.  The time is looked at below, so that SQLite
    # does not take the index by time.
    reports = select(InboundMessage.openid, InboundMessage.received_at, InboundMessage.fields).where(
        InboundMessage.account_id == account.id,
        InboundMessage.openid.in_(list(by_openid)),
        InboundMessage.event == event,
    )
    for openid, received_at, fields in session.execute(reports):
        delivery = by_openid[openid]
        sent_at = since or delivery.at
        is_later = sent_at is not None and received_at >= sent_at
        if is_later and delivery.status in ends and _is_of(fields, campaign, delivery, sent_at):
            _apply(session, delivery, event, fields)


def _hold(session: Session, account_id: int) -> None:
    """Whoever records the answer to a call holds the account: one of the two finds what the other has written."""
    session.execute(select(Account.id).where(Account.id == account_id).with_for_update(key_share=True))


def _is_of(fields: Mapping[str, Any], campaign: Campaign, delivery: Delivery, sent_at: datetime | None) -> bool:
    """Is a report about this delivery?  Of a notice only template and time are known."""
    if campaign.channel is Channel.TEMPLATE:
        return delivery.msg_id is not None and str(fields.get("MsgID", "")) == str(delivery.msg_id)
    template_id = campaign.variants[delivery.variant]["content"].get("template_id")
    made_at = datetime.fromtimestamp(_number(fields.get("CreateTime")) or 0, UTC)
    return _notice(fields).get("TemplateId") == template_id and sent_at is not None and sent_at <= made_at + CLOCKS


def _errcode(event: str, fields: Mapping[str, Any]) -> int | None:
    """None: it went well; 0: WeChat tells no number."""
    if event == TEMPLATE:
        return None if str(fields.get("Status", "")).startswith("success") else 0
    return _number(_notice(fields).get("ErrorCode")) or None


def _notice(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = fields.get("SubscribeMsgSentEvent")
    listed = inner.get("List") if isinstance(inner, dict) else None
    first = listed[0] if isinstance(listed, list) and listed else listed
    return first if isinstance(first, dict) else {}


def _apply(session: Session, delivery: Delivery, event: str, fields: Mapping[str, Any]) -> None:
    if (errcode := _errcode(event, fields)) is not None:
        _fail(session, delivery, errcode or None)


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
    if batch.status is BatchStatus.REVIEW and not batch.unknown:
        batch.status = BatchStatus.DONE
    session.flush()


def _undelivered(session: Session, batch: Batch) -> None:
    """WeChat's check refused it: nobody got it."""
    campaign_ledger.turn(session, batch, DeliveryStatus.SENT, DeliveryStatus.FAILED)
    batch.status, batch.check_at = BatchStatus.FAILED, None


def _number(text: Any) -> int | None:
    return int(text) if str(text or "").isdecimal() else None
