"""Launching a campaign and steering it: each step is one conditional update, so of two who press one wins."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from bot import clock
from bot.errors import Conflict, Forbidden, Refused
from bot.queue import enqueue
from bot.services import abilities, campaign_audience, campaign_contents, campaign_ledger, campaign_schedule
from bot.services.campaign_audience import UNDO
from bot.services.campaigns import fingerprint
from models import (
    Account,
    Batch,
    BatchStatus,
    Campaign,
    CampaignStatus,
    Channel,
    Follower,
    FollowerTag,
    Reach,
    affected,
)

MAY = {Channel.TEMPLATE: "templates", Channel.NOTICE: "templates", Channel.SERVICE: "write_later"}
RUNNING = (CampaignStatus.SENDING, CampaignStatus.PAUSED)
TAKEN_BACK = (CampaignStatus.PREPARING, CampaignStatus.WAITING, CampaignStatus.SCHEDULED, CampaignStatus.MISSED)

# Launching ------------------------------------------------------------------------------------------------------------


def launch(session: Session, account: Account, campaign: Campaign, *, seen: int | None = None, who: str = "") -> None:
    """Freeze the audience (a worker does) and send when its time comes; for 30 seconds it can be undone.

    Raises:
        Refused: the account may not do this, or something is wrong with the plan: the first such thing.
        Conflict: it is no longer a draft, or not the one that was seen.
    """
    must_be_able(session, account, campaign)
    now = clock.now()
    claimed = session.execute(
        update(Campaign)
        .where(Campaign.id == campaign.id, Campaign.status == CampaignStatus.DRAFT)
        .where(Campaign.version == (campaign.version if seen is None else seen))
        .values(
            status=CampaignStatus.PREPARING,
            launched_at=now,
            launched_by=who[:64],
            fence=Campaign.fence + 1,
            **dict.fromkeys(("why",), ""),
            **dict.fromkeys(("leased_until", "starts_at", "finished_at", "errcode", "next_at", "parked_until")),
            **dict.fromkeys(("judged", "judged_failed"), 0),
        )
        .execution_options(synchronize_session=False)
    )
    session.refresh(campaign)
    if affected(claimed) == 0:  # two pressed the button, or one of them has just changed it
        raise Conflict("“{name}” was launched or changed a moment ago; look at it again.", name=campaign.name)
    enqueue(session, "campaigns.advance", campaign.id, queue="broadcasts")


def must_be_able(session: Session, account: Account, campaign: Campaign) -> None:
    """
    Raises:
        Refused: why it cannot be launched as it is.
    """
    needed = MAY.get(campaign.channel) or ("send_to_chosen" if campaign.reach is Reach.LIST else "broadcast")
    ability = next(each for each in abilities.of(account) if each.name == needed)
    if ability.may is not abilities.May.YES:
        raise Refused(ability.why, field="channel")
    if campaign.starts:
        starts_at = campaign_schedule.starts_in(campaign.starts, account.timezone)
        if starts_at < clock.now() - timedelta(minutes=campaign.missed_minutes):
            raise Refused("Its start has passed; choose another.", field="starts")
    campaign_audience.rows(session, account, campaign)  # raises when nobody was chosen
    for problem in campaign_contents.lint(session, account, campaign):
        if problem.is_error:
            raise Refused(problem.sentence, field=f"variants.{problem.variant}.content", **problem.values)
    if campaign.reach is not Reach.LIST:
        if account.cap_messages and not campaign.ignores_cap:
            sentence = "A tag or all reaches everyone in it: the cap cannot hold. Send to a list, or beyond the cap."
            raise Refused(sentence, field="ignores_cap")
        out = select(Follower.id).where(Follower.account_id == account.id, Follower.opted_out_at.is_not(None))
        out = out.where(Follower.is_subscribed.is_(True))
        if campaign.reach is Reach.TAG:
            out = out.where(
                Follower.id.in_(select(FollowerTag.follower_id).where(FollowerTag.tag_id == campaign.tag_id))
            )
        if session.scalar(out.limit(1)):
            sentence = "Some of them have opted out, and WeChat would write to them all the same. Send to a list."
            raise Refused(sentence, field="reach")


def undo(session: Session, account: Account, campaign: Campaign) -> None:
    """Take a launch back, before its first message: it is a draft again.

    Raises:
        Conflict: sending has begun; it can be cancelled.
    """
    frozen = dict.fromkeys(("launched_at", "starts_at", "audience"))
    _move(session, campaign, TAKEN_BACK, CampaignStatus.DRAFT, fence=Campaign.fence + 1, excluded={}, **frozen)


def approve(session: Session, account: Account, campaign: Campaign, *, seen: int | None = None, who: str) -> None:
    """Let a campaign go that needs a second person.

    ``seen``: the version that was looked at.

    Raises:
        Forbidden: whoever launched it cannot approve it.
        Conflict: it does not wait for that, or was changed since.
    """
    if campaign.launched_by == who:
        raise Forbidden("A second person has to approve it; you launched it.")
    if seen is not None and campaign.version != seen:
        raise Conflict("{who} has changed “{name}” meanwhile.", who=campaign.who, name=campaign.name)
    values: dict[str, Any] = {"approved_hash": fingerprint(session, campaign), "approved_by": who[:64]}
    if not campaign.starts:
        values["starts_at"] = max(clock.now(), campaign.starts_at or clock.now())
    # It may have been taken back meanwhile, and launched by whoever approves here.
    as_seen = (Campaign.version == campaign.version, Campaign.launched_by == campaign.launched_by)
    _move(session, campaign, (CampaignStatus.WAITING,), CampaignStatus.SCHEDULED, *as_seen, **values)


# Steering -------------------------------------------------------------------------------------------------------------


def begin(session: Session, campaign: Campaign) -> bool:
    """Its time has come: it is sent, or asks, where it comes too late; False: it was not waiting any more."""
    now = clock.now()
    late = campaign.starts_at is not None and now - campaign.starts_at > timedelta(minutes=campaign.missed_minutes)
    to = CampaignStatus.MISSED if late else CampaignStatus.SENDING
    try:
        _move(session, campaign, (CampaignStatus.SCHEDULED,), to, Campaign.starts_at <= now)
    except Conflict:
        return False
    return not late


def begin_now(session: Session, account: Account, campaign: Campaign) -> None:
    """Start one whose start was missed; whoever waits for approval or the start goes on waiting.

    Raises:
        Conflict: it does not ask for that.
    """
    ready = (CampaignStatus.MISSED, CampaignStatus.SCHEDULED)
    _move(session, campaign, ready, CampaignStatus.SENDING, Campaign.starts_at <= clock.now())
    enqueue(session, "campaigns.advance", campaign.id, queue="broadcasts")


def pause(session: Session, account: Account, campaign: Campaign) -> None:
    """Within a second nothing more goes out; what WeChat has taken it has.

    Raises:
        Conflict: it is not being sent.
    """
    _move(session, campaign, (CampaignStatus.SENDING,), CampaignStatus.PAUSED, why="person", errcode=None)


def resume(session: Session, account: Account, campaign: Campaign) -> None:
    """Go on where it stopped; nobody is written to twice.

    Raises:
        Conflict: it is not paused.
    """
    _move(session, campaign, (CampaignStatus.PAUSED,), CampaignStatus.SENDING, why="", errcode=None, judged=0,
          judged_failed=0, parked_until=None)  # fmt: skip
    enqueue(session, "campaigns.advance", campaign.id, queue="broadcasts")


def cancel(session: Session, account: Account, campaign: Campaign) -> None:
    """End it: who has not been written to gets nothing.

    Raises:
        Conflict: there is nothing left to cancel.
    """
    _move(session, campaign, (*RUNNING, *TAKEN_BACK), CampaignStatus.CANCELLED, why="person",
          fence=Campaign.fence + 1, finished_at=clock.now())  # fmt: skip
    enqueue(session, "campaigns.advance", campaign.id, queue="broadcasts")


def set_pace(session: Session, account: Account, campaign: Campaign, pace: int | None) -> None:
    """Messages a second from the next second on; None: as fast as WeChat allows."""
    if pace is not None and not 1 <= pace <= 10_000:
        raise Refused("The pace is 1 to 10,000 messages a second.", field="pace")
    campaign.pace, campaign.next_at = pace, None
    session.flush()


def move(session: Session, account: Account, campaign: Campaign, starts: str) -> None:
    """Another start for one that has not begun; "": at once.

    Raises:
        Refused: the start has passed, or is no time.
        Conflict: sending has begun.
    """
    now = clock.now()
    if starts and campaign_schedule.starts_in(starts, account.timezone) < now:
        raise Refused("Its start has passed; choose another.", field="starts")
    if campaign.status is CampaignStatus.DRAFT:
        campaign.starts, campaign.version = starts, Campaign.version + 1
        session.flush()
        return
    campaign.starts = starts
    movable = (CampaignStatus.SCHEDULED, CampaignStatus.MISSED, CampaignStatus.WAITING)
    to = CampaignStatus.WAITING if campaign.status is CampaignStatus.WAITING else CampaignStatus.SCHEDULED
    session.flush()
    _move(session, campaign, movable, to)
    earliest = None
    for batch in session.scalars(select(Batch).where(Batch.campaign_id == campaign.id)):
        batch.due_at = max(due_in(account, campaign, batch.zone), now)  # or one that was missed is missed again
        earliest = min(earliest or batch.due_at, batch.due_at)
    campaign.starts_at = earliest
    session.flush()


def due_in(account: Account, campaign: Campaign, zone: str) -> datetime:
    """When followers of a zone are due: at the start, after the time to undo it, outside quiet hours."""
    at = (campaign.launched_at or clock.now()) + UNDO
    if campaign.starts:
        wall = zone if campaign.in_own_zone else account.timezone
        at = max(at, campaign_schedule.starts_in(campaign.starts, wall))
    return campaign_schedule.may_start(at, zone, campaign.quiet_from, campaign.quiet_until)


def due(session: Session, limit: int = 500) -> list[int]:
    """Campaigns that something is to be done for now, and no worker does: what the clock hints."""
    now = clock.now()
    lazy = Campaign.leased_until.is_(None) | (Campaign.leased_until <= now)
    waiting = select(Campaign.id).where(
        ((Campaign.status == CampaignStatus.SCHEDULED) & (Campaign.starts_at <= now))
        | ((Campaign.status == CampaignStatus.PREPARING) & lazy)
    )
    found = list(session.scalars(waiting.limit(limit)))
    waits = Batch.status.in_((BatchStatus.READY, BatchStatus.UNKNOWN))
    dead = (Batch.status == BatchStatus.SENDING) & (Batch.leased_until <= now)
    silent = (Batch.status == BatchStatus.ACCEPTED) & (Batch.check_at <= now)
    alive = (Batch.status == BatchStatus.SENDING) & (Batch.leased_until > now)
    over = ~_has(Batch.status.not_in(campaign_ledger.FINAL))  # its worker died before it could say so
    unparked = Campaign.parked_until.is_(None) | (Campaign.parked_until <= now)
    sending = (Campaign.status == CampaignStatus.SENDING) & unparked & ~_has(alive)
    going = select(Campaign.id).where(
        (sending & (_has((waits & (Batch.due_at <= now)) | dead) | over))
        | ((Campaign.status == CampaignStatus.CANCELLED) & _has(waits | dead))
        | (Campaign.status.in_((*RUNNING, CampaignStatus.CANCELLED)) & _has(silent))
    )
    return found + list(session.scalars(going.limit(limit)))


def _has(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return select(Batch.id).where(Batch.campaign_id == Campaign.id, condition).exists()


def _move(
    session: Session, campaign: Campaign, was: tuple[CampaignStatus, ...], to: CampaignStatus, *also: Any, **values: Any
) -> None:
    moved = session.execute(
        update(Campaign)
        .where(Campaign.id == campaign.id, Campaign.status.in_(was), *also)
        .values(status=to, **values)
        .execution_options(synchronize_session=False)
    )
    session.refresh(campaign)
    if affected(moved) == 0:
        raise Conflict("“{name}” is no longer where it was; look at it again.", name=campaign.name)
