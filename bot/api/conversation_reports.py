"""/api/v1/accounts/<account>/conversations/report: what came of them."""

from datetime import date, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot import clock
from bot.api.contract import LARGEST, In, Out, endpoint
from bot.api.conversations import Conversations
from bot.services import inbox_reports
from bot.services.inbox_reports import Part, Slice
from bot.services.report_numbers import Numbers


class Count(Out):
    """Of the conversations opened in the period; each number has its list at `/report/list`."""

    opened: int
    replied: int
    unreplied: int
    closed: int
    open: int
    first_reply_seconds: Annotated[int | None, Field(description="on average")]
    resolution_seconds: Annotated[int | None, Field(description="from opening to closing, on average")]


class DayCount(Count):
    day: date


class HourCount(Count):
    hour: int


class PersonCount(Count):
    operator_id: Annotated[int | None, Field(description="null: nobody has it")]
    name: str


class LabelCount(Count):
    label_id: int
    name: str


class ConversationReport(Out):
    total: Count
    days: list[DayCount]
    hours: list[HourCount]
    people: list[PersonCount]
    labels: list[LabelCount]


class ReportQuery(In):
    since: Annotated[
        date | None, Field(description="the first day, in the account's time zone; left out: 30 days in all")
    ] = None
    until: Annotated[date | None, Field(description="the last day, at most 366 in all; left out: today")] = None
    label_id: Annotated[int | None, Field(ge=1, le=LARGEST, description="only conversations with this label")] = None


class ReportListQuery(ReportQuery):
    part: Part = Part.OPENED
    day: date | None = None
    hour: Annotated[int | None, Field(ge=0, le=23)] = None
    operator_id: Annotated[int | None, Field(ge=0, le=LARGEST, description="0: nobody has it")] = None
    before: Annotated[int | None, Field(ge=1, le=LARGEST, description="the last id of the page before")] = None
    limit: Annotated[int, Field(ge=1, le=200, description="how many at most")] = 50


def period(account: models.Account, query: ReportQuery) -> tuple[date, date]:
    last = query.until or clock.now().astimezone(ZoneInfo(account.timezone)).date()
    return query.since or last - timedelta(days=29), last


def shown(numbers: Numbers, **more: Any) -> dict[str, Any]:
    reply, resolution = numbers.first_reply, numbers.resolution
    return {
        **{part.value: getattr(numbers, part) for part in Part},
        "first_reply_seconds": None if reply is None else int(reply.total_seconds()),
        "resolution_seconds": None if resolution is None else int(resolution.total_seconds()),
        **more,
    }


@endpoint(
    "GET",
    "/accounts/<slug>/conversations/report",
    scope="conversations:read",
    summary="How many there were, how fast they were answered; by day, hour, person and label",
    query=ReportQuery,
    returns=ConversationReport,
)
def conversation_report(session: Session, account: models.Account, query: ReportQuery) -> dict[str, Any]:
    found = inbox_reports.report(session, account, *period(account, query), query.label_id)
    return {
        "total": shown(found.total),
        "days": [shown(numbers, day=day) for day, numbers in found.days.items()],
        "hours": [shown(numbers, hour=hour) for hour, numbers in found.hours.items()],
        "people": [shown(numbers, operator_id=person, name=name) for person, name, numbers in found.people],
        "labels": [shown(numbers, label_id=label, name=name) for label, name, numbers in found.labels],
    }


@endpoint(
    "GET",
    "/accounts/<slug>/conversations/report/list",
    scope="conversations:read",
    summary="The conversations that one number of the report counts, newest first",
    query=ReportListQuery,
    returns=Conversations,
)
def conversation_report_list(session: Session, account: models.Account, query: ReportListQuery) -> dict[str, Any]:
    what = Slice(query.part, query.day, query.hour, query.operator_id, query.label_id)
    found = inbox_reports.behind(
        session, account, *period(account, query), what, before=query.before, limit=query.limit
    )
    return {"items": found}
