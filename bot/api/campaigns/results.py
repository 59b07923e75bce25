"""What came of a campaign: by variant, by hour, by link, and what can be said of the difference."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot.api.contract import Out, endpoint
from bot.services import campaign_results, campaigns
from bot.services.campaign_results import Verdict


class VariantResult(Out):
    variant: Annotated[int | None, Field(description="counted from 0; null: those who were held out")]
    name: str
    recipients: int
    sent: Annotated[int, Field(description="WeChat took it on")]
    delivered: Annotated[int | None, Field(description="null: WeChat has not reported on all of it, or never says")]
    clicked: int
    visitors: Annotated[int, Field(description="whoever opened a link of it, also those it was forwarded to")]
    replied: int
    converted: Annotated[int | None, Field(description="null: it has no goal, or they cannot reach it")]


class LinkResult(Out):
    variant: int
    url: str
    clicks: int
    people: int


class ClickHour(Out):
    at: Annotated[datetime, Field(description="the beginning of the hour")]
    people: Annotated[int, Field(description="who opened a link for the first time")]


class CampaignResults(Out):
    variants: list[VariantResult]
    verdict: Annotated[str, Field(description="which variant did better, and how sure that is; empty with one")]
    lift: Annotated[str, Field(description="against those held out; empty when nobody was")]
    leader: Annotated[int | None, Field(description="the variant that is better; null: nobody can tell")]
    links: list[LinkResult]
    hours: list[ClickHour]


@endpoint(
    "GET",
    "/accounts/<slug>/campaigns/<int:campaign_id>/results",
    scope="campaigns:read",
    summary="What came of a campaign, by variant, link and hour",
    returns=CampaignResults,
)
def get_results(session: Session, account: models.Account, campaign_id: int) -> dict[str, Any]:
    campaign = campaigns.get(session, account, campaign_id)
    if campaign.launched_at is None:
        return {"variants": [], "verdict": "", "lift": "", "leader": None, "links": [], "hours": []}
    results = campaign_results.funnel(session, account, campaign)
    several = sum(each.variant is not None for each in results) > 1
    verdict = campaign_results.winner(results) if several else None
    return {
        "variants": results,
        "verdict": _sentence(verdict),
        "lift": _sentence(campaign_results.lift(results)),
        "leader": verdict.leader if verdict else None,
        "links": campaign_results.links(session, campaign),
        "hours": campaign_results.clicks_by_hour(session, campaign),
    }


def _sentence(verdict: Verdict | None) -> str:
    return verdict.sentence.format(**verdict.values) if verdict else ""
