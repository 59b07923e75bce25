"""/api/v1/moments: what members of Moments reported, and what is done about it.  For tokens of all accounts only.

Moments is one for the whole install; it knows nothing of accounts.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Response
from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot.api.contract import In, Out, PageQuery, endpoint
from bot.errors import Forbidden
from bot.moments import moderation
from bot.moments.media import serving
from models import CaseState, MediaKind, PostMode, ReportReason


class Case(Out):
    """Nothing of what was written: whoever looks at that is noted."""

    id: int
    state: CaseState
    opened_at: datetime
    is_comment: bool
    reasons: Annotated[dict[ReportReason, int], Field(description="reason → how many members gave it")]


class Cases(Out):
    items: list[Case]
    next: int | None


class CaseQuery(PageQuery):
    state: Literal["open", "held"] = "open"


class MomentsReport(Out):
    """Never by whom."""

    reason: ReportReason
    words: str
    created_at: datetime


class MomentsMember(Out):
    id: int
    handle: str
    name: str
    suspended_at: datetime | None


class MomentsMembers(Out):
    items: list[MomentsMember]


class MomentsMedia(Out):
    id: int
    kind: MediaKind
    alt: str
    has_poster: bool


class OpenedCase(Out):
    id: int
    state: CaseState
    is_comment: bool
    body: str
    place: str
    link: str
    media: list[MomentsMedia]
    is_reshare: Annotated[bool, Field(description="of another post, which is not shown here")]
    mode: Annotated[PostMode, Field(description="the kind of the post's audience; who is in it is not told")]
    writer: MomentsMember
    reports: list[MomentsReport]
    hold_reason: ReportReason | None
    hold_words: str


class MomentsHold(In):
    reason: ReportReason
    words: Annotated[str, Field(max_length=1_000, description="for who wrote it")] = ""


class PartQuery(In):
    part: Literal["thumb", "feed", "full", "video"] = "feed"


@endpoint(
    "GET",
    "/moments/cases",
    scope="moments:read",
    summary="List what was reported, newest first, without what was written",
    query=CaseQuery,
    returns=Cases,
)
def list_cases(session: Session, token: models.ApiToken, query: CaseQuery) -> dict[str, Any]:
    _for_all_accounts(token)
    found = moderation.queue(session, CaseState(query.state), query.before, query.limit)
    return {"items": found, "next": found[-1].id if len(found) == query.limit else None}


@endpoint(
    "POST",
    "/moments/cases/<int:case_id>/look",
    scope="moments:read",
    summary="Look at what was reported; its writer can read that you did, by the token's name",
    returns=OpenedCase,
)
def look_at_case(session: Session, token: models.ApiToken, case_id: int) -> moderation.Shown:
    _for_all_accounts(token)
    return moderation.look(session, case_id, _who(token))


@endpoint(
    "GET",
    "/moments/cases/<int:case_id>/media/<int:media_id>",
    scope="moments:read",
    summary="A photo or video of a case, within an hour after looking at it",
    query=PartQuery,
    gives_file=True,
)
def read_case_media(
    session: Session, token: models.ApiToken, case_id: int, media_id: int, query: PartQuery
) -> Response:
    _for_all_accounts(token)
    return serving.serve(moderation.media(session, case_id, media_id, _who(token)), query.part)


@endpoint(
    "POST",
    "/moments/cases/<int:case_id>/hold",
    scope="moments:write",
    summary="Show it to its writer only, with this reason",
    body=MomentsHold,
    status=204,
)
def hold_case(session: Session, token: models.ApiToken, case_id: int, body: MomentsHold) -> None:
    _for_all_accounts(token)
    moderation.hold(session, case_id, body.reason, body.words)


@endpoint(
    "POST",
    "/moments/cases/<int:case_id>/release",
    scope="moments:write",
    summary="Show what is held again to those for whom it is",
    status=204,
)
def release_case(session: Session, token: models.ApiToken, case_id: int) -> None:
    _for_all_accounts(token)
    moderation.release(session, case_id)


@endpoint(
    "POST",
    "/moments/cases/<int:case_id>/dismiss",
    scope="moments:write",
    summary="Nothing is wrong with it; another report opens the case again",
    status=204,
)
def dismiss_case(session: Session, token: models.ApiToken, case_id: int) -> None:
    _for_all_accounts(token)
    moderation.dismiss(session, case_id)


@endpoint(
    "GET", "/moments/suspensions", scope="moments:read", summary="List the suspended members", returns=MomentsMembers
)
def list_suspended(session: Session, token: models.ApiToken) -> dict[str, Any]:
    _for_all_accounts(token)
    return {"items": moderation.suspended(session)}


@endpoint(
    "PUT",
    "/moments/members/<int:member_id>/suspension",
    scope="moments:write",
    summary="Hide everything of a member until the suspension ends",
    returns=MomentsMember,
)
def suspend_member(session: Session, token: models.ApiToken, member_id: int) -> models.Member:
    _for_all_accounts(token)
    return moderation.suspend(session, member_id)


@endpoint(
    "DELETE",
    "/moments/members/<int:member_id>/suspension",
    scope="moments:write",
    summary="End a suspension",
    returns=MomentsMember,
)
def release_member(session: Session, token: models.ApiToken, member_id: int) -> models.Member:
    _for_all_accounts(token)
    return moderation.release_member(session, member_id)


def _for_all_accounts(token: models.ApiToken) -> None:
    if token.account_id is not None:
        raise Forbidden("This token is for one account; Moments takes one for all accounts.")


def _who(token: models.ApiToken) -> str:
    return f"API: {token.name or token.id}"
