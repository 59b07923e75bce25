"""Campaigns: the list and the calendar; a draft copied, moved to another day, or deleted."""

import calendar
from datetime import date, timedelta
from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot import clock
from bot.console import campaign_starts, campaign_words
from bot.console.blueprint import (
    account_slug,
    acting_operator,
    blueprint,
    current_account,
    record,
    requires,
    row_number,
)
from bot.console.language import _, _n, language, worded
from bot.console.pages import say, show
from bot.console.when import zone
from bot.database import reading, transaction
from bot.errors import Refused
from bot.services import (
    accounts,
    campaign_calendar,
    campaign_control,
    campaign_forecast,
    campaign_progress,
    campaigns,
    segments,
    tags,
)
from models import Account, Campaign, CampaignStatus, Channel

PAGE = 50
WAITING = (CampaignStatus.SCHEDULED, CampaignStatus.WAITING, CampaignStatus.MISSED)
ASKS = (CampaignStatus.WAITING, CampaignStatus.MISSED, CampaignStatus.PAUSED)
MOVABLE = (CampaignStatus.DRAFT, *WAITING)


@blueprint.get("/<account>/campaigns")
@requires("campaigns:read")
def campaigns_list() -> ResponseReturnValue:
    account, before = current_account(), request.args.get("before", type=row_number)
    wanted = request.args.get("status", "")
    status = CampaignStatus(wanted) if wanted in set(CampaignStatus) else None
    with reading() as session:
        found = campaigns.page(session, account, status=status, before=before, limit=PAGE + 1)
        running = campaign_progress.running(session, account)
        now = [each for each, _progress in running]
        now += [each for state in WAITING for each in campaigns.page(session, account, status=state)]
        return show(
            "campaigns/list.html",
            campaign_words=campaign_words,
            campaigns=found[:PAGE],
            older=found[PAGE - 1].id if len(found) > PAGE else None,
            before=before,
            status=status,
            running=running,
            lede=_lede(now),
            totals=campaign_progress.totals(session, found),
            starts=campaign_starts.starts(),
            **_names(session, account),
        )


@blueprint.get("/<account>/campaigns/calendar")
@requires("campaigns:read")
def campaign_calendar_page() -> ResponseReturnValue:
    account, today = current_account(), clock.now().astimezone(zone()).date()
    first = _month(request.args.get("month", "")) or today.replace(day=1)
    weeks = calendar.Calendar().monthdatescalendar(first.year, first.month)
    with reading() as session:
        found = campaign_calendar.days(session, account, weeks[0][0], weeks[-1][-1])
        return show(
            "campaigns/calendar.html",
            campaign_words=campaign_words,
            weeks=[[found[day] for day in week] for week in weeks],
            first=first,
            today=today,
            title=_title(first),
            weekdays=weekdays(),
            earlier=(first - timedelta(days=1)).strftime("%Y-%m"),
            later=(first + timedelta(days=31)).replace(day=1).strftime("%Y-%m"),
            walls={each.id: campaign_calendar.wall(account, each) for day in found.values() for each in day.campaigns},
            movable=MOVABLE,
            most=campaign_forecast.most_calls(account),
            mass=Channel.MASS,
        )


@blueprint.post("/<account>/campaigns/<int:campaign_id>/move")
@requires("campaigns:write")
def move_campaign(campaign_id: int) -> ResponseReturnValue:
    """To another start, or ("day" alone) to another day at the same time."""
    starts, day = request.form.get("starts", ""), request.form.get("day", "")
    back = request.form.get("next") == "calendar"
    with transaction() as session:
        account = accounts.get(session, account_slug())
        found = campaigns.get(session, account, campaign_id)
        if day:
            starts = f"{day}T{campaign_calendar.wall(account, found)[11:]}"
        try:
            campaign_control.move(session, account, found, starts)
        except Refused as refused:
            session.rollback()
            say(worded(refused), "bad")
        else:
            record(session, account, "campaigns.move", f"campaign {found.id}: {starts}")
            say(_("“{name}” begins {when} now.", name=found.name, when=campaign_words.when(found)))
    if back:
        return redirect(url_for("console.campaign_calendar_page", month=(starts or found.starts)[:7] or None))
    return redirect(url_for("console.campaign", campaign_id=campaign_id))


@blueprint.post("/<account>/campaigns/<int:campaign_id>/copy")
@requires("campaigns:write")
def copy_campaign(campaign_id: int) -> ResponseReturnValue:
    """A draft with the same plan, to begin now."""
    with transaction() as session:
        account = accounts.get(session, account_slug())
        found = campaigns.get(session, account, campaign_id)
        draft = campaigns.draft_of(found)
        draft.name = _("{name} (copy)", name=found.name[:50])
        draft.starts = ""
        made = campaigns.save(session, account, draft, who=acting_operator().name)
        record(session, account, "campaigns.add", f"campaign {made.id}")
    return redirect(url_for("console.campaign_plan", campaign_id=made.id))


@blueprint.post("/<account>/campaigns/<int:campaign_id>/delete")
@requires("campaigns:write")
def delete_campaign(campaign_id: int) -> ResponseReturnValue:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        found = campaigns.get(session, account, campaign_id)
        campaigns.remove(session, found)
        record(session, account, "campaigns.delete", f"campaign {campaign_id}")
    say(_("The draft “{name}” is deleted.", name=found.name))
    return redirect(url_for("console.campaigns_list"))


def _lede(now: list[Campaign]) -> str:
    """What is being sent, and what is next."""
    waiting = [each for each in now if each.status is CampaignStatus.SCHEDULED and each.starts_at]
    following = min(waiting, key=lambda each: each.starts_at or clock.now(), default=None)
    next_ = _("Next: “{name}”, {when}.", name=following.name, when=campaign_words.when(following)) if following else ""
    parts = [next_] if next_ else []
    if sending := [each for each in now if each.status in (CampaignStatus.SENDING, CampaignStatus.PREPARING)]:
        going = _n("“{name}” is being sent.", "{n} campaigns are being sent.", len(sending), name=sending[0].name)
        parts.insert(0, going)
    if asks := [each for each in now if each.status in ASKS]:
        asking = _n(
            "“{name}” waits for a decision.", "{n} campaigns wait for a decision.", len(asks), name=asks[0].name
        )
        parts.insert(0, asking)
    return ("" if language() == "zh" else " ").join(parts) or _("Nothing is being sent, and nothing is planned.")


def _names(session: Session, account: Account) -> dict[str, Any]:
    return {
        "segment_names": {each.id: each.name for each in segments.list_all(session, account)},
        "tag_names": {each.id: each.name for each in tags.list_all(session, account)},
    }


def _month(text: str) -> date | None:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return None


def _title(first: date) -> str:
    return f"{first.year}年{first.month}月" if language() == "zh" else f"{first:%B %Y}"


def weekdays() -> list[str]:
    return [_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun")]
