"""/moments/api/v1/scheduled: your posts that wait for their time."""

from typing import Annotated, Any

from pydantic import AwareDatetime, Field
from sqlalchemy.orm import Session

import models
from bot.moments import cards, scheduled
from bot.moments.api.contract import Out, endpoint
from bot.moments.api.posts import Written
from bot.moments.api.shapes import Scheduled


class ScheduledDraft(Written):
    at: Annotated[AwareDatetime, Field(description="within the next year; groups count as they are then")]


class ScheduledPosts(Out):
    items: Annotated[list[Scheduled], Field(description="the next one first")]


@endpoint("GET", "/scheduled", scope="posts:read", summary="List what waits for its time", returns=ScheduledPosts)
def list_scheduled(session: Session, me: models.Member) -> dict[str, Any]:
    return {"items": cards.scheduled(session, me, scheduled.list_all(session, me))}


@endpoint(
    "POST",
    "/scheduled",
    scope="posts:write",
    summary="Publish later; until then nobody else sees any of it",
    body=ScheduledDraft,
    returns=Scheduled,
    status=201,
)
def schedule(session: Session, me: models.Member, body: ScheduledDraft) -> dict[str, Any]:
    return cards.scheduled(session, me, [scheduled.add(session, me, body.draft(), body.at)])[0]


@endpoint(
    "PUT",
    "/scheduled/<scheduled>",
    scope="posts:write",
    summary="Put another draft and time in its place",
    body=ScheduledDraft,
    returns=Scheduled,
)
def change_scheduled(session: Session, me: models.Member, scheduled_id: int, body: ScheduledDraft) -> dict[str, Any]:
    row = scheduled.get(session, me, scheduled_id)
    return cards.scheduled(session, me, [scheduled.change(session, me, row, body.draft(), body.at)])[0]


@endpoint("DELETE", "/scheduled/<scheduled>", scope="posts:write", summary="Do not publish it", status=204)
def cancel_scheduled(session: Session, me: models.Member, scheduled_id: int) -> None:
    scheduled.cancel(session, scheduled.get(session, me, scheduled_id))
