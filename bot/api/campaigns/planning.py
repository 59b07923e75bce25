"""Writing a campaign, and looking at what it would do before it is launched."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot import clock
from bot.api.campaigns.shapes import Campaign, CampaignLine, CampaignReplacement, Campaigns, shown, who
from bot.api.contract import LARGEST, In, Out, PageQuery, endpoint
from bot.api.followers import Follower
from bot.api.tasks import Task
from bot.errors import Refused
from bot.services import campaign_calendar, campaign_forecast, campaign_links, campaign_tests, campaigns, followers
from bot.services.campaign_calendar import Day
from bot.services.campaigns import CampaignDraft
from models import CampaignStatus

MOST_DAYS = 92


class CampaignQuery(PageQuery):
    status: CampaignStatus | None = None


class CampaignCopy(In):
    name: Annotated[str, Field(max_length=64, description="left out: the same")] = ""


class CampaignForecast(Out):
    """Whom a launch now would reach, and when."""

    deliverable: int
    excluded: Annotated[dict[str, int], Field(description="reason → followers who would get nothing")]
    variants: Annotated[list[int], Field(description="how many get each")]
    starts_at: datetime
    ends_at: datetime
    calls: Annotated[int, Field(description="of mass messaging; 0 on other channels")]
    calls_left: Annotated[int | None, Field(description="today; null: this channel has no such limit")]
    needs_approval: bool
    zones: Annotated[dict[str, datetime], Field(description="when each zone's followers are due, if they differ")]


class CampaignProblem(Out):
    variant: Annotated[int, Field(description="counted from 0")]
    sentence: str
    is_error: Annotated[bool, Field(description="true: it cannot be launched so")]


class Obstacle(Out):
    message: str
    field: str


class CampaignProblems(Out):
    items: list[CampaignProblem]
    refusal: Annotated[Obstacle | None, Field(description="what a launch would say no to now")]


class PreviewQuery(In):
    variant: Annotated[int, Field(ge=0, le=4, description="counted from 0")] = 0
    follower_id: Annotated[int | None, Field(ge=1, le=LARGEST, description="left out: with every variable empty")] = (
        None
    )


class Preview(Out):
    content: dict[str, Any]


class WorstCases(Out):
    items: list[Follower]


class CampaignTest(In):
    variant: Annotated[int, Field(ge=0, le=4, description="counted from 0")] = 0
    follower_id: Annotated[int, Field(ge=1, le=LARGEST)]


class CalendarQuery(In):
    since: Annotated[date | None, Field(description="today, if left out")] = None
    until: Annotated[date | None, Field(description="included; 30 days later, if left out; 92 days at most")] = None


class CalendarDay(Out):
    """A day of the account's zone; its mass messages are of WeChat's day, which begins at midnight in China."""

    day: date
    campaigns: list[CampaignLine]
    calls_made: int
    calls_due: Annotated[int, Field(description="of campaigns that were launched")]
    calls_left: int


class CampaignCalendar(Out):
    days: list[CalendarDay]


class CheckedLink(Out):
    url: str
    status: Annotated[int | None, Field(description="what it answered, after all redirects; null: nothing")]
    why: Annotated[str, Field(description="no answer: address (not public), name, silence, tls, answer, redirects")]
    is_dead: bool


class CampaignLinkCheck(Out):
    """Whether the links of a campaign lead somewhere; a dead one keeps it from nothing."""

    links: Annotated[list[CheckedLink], Field(description="empty until all that it has now were looked at")]
    checked_at: datetime | None
    is_under_way: bool
    is_due: Annotated[bool, Field(description="nobody has looked at these, or not for an hour")]
    error: Annotated[str, Field(description="why the last look came to nothing")]


@endpoint(
    "GET",
    "/accounts/<slug>/campaigns",
    scope="campaigns:read",
    summary="List campaigns, newest first",
    query=CampaignQuery,
    returns=Campaigns,
)
def list_campaigns(session: Session, account: models.Account, query: CampaignQuery) -> dict[str, Any]:
    found = campaigns.page(session, account, status=query.status, before=query.before, limit=query.limit)
    return {"items": found, "next": found[-1].id if len(found) == query.limit else None}


@endpoint(
    "POST",
    "/accounts/<slug>/campaigns",
    scope="campaigns:write",
    summary="Add a campaign as a draft",
    body=CampaignDraft,
    returns=Campaign,
    status=201,
)
def create_campaign(
    session: Session, account: models.Account, token: models.ApiToken, body: CampaignDraft
) -> dict[str, Any]:
    return shown(campaigns.save(session, account, body, who=who(token)))


@endpoint(
    "GET",
    "/accounts/<slug>/campaigns/calendar",
    scope="campaigns:read",
    summary="List days with the campaigns that start on them and WeChat's quota",
    query=CalendarQuery,
    returns=CampaignCalendar,
)
def get_campaign_calendar(session: Session, account: models.Account, query: CalendarQuery) -> dict[str, Any]:
    first = query.since or clock.now().astimezone(ZoneInfo(account.timezone)).date()
    last = query.until or first + timedelta(days=30)
    if not 0 <= (last - first).days < MOST_DAYS:
        raise Refused("Ask for 1 to {max} days.", field="until", max=MOST_DAYS)
    most = campaign_forecast.most_calls(account)
    found = campaign_calendar.days(session, account, first, last).values()
    return {"days": [_day(each, most) for each in found]}


@endpoint(
    "GET",
    "/accounts/<slug>/campaigns/<int:campaign_id>",
    scope="campaigns:read",
    summary="Get a campaign",
    returns=Campaign,
)
def get_campaign(session: Session, account: models.Account, campaign_id: int) -> dict[str, Any]:
    return shown(campaigns.get(session, account, campaign_id))


@endpoint(
    "PUT",
    "/accounts/<slug>/campaigns/<int:campaign_id>",
    scope="campaigns:write",
    summary="Replace a draft's plan",
    body=CampaignReplacement,
    returns=Campaign,
)
def replace_campaign(
    session: Session, account: models.Account, token: models.ApiToken, campaign_id: int, body: CampaignReplacement
) -> dict[str, Any]:
    campaign = campaigns.get(session, account, campaign_id)
    draft = CampaignDraft.model_validate(body.model_dump(exclude={"version"}))
    return shown(campaigns.save(session, account, draft, campaign, seen=body.version, who=who(token)))


@endpoint(
    "DELETE",
    "/accounts/<slug>/campaigns/<int:campaign_id>",
    scope="campaigns:write",
    summary="Delete a draft; what was launched stays on record",
    status=204,
)
def delete_campaign(session: Session, account: models.Account, campaign_id: int) -> None:
    campaigns.remove(session, campaigns.get(session, account, campaign_id))


@endpoint(
    "POST",
    "/accounts/<slug>/campaigns/<int:campaign_id>/copy",
    scope="campaigns:write",
    summary="Begin another campaign with the same plan, without its start",
    body=CampaignCopy,
    returns=Campaign,
    status=201,
)
def copy_campaign(
    session: Session, account: models.Account, token: models.ApiToken, campaign_id: int, body: CampaignCopy
) -> dict[str, Any]:
    campaign = campaigns.get(session, account, campaign_id)
    return shown(campaigns.copy(session, account, campaign, name=body.name, who=who(token)))


@endpoint(
    "GET",
    "/accounts/<slug>/campaigns/<int:campaign_id>/forecast",
    scope="campaigns:read",
    summary="Count whom a launch now would reach, and why not the others",
    returns=CampaignForecast,
)
def forecast_campaign(session: Session, account: models.Account, campaign_id: int) -> campaign_forecast.Forecast:
    return campaign_forecast.of(session, account, campaigns.get(session, account, campaign_id))


@endpoint(
    "GET",
    "/accounts/<slug>/campaigns/<int:campaign_id>/problems",
    scope="campaigns:read",
    summary="List what is wrong with a campaign's words, and what keeps it from being launched",
    returns=CampaignProblems,
)
def list_campaign_problems(session: Session, account: models.Account, campaign_id: int) -> dict[str, Any]:
    campaign = campaigns.get(session, account, campaign_id)
    obstacle = campaign_tests.obstacle(session, account, campaign)
    found = [
        {"variant": each.variant, "sentence": each.sentence.format(**each.values), "is_error": each.is_error}
        for each in campaign_tests.problems(session, account, campaign)
    ]
    return {
        "items": found,
        "refusal": obstacle and {"message": obstacle.sentence(), "field": obstacle.field},
    }


@endpoint(
    "GET",
    "/accounts/<slug>/campaigns/<int:campaign_id>/link-check",
    scope="campaigns:read",
    summary="Say which links of a campaign lead nowhere",
    returns=CampaignLinkCheck,
)
def get_campaign_link_check(session: Session, account: models.Account, campaign_id: int) -> campaign_links.Look:
    return campaign_links.of(session, account, campaigns.get(session, account, campaign_id))


@endpoint(
    "POST",
    "/accounts/<slug>/campaigns/<int:campaign_id>/link-check",
    scope="campaigns:write",
    summary="Have the links of a campaign opened",
    returns=Task,
    status=202,
)
def check_campaign_links(session: Session, account: models.Account, campaign_id: int) -> models.Task:
    return campaign_links.start(session, account, campaigns.get(session, account, campaign_id))


@endpoint(
    "GET",
    "/accounts/<slug>/campaigns/<int:campaign_id>/preview",
    scope="campaigns:read",
    summary="Show what a follower would read",
    query=PreviewQuery,
    returns=Preview,
)
def preview_campaign(
    session: Session, account: models.Account, campaign_id: int, query: PreviewQuery
) -> dict[str, Any]:
    campaign = campaigns.get(session, account, campaign_id)
    follower = followers.get(session, account, query.follower_id) if query.follower_id else None
    content = campaign_tests.preview(session, account, campaign, query.variant, follower)
    return {"content": content.model_dump(mode="json")}


@endpoint(
    "GET",
    "/accounts/<slug>/campaigns/<int:campaign_id>/worst-cases",
    scope="campaigns:read",
    summary="List followers of the audience for whom it reads worst: no name, the longest name",
    returns=WorstCases,
)
def list_campaign_worst_cases(session: Session, account: models.Account, campaign_id: int) -> dict[str, Any]:
    campaign = campaigns.get(session, account, campaign_id)
    return {"items": campaign_tests.worst_cases(session, account, campaign)}


@endpoint(
    "POST",
    "/accounts/<slug>/campaigns/<int:campaign_id>/test",
    scope="campaigns:write",
    summary="Send one follower the real thing",
    body=CampaignTest,
    returns=Task,
    status=202,
)
def send_campaign_test(session: Session, account: models.Account, campaign_id: int, body: CampaignTest) -> models.Task:
    campaign = campaigns.get(session, account, campaign_id)
    follower = followers.get(session, account, body.follower_id)
    return campaign_tests.send(session, account, campaign, body.variant, follower)


def _day(day: Day, most: int) -> dict[str, Any]:
    left = max(0, most - day.used - day.planned)
    row = {"day": day.day, "campaigns": day.campaigns}
    return {**row, "calls_made": day.used, "calls_due": day.planned, "calls_left": left}
