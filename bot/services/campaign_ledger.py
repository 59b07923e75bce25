"""The send ledger: an audience frozen as rows, each row's intent committed before the call and its outcome after it.

A batch is claimed with a lease and a fence; whoever lost the lease changes no row any more.  All claims of one account
go one after the other, so that what they look at (caps, opt-outs, the pace) does not change under them.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from bot import clock
from bot.fault_points import fault_point
from bot.services import campaign_audience, campaign_schedule
from bot.services.campaign_audience import these
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
    Follower,
    Reach,
    ReplyWindow,
    Tag,
    affected,
)

LEASE = timedelta(seconds=60)  # longer than a call with its token refreshed twice
CALLS = 128  # at once by one worker
SLOT = 0.25  # seconds of the pace that are claimed at once
AHEAD = timedelta(seconds=0.5)  # and how early: a pause holds within a second
# A worker comes back for more when its last answers are in, somewhat late: it may make up for so much.  After a longer
# break, such as a restart, there is no burst.
CATCH_UP = timedelta(seconds=1)
MASS_SLOT = timedelta(seconds=60 / (limits.MASS_A_MINUTE - 1))
KEYED_FOR = timedelta(hours=20)  # WeChat remembers a client id for 24
TEMPLATE_KEYED_FOR = timedelta(minutes=8)  # and of a template message for 10
FINAL = (BatchStatus.DONE, BatchStatus.REVIEW, BatchStatus.FAILED, BatchStatus.CANCELLED)
PENDING, SENDING, SENT = DeliveryStatus.PENDING, DeliveryStatus.SENDING, DeliveryStatus.SENT
FAILED, UNKNOWN, EXCLUDED = DeliveryStatus.FAILED, DeliveryStatus.UNKNOWN, DeliveryStatus.EXCLUDED


@dataclass(frozen=True, slots=True)
class Claim:
    """Some deliveries that are ours to make, until the lease ends."""

    batch_id: int
    number: int
    fence: int
    variant: int
    client_id: str
    openids: dict[int, str]  # follower id → openid
    starts_at: datetime  # the pace lets the first go then
    ends_at: datetime  # the lease does: from then on they are somebody else's, and no call may go out
    seconds: float = 0.0  # over which they are spread
    draft_id: str = ""
    is_first: bool = True  # they were never tried before: what is refused now was certainly not sent
    windows: Mapping[int, int] = field(default_factory=dict)  # follower id → the reply window it was counted against


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one delivery; PENDING: certainly not sent, it goes back."""

    status: DeliveryStatus
    errcode: int | None = None
    msg_id: int | None = None
    is_judged: bool = True  # False: it is about this follower alone, and says nothing of the campaign


# Claiming -------------------------------------------------------------------------------------------------------------


def lock(session: Session, campaign_id: int) -> tuple[Account, Campaign]:
    """Hold the account and the campaign until this transaction ends."""
    account_id = select(Campaign.account_id).where(Campaign.id == campaign_id).scalar_subquery()
    account = session.scalars(select(Account).where(Account.id == account_id).with_for_update()).one()
    query = select(Campaign).where(Campaign.id == campaign_id).with_for_update()
    return account, session.scalars(query.execution_options(populate_existing=True)).one()


def find_due(session: Session, campaign: Campaign, now: datetime) -> Batch | None:
    """The batch to go on with: one whose time has come, or whose worker has died."""
    due = or_(
        Batch.status.in_((BatchStatus.READY, BatchStatus.UNKNOWN)) & (Batch.due_at <= now),
        (Batch.status == BatchStatus.SENDING) & (Batch.leased_until <= now),
    )
    query = select(Batch).where(Batch.campaign_id == campaign.id, due).order_by(Batch.due_at, Batch.number).limit(1)
    return session.scalars(query.execution_options(populate_existing=True)).first()


def take(session: Session, batch: Batch, now: datetime) -> int:
    """Make a batch ours; returns the fence."""
    batch.fence += 1
    batch.status, batch.leased_until = BatchStatus.SENDING, now + LEASE
    session.flush()
    fault_point("K5 before claim commit")
    return batch.fence


def is_quiet(session: Session, campaign: Campaign, batch: Batch, now: datetime) -> bool:
    """It is put off to the end of the quiet hours where these followers live, if it is one of them."""
    later = campaign_schedule.may_start(now + AHEAD * 2, batch.zone, campaign.quiet_from, campaign.quiet_until)
    if later <= now + AHEAD * 2:
        return False
    batch.due_at = later
    return True


def claim_list(session: Session, account: Account, campaign: Campaign, batch: Batch, now: datetime) -> Claim | None:
    """All of a mass message's batch.  Its list is frozen with the first try: the client id stands for just this list.

    None: nobody is left in it, or (then it needs a person) WeChat no longer remembers its client id.
    """
    if batch.first_tried_at is not None and now - batch.first_tried_at > KEYED_FOR:
        close_list(session, batch, BatchStatus.REVIEW, UNKNOWN)
        return None
    ours = (Delivery.campaign_id == campaign.id, Delivery.batch == batch.number)
    is_first = batch.first_tried_at is None
    if is_first:
        ids = list(session.scalars(select(Delivery.follower_id).where(*ours, Delivery.status == PENDING)))
        exclude(session, campaign, batch, campaign_audience.changed(session, account, campaign, ids, now))
        left = batch.size - batch.skipped
        if left == 1 and campaign.reach == "list":  # WeChat's lists begin with two
            alone = session.scalars(select(Delivery.follower_id).where(*ours, Delivery.status == PENDING)).one()
            exclude(session, campaign, batch, {alone: "alone"})
            left = 0
        if left == 0:
            batch.status = BatchStatus.DONE
            return None
        session.execute(
            update(Delivery)
            .where(*ours, Delivery.status == PENDING)
            .values(status=SENDING, at=now)
            .execution_options(synchronize_session=False)
        )
        batch.first_tried_at = now
    starts_at = begins(next_mass(session, account), now)
    campaign.next_at = starts_at + max(MASS_SLOT, timedelta(seconds=batch.left / campaign.pace if campaign.pace else 0))
    batch.attempts += 1
    fence = take(session, batch, now)
    rows = select(Delivery.follower_id, Follower.openid).join(Follower, Follower.id == Delivery.follower_id)
    openids: dict[int, str] = {}
    if campaign.reach == "list":
        openids = dict(session.execute(rows.where(*ours, Delivery.status == SENDING).order_by(Follower.id)).all())
    return Claim(
        *(batch.id, batch.number, fence, batch.variant, batch.client_id, openids, starts_at, now + LEASE),
        draft_id=batch.draft_id,
        is_first=is_first,
    )


def begins(next_at: datetime | None, now: datetime) -> datetime:
    """When the pace lets the next one go: where it was a little while ago, the time since is made up for."""
    return next_at if next_at is not None and next_at > now - CATCH_UP else now


def next_mass(session: Session, account: Account) -> datetime | None:
    """When the account's next mass call may go: WeChat counts those of all campaigns together."""
    mine = select(func.max(Campaign.next_at)).where(
        Campaign.account_id == account.id, Campaign.channel == Channel.MASS, Campaign.launched_at.is_not(None)
    )
    return session.scalar(mine)


def claim_some(
    session: Session, account: Account, campaign: Campaign, batch: Batch, now: datetime, fence: int | None
) -> Claim | None:
    """The next few of a batch on a channel with one call a follower; ``fence``: it is ours already.

    None: the batch has nobody left, and is closed.
    """
    batch.leased_until = now + LEASE
    fence = take(session, batch, now) if fence is None else fence
    most = min(CALLS, max(1, round(campaign.pace * SLOT))) if campaign.pace else CALLS
    _left_over(session, campaign, batch, now)
    rows = (
        select(Delivery.follower_id, Follower.openid)
        .join(Follower, Follower.id == Delivery.follower_id)
        .where(Delivery.campaign_id == campaign.id, Delivery.batch == batch.number)
        .order_by(Delivery.follower_id)
    )
    again: dict[int, str] = {}
    if campaign.channel is Channel.TEMPLATE:  # a dead worker's: WeChat knows them by their key
        known = rows.where(Delivery.status == SENDING, Delivery.at > now - TEMPLATE_KEYED_FOR)
        again = dict(session.execute(known.limit(most)).all())
    openids = again or dict(session.execute(rows.where(Delivery.status == PENDING).limit(most)).all())
    if not openids:
        batch.status = BatchStatus.REVIEW if batch.unknown else BatchStatus.DONE
        return None
    gone = {} if again else campaign_audience.changed(session, account, campaign, list(openids), now)
    windows: dict[int, int] = {}
    if campaign.channel is Channel.SERVICE:
        windows = _spend(session, [each for each in openids if each not in gone], now)
        gone |= {each: "no_window" for each in openids if each not in windows and each not in gone}
    exclude(session, campaign, batch, gone)
    openids = {each: openid for each, openid in openids.items() if each not in gone}
    mark(session, campaign, openids, PENDING, status=SENDING, at=now)  # none of those that are tried again
    batch.first_tried_at = batch.first_tried_at or now
    starts_at, seconds = now, 0.0
    if campaign.pace:
        starts_at = begins(campaign.next_at, now)
        seconds = len(openids) / campaign.pace
        campaign.next_at = starts_at + timedelta(seconds=seconds)
    return Claim(
        *(batch.id, batch.number, fence, batch.variant, batch.client_id, openids, starts_at, now + LEASE, seconds),
        is_first=not again,
        windows=windows,
    )


def _left_over(session: Session, campaign: Campaign, batch: Batch, now: datetime) -> None:
    """Their worker died between intent and outcome: these are not sent again, but for those WeChat knows by a key."""
    lost = update(Delivery).where(
        Delivery.campaign_id == campaign.id, Delivery.batch == batch.number, Delivery.status == SENDING
    )
    if campaign.channel is Channel.TEMPLATE:
        lost = lost.where(Delivery.at <= now - TEMPLATE_KEYED_FOR)
    ended = session.execute(lost.values(status=UNKNOWN).execution_options(synchronize_session=False))
    batch.unknown += affected(ended)


def _spend(session: Session, ids: Sequence[int], now: datetime) -> dict[int, int]:
    """Count one message against each follower's window that closes first: follower → window."""
    is_open = (ReplyWindow.left > 0, ReplyWindow.expires_at > now + campaign_audience.CLOSING)
    query = select(ReplyWindow.follower_id, ReplyWindow.id).where(ReplyWindow.follower_id.in_(ids), *is_open)
    first = dict(session.execute(query.order_by(ReplyWindow.expires_at.desc())).all())  # the last named wins
    spent = session.execute(
        update(ReplyWindow)
        .where(ReplyWindow.id.in_(first.values()), *is_open)
        .values(left=ReplyWindow.left - 1)
        .returning(ReplyWindow.follower_id, ReplyWindow.id)
        .execution_options(synchronize_session=False)
    )
    return dict(spent.all())


# Settling -------------------------------------------------------------------------------------------------------------


def held(session: Session, batch_id: int, fence: int) -> Batch | None:
    """The batch, if its lease is still ours."""
    query = select(Batch).where(Batch.id == batch_id, Batch.fence == fence, Batch.status == BatchStatus.SENDING)
    return session.scalars(query.with_for_update().execution_options(populate_existing=True)).one_or_none()


def settle_some(
    session: Session, campaign: Campaign, batch: Batch, claim: Claim, outcomes: Mapping[int, Outcome], now: datetime
) -> None:
    """Record what became of each; what was certainly not sent goes back, and its window gets its message back."""
    kinds: dict[tuple[DeliveryStatus, int | None], list[int]] = {}
    for follower_id, outcome in outcomes.items():
        kinds.setdefault((outcome.status, outcome.errcode), []).append(follower_id)
    for (status, errcode), ids in kinds.items():
        mark(session, campaign, ids, SENDING, status=status, errcode=errcode, at=now)
    numbered = [{"f": each, "m": outcome.msg_id} for each, outcome in outcomes.items() if outcome.msg_id is not None]
    if numbered:
        _note_numbers(session, campaign, numbered)
    fault_point("K12 inside settle")
    count = Counter(outcome.status for outcome in outcomes.values())
    batch.sent += count[SENT]
    batch.failed += count[FAILED]
    batch.unknown += count[UNKNOWN]
    judge(campaign, outcomes.values())
    back = [claim.windows[each] for each, outcome in outcomes.items() if outcome.status is PENDING and claim.windows]
    if back:
        session.execute(
            update(ReplyWindow)
            .where(ReplyWindow.id.in_(back), ReplyWindow.left < limits.MESSAGE_WINDOW.messages)
            .values(left=ReplyWindow.left + 1)
            .execution_options(synchronize_session=False)
        )


def judge(campaign: Campaign, outcomes: Iterable[Outcome], times: int = 1) -> None:
    """Count for the breaker: of the last hundred or so, how many failed for a reason that may hold for all."""
    judged = [each for each in outcomes if each.is_judged]
    if campaign.judged >= 100:
        campaign.judged = campaign.judged_failed = 0
    campaign.judged += len(judged) * times
    campaign.judged_failed += sum(each.status is not SENT for each in judged) * times
    if campaign.judged >= 20 and campaign.judged_failed * 2 > campaign.judged:
        stop(campaign, "breaker", next((each.errcode for each in judged if each.status is not SENT), None))


def stop(campaign: Campaign, why: str, errcode: int | None = None) -> None:
    """Pause because something is wrong that a person must look at."""
    if campaign.status is CampaignStatus.SENDING:
        campaign.status, campaign.why, campaign.errcode = CampaignStatus.PAUSED, why, errcode
        campaign.judged = campaign.judged_failed = 0


def park(session: Session, campaign: Campaign, until: datetime, errcode: int | None) -> None:
    """WeChat's quota is used up: all campaigns of the account on this channel wait, others go on."""
    session.execute(
        update(Campaign)
        .where(Campaign.account_id == campaign.account_id, Campaign.channel == campaign.channel)
        .where(Campaign.status.in_((CampaignStatus.SENDING, CampaignStatus.PAUSED, CampaignStatus.SCHEDULED)))
        .values(parked_until=until, errcode=errcode)
        .execution_options(synchronize_session=False)
    )
    campaign.parked_until, campaign.errcode = until, errcode


def release(batch: Batch, status: BatchStatus, due_at: datetime) -> None:
    """Give a batch back, to be gone on with then."""
    batch.status, batch.due_at, batch.leased_until = status, due_at, None


def unfreeze(session: Session, batch: Batch) -> None:
    """WeChat certainly never saw the list, so it may still change."""
    session.execute(
        update(Delivery)
        .where(Delivery.campaign_id == batch.campaign_id, Delivery.batch == batch.number, Delivery.status == SENDING)
        .values(status=PENDING, at=None)
        .execution_options(synchronize_session=False)
    )
    batch.first_tried_at = None


def close_list(session: Session, batch: Batch, status: BatchStatus, of_each: DeliveryStatus) -> None:
    """A mass message's call has an end, and so have its deliveries."""
    turn(session, batch, SENDING, of_each)
    batch.status, batch.leased_until = status, None


def turn(session: Session, batch: Batch, was: DeliveryStatus, to: DeliveryStatus) -> None:
    """All of a batch's deliveries that stand one way stand another way now, and the batch counts them so."""
    moved = session.execute(
        update(Delivery)
        .where(Delivery.campaign_id == batch.campaign_id, Delivery.batch == batch.number, Delivery.status == was)
        .values(status=to, at=clock.now(), errcode=batch.errcode if to is FAILED else None)
        .execution_options(synchronize_session=False)
    )
    for status, sign in ((was, -1), (to, 1)):
        if status in (SENT, FAILED, UNKNOWN):
            setattr(batch, status.value, getattr(batch, status.value) + sign * affected(moved))


def exclude(session: Session, campaign: Campaign, batch: Batch, gone: Mapping[int, str]) -> None:
    """They were to get it, and may not any more."""
    by_reason: dict[str, list[int]] = {}
    for follower_id, reason in gone.items():
        by_reason.setdefault(reason, []).append(follower_id)
    for reason, ids in by_reason.items():
        mark(session, campaign, ids, PENDING, status=EXCLUDED, reason=reason, at=clock.now())
    batch.skipped += len(gone)


def mark(session: Session, campaign: Campaign, ids: Collection[int], was: DeliveryStatus, **values: Any) -> None:
    if ids:
        session.execute(
            update(Delivery)
            .where(Delivery.campaign_id == campaign.id, Delivery.follower_id.in_(these(session, ids)))
            .where(Delivery.status == was)
            .values(**values)
            .execution_options(synchronize_session=False)
        )


def finish(session: Session, campaign: Campaign) -> bool:
    """The campaign is over once each of its batches is."""
    if session.scalar(select(Batch.id).where(Batch.campaign_id == campaign.id, Batch.status.not_in(FINAL)).limit(1)):
        return False
    if campaign.status in (CampaignStatus.SENDING, CampaignStatus.PAUSED):
        campaign.status, campaign.why = CampaignStatus.FINISHED, ""
        campaign.finished_at = clock.now()
    return True


def has_more(session: Session, campaign_id: int) -> bool:
    """A batch waits that no worker has."""
    waiting = select(Batch.id).where(Batch.campaign_id == campaign_id, Batch.status == BatchStatus.READY)
    return session.scalar(waiting.where(Batch.due_at <= clock.now()).offset(1).limit(1)) is not None


def wechat_tag(session: Session, campaign_id: int) -> int | None:
    """WeChat's number of the tag that a campaign goes to; None: to all."""
    query = select(Tag.wechat_id).join(Campaign, Campaign.tag_id == Tag.id)
    return session.scalar(query.where(Campaign.id == campaign_id, Campaign.reach == Reach.TAG))


def _note_numbers(session: Session, campaign: Campaign, numbered: list[dict[str, Any]]) -> None:
    table = Delivery.__table__
    statement = (
        update(table)  # type: ignore[arg-type]
        .where(table.c.campaign_id == campaign.id, table.c.follower_id == bindparam("f"))
        .values(msg_id=bindparam("m"))
    )
    session.connection().execute(statement, numbered)
