"""A campaign that was launched: how it stands and why, its four numbers, and each step that can be taken."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot import clock
from bot.console import campaign_words
from bot.console.blueprint import account_slug, acting_operator, blueprint, current_account, record, requires
from bot.console.language import _, _n, worded
from bot.console.pages import say, show
from bot.console.segment_form import number_of
from bot.console.when import moment
from bot.database import reading, transaction
from bot.errors import NotFound, Refused
from bot.services import (
    accounts,
    campaign_control,
    campaign_progress,
    campaign_review,
    campaign_tests,
    campaigns,
    segments,
    tags,
    tasks,
)
from models import Account, Campaign, CampaignStatus

WALKED_LIVE = 20_000  # rows of a ledger that are counted by error every second
ENDED = (CampaignStatus.FINISHED, CampaignStatus.CANCELLED)
WAITS = timedelta(seconds=60)  # a start further away than that is no matter of seconds

Act = Callable[[Session, Account, Campaign], Any]


@blueprint.get("/<account>/campaigns/<int:campaign_id>")
@requires("campaigns:read")
def campaign(campaign_id: int) -> ResponseReturnValue:
    account = current_account()
    with reading() as session:
        found = campaigns.get(session, account, campaign_id)
        if found.status is CampaignStatus.DRAFT:
            return redirect(url_for("console.campaign_plan", campaign_id=campaign_id))
        progress = campaign_progress.of(session, found)
        due, now = campaign_progress.next_due(session, found), clock.now()
        sleeps = found.status is CampaignStatus.SENDING and due is not None and due > now + timedelta(seconds=5)
        is_live = "X-Live" in request.headers and found.status is CampaignStatus.SENDING
        walks = progress.total <= WALKED_LIVE or not is_live
        starts_in = (found.starts_at - now).total_seconds() if found.starts_at else 0.0
        return show(
            "campaigns/run.html",
            campaign=found,
            campaign_words=campaign_words,
            progress=progress,
            left_at_end=progress.left + progress.skipped,
            said=campaign_words.said(
                found,
                progress.skipped if found.status is CampaignStatus.CANCELLED else progress.left,
                moment(due) if sleeps else "",
            ),
            walks=walks,
            errors=campaign_progress.errors(session, found) if walks and progress.failed else [],
            skipped=_skipped(session, found, progress),
            advice=campaign_words.advice,
            seconds=max(0, round(starts_in)) if starts_in < WAITS.total_seconds() else None,
            is_running=found.status in (CampaignStatus.SENDING, CampaignStatus.PAUSED),
            is_ended=found.status in ENDED,
            mine=found.launched_by == acting_operator().name,
            audience=campaign_words.audience(
                found,
                {each.id: each.name for each in segments.list_all(session, account)},
                {each.id: each.name for each in tags.list_all(session, account)},
            ),
            content=campaign_tests.preview(session, account, found, 0, None).model_dump(),
            recalls=found.channel == "mass" and found.variants[0]["content"]["kind"] in campaign_review.RECALLED,
            recall=tasks.latest(session, account, "campaign_recall"),
        )


@blueprint.post("/<account>/campaigns/<int:campaign_id>/steer")
@requires("campaigns:write")
def steer_campaign(campaign_id: int) -> ResponseReturnValue:
    """What a button of the page says: "pause", "resume" …"""
    action = request.form.get("do", "")
    with transaction() as session:
        account = accounts.get(session, account_slug())
        found = campaigns.get(session, account, campaign_id)
        if action not in ACTS:
            raise Refused("This page knows no such step; open it again.", field="do")
        try:
            done = ACTS[action](session, account, found)
        except NotFound:
            raise
        except Refused as refused:
            session.rollback()
            say(worded(refused), "bad")
        else:
            record(session, account, f"campaigns.{action}", f"campaign {campaign_id}")
            if sentence := _done(action, done):
                say(sentence)
    return redirect(url_for("console.campaign", campaign_id=campaign_id))


@blueprint.post("/<account>/campaigns/<int:campaign_id>/pace")
@requires("campaigns:write")
def pace_campaign(campaign_id: int) -> ResponseReturnValue:
    """Messages a second; nothing: as fast as WeChat allows."""
    given = request.form.get("pace", "").strip()
    with transaction() as session:
        account = accounts.get(session, account_slug())
        found = campaigns.get(session, account, campaign_id)
        try:
            campaign_control.set_pace(session, account, found, (number_of(given) or 0) if given else None)
        except Refused as refused:
            session.rollback()
            say(worded(refused), "bad")
        else:
            record(session, account, "campaigns.pace", f"campaign {campaign_id}: {given or '-'}")
    return redirect(url_for("console.campaign", campaign_id=campaign_id))


def _approve(session: Session, account: Account, found: Campaign) -> None:
    seen = number_of(request.form.get("seen", ""))
    campaign_control.approve(session, account, found, seen=seen, who=acting_operator().name)


ACTS: dict[str, Act] = {
    "undo": campaign_control.undo,
    "approve": _approve,
    "pause": campaign_control.pause,
    "resume": campaign_control.resume,
    "cancel": campaign_control.cancel,
    "begin": campaign_control.begin_now,
    "retry": campaign_review.retry_failed,
    "again": campaign_review.send_unknown_again,
    "count": campaign_review.count_unknown_as_sent,
    "recall": campaign_review.recall,
}


def _done(action: str, done: Any) -> str:
    """A line for what the page itself does not show."""
    match action:
        case "undo":
            return _("Taken back. It is a draft again, and nothing was sent.")
        case "retry" | "again":
            return _n("One follower is tried again.", "{n} followers are tried again.", int(done))
        case "count":
            return _n("One follower counts as sent now.", "{n} followers count as sent now.", int(done))
    return ""


def _skipped(session: Session, campaign: Campaign, progress: campaign_progress.Progress) -> list[tuple[str, str, int]]:
    """(reason, its name, followers): at the launch, and once it has ended or stands still also since."""
    counted = progress.excluded
    if progress.skipped and campaign.status is not CampaignStatus.SENDING:
        counted = dict(campaign_progress.skipped(session, campaign))
    names = campaign_words.reasons()
    return [(reason, names.get(reason, reason), count) for reason, count in sorted(counted.items()) if count]
