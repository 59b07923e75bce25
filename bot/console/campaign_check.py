"""Before the launch: whom it would reach and when it would end, what is wrong with it; and the launch."""

from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bot.console import campaign_words, charts
from bot.console.blueprint import account_slug, acting_operator, blueprint, current_account, record, requires
from bot.console.language import _, look_up, number, worded
from bot.console.pages import say, show
from bot.console.segment_form import number_of
from bot.database import reading, transaction
from bot.errors import Conflict, Refused
from bot.services import (
    accounts,
    campaign_audience,
    campaign_control,
    campaign_forecast,
    campaign_links,
    campaign_tests,
    campaigns,
    segments,
    tags,
)
from bot.services.campaign_forecast import Forecast
from models import Account, Campaign, CampaignStatus, Reach


@blueprint.get("/<account>/campaigns/<int:campaign_id>/check")
@requires("campaigns:read")
def check_campaign(campaign_id: int) -> ResponseReturnValue:
    """Whoever looks has its links looked at, if nobody has for an hour."""
    with reading() as session:
        account = current_account()
        found = campaigns.get(session, account, campaign_id)
        is_due = campaign_links.of(session, account, found).is_due
    if is_due and found.status is CampaignStatus.DRAFT:
        with transaction() as session:
            account = accounts.get(session, account_slug())
            campaign_links.start(session, account, campaigns.get(session, account, campaign_id))
    return _page(campaign_id)


@blueprint.post("/<account>/campaigns/<int:campaign_id>/links")
@requires("campaigns:write")
def check_links(campaign_id: int) -> ResponseReturnValue:
    with transaction() as session:
        account = accounts.get(session, account_slug())
        campaign_links.start(session, account, campaigns.get(session, account, campaign_id))
        record(session, account, "campaigns.check-links", f"campaign {campaign_id}")
    return redirect(url_for("console.check_campaign", campaign_id=campaign_id, _anchor="links"))


@blueprint.post("/<account>/campaigns/<int:campaign_id>/launch")
@requires("campaigns:write")
def launch_campaign(campaign_id: int) -> ResponseReturnValue:
    try:
        with transaction() as session:
            account, who = accounts.get(session, account_slug()), acting_operator().name
            found = campaigns.get(session, account, campaign_id)
            seen = number_of(request.form.get("seen", ""))
            campaign_control.launch(session, account, found, seen=seen, who=who)
            record(session, account, "campaigns.launch", f"campaign {found.id}")
    except Conflict as refused:  # somebody pressed first, or changed it: the page shows how it stands now
        say(worded(refused), "bad")
        return redirect(url_for("console.campaign", campaign_id=campaign_id))
    except Refused as refused:
        if refused.status == 404:
            raise
        return _page(campaign_id, worded(refused))
    return redirect(url_for("console.campaign", campaign_id=campaign_id))


def _page(campaign_id: int, refused: str = "") -> ResponseReturnValue:
    account = current_account()
    with reading() as session:
        found = campaigns.get(session, account, campaign_id)
        if found.status is not CampaignStatus.DRAFT:
            return redirect(url_for("console.campaign", campaign_id=campaign_id))
        forecast, blocked = _forecast(session, account, found)
        content = campaign_tests.preview(session, account, found, 0, None)
        look = campaign_links.of(session, account, found)
        return show(
            "campaigns/check.html",
            422 if refused else 200,
            campaign=found,
            campaign_words=campaign_words,
            content=content.model_dump(),
            forecast=forecast,
            refused=refused or blocked,
            problems=_problems(session, account, found),
            look=look,
            dead=[(link.url, look_up(link.sentence).format(status=link.status)) for link in look.dead],
            audience=campaign_words.audience(
                found,
                {each.id: each.name for each in segments.list_all(session, account)},
                {each.id: each.name for each in tags.list_all(session, account)},
            ),
            is_list=found.reach is Reach.LIST,
            **(_told(forecast) if forecast else {}),
        )


def _forecast(session: Session, account: Account, campaign: Campaign) -> tuple[Forecast | None, str]:
    """And what keeps it from being launched as it is, "" for nothing."""
    try:
        forecast = campaign_forecast.of(session, account, campaign)
    except Refused as refused:
        return None, worded(refused)
    try:
        campaign_control.must_be_able(session, account, campaign)
    except Refused as refused:
        return forecast, worded(refused)
    return forecast, "" if forecast.deliverable else _("Nobody would get it. Look at the reasons below.")


def _told(forecast: Forecast) -> dict[str, Any]:
    """The bar and its table: who gets it first, then each reason."""
    names = campaign_words.reasons()
    rows = [(_("will get it"), forecast.deliverable, "")]
    rows += [
        (names.get(reason, reason), forecast.excluded[reason], reason)
        for reason in campaign_audience.REASONS
        if forecast.excluded.get(reason)
    ]
    total = sum(count for _name, count, _reason in rows)
    title = _("{n} of {total} would get it", n=number(forecast.deliverable), total=number(total))
    return {
        "rows": rows,
        "total": total,
        "bar": charts.stacked(title, [(name, count) for name, count, _reason in rows]),
        "takes": forecast.ends_at - forecast.starts_at,
    }


def _problems(session: Session, account: Account, campaign: Campaign) -> list[dict[str, Any]]:
    try:
        found = campaign_tests.problems(session, account, campaign)
    except Refused:
        return []
    return [{"text": look_up(each.sentence).format(**each.values), "is_error": each.is_error} for each in found]
