"""What came of a campaign: the way down from sent to converted, which variant did better, clicks by hour, links."""

from collections.abc import Sequence

from flask import redirect, url_for
from flask.typing import ResponseReturnValue

from bot.console import campaign_words, charts
from bot.console.blueprint import blueprint, current_account, requires
from bot.console.language import _, _n, look_up
from bot.console.pages import show
from bot.console.when import zone
from bot.database import reading
from bot.services import campaign_results, campaigns
from bot.services.campaign_results import VariantResult, Verdict
from models import CampaignStatus


@blueprint.get("/<account>/campaigns/<int:campaign_id>/results")
@requires("campaigns:read")
def campaign_results_of(campaign_id: int) -> ResponseReturnValue:
    account = current_account()
    with reading() as session:
        found = campaigns.get(session, account, campaign_id)
        if found.status is CampaignStatus.DRAFT:
            return redirect(url_for("console.campaign_plan", campaign_id=campaign_id))
        results = campaign_results.funnel(session, account, found)
        hours = campaign_results.clicks_by_hour(session, found)
        links = campaign_results.links(session, found)
    got = [each for each in results if each.variant is not None]
    goal = campaign_words.goals().get(str(found.goal.get("kind") or ""), "")
    clicks = sum(hour.people for hour in hours)
    return show(
        "campaigns/results.html",
        campaign=found,
        campaign_words=campaign_words,
        results=results,
        steps=_steps(got),
        chart=charts.bars(
            _("From sent to success"), [(name, count) for name, count in _steps(got) if count is not None]
        ),
        goal=goal if found.goal.get("kind") else "",
        verdict=_worded(campaign_results.winner(results)) if len(got) > 1 else "",
        lift=_worded(campaign_results.lift(results)),
        hours=[(hour.at.astimezone(zone()), hour.people) for hour in hours if hour.people],
        by_hour=charts.columns(
            _("Clicks by hour"),
            _n("{n} first click", "{n} first clicks", clicks),
            [f"{hour.at.astimezone(zone()):%m-%d %H:00}" for hour in hours],
            [hour.people for hour in hours],
        ),
        links=links,
        clicks=clicks,
    )


def _steps(got: Sequence[VariantResult]) -> list[tuple[str, int | None]]:
    """Of all variants together; None: WeChat has not told."""
    delivered = [each.delivered for each in got]
    converted = [each.converted for each in got]
    return [
        (_("meant for"), sum(each.recipients for each in got)),
        (_("sent"), sum(each.sent for each in got)),
        (_("delivered"), None if None in delivered else sum(each or 0 for each in delivered)),
        (_("clicked"), sum(each.clicked for each in got)),
        (_("replied"), sum(each.replied for each in got)),
        *([] if None in converted else [(_("success"), sum(each or 0 for each in converted))]),
    ]


def _worded(verdict: Verdict | None) -> str:
    return look_up(verdict.sentence).format(**verdict.values) if verdict else ""
