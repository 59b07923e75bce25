"""/moments/api/v1/posts/<post>/reports, /comments/<comment>/reports, /me/staff-views."""

from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot.moments import cards, reports
from bot.moments.api.contract import In, Out, endpoint
from bot.moments.api.shapes import StaffView
from models import ReportReason


class ReportDraft(In):
    reason: ReportReason
    words: Annotated[str, Field(max_length=2_000, description="for the moderators")] = ""


class StaffViews(Out):
    items: list[StaffView]


@endpoint(
    "POST",
    "/posts/<post>/reports",
    scope="reactions:write",
    summary="Tell the moderators that a post is not right; nobody else learns of it",
    body=ReportDraft,
    status=204,
)
def report_post(session: Session, me: models.Member, post_id: int, body: ReportDraft) -> None:
    reports.report_post(session, me, post_id, body.reason, body.words)


@endpoint(
    "POST",
    "/comments/<comment>/reports",
    scope="reactions:write",
    summary="Tell the moderators that a comment is not right; nobody else learns of it",
    body=ReportDraft,
    status=204,
)
def report_comment(session: Session, me: models.Member, comment_id: int, body: ReportDraft) -> None:
    reports.report_comment(session, me, comment_id, body.reason, body.words)


@endpoint(
    "GET",
    "/me/staff-views",
    scope="profile:read",
    summary="When moderators looked at something of yours, newest first",
    returns=StaffViews,
)
def list_staff_views(session: Session, me: models.Member) -> dict[str, Any]:
    return {"items": cards.staff_views(session, me)}
