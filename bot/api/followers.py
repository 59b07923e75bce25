"""/api/v1/accounts/<account>/followers."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, Field
from sqlalchemy.orm import Session

import models
from bot.api.contract import LARGEST, In, Out, PageQuery, endpoint
from bot.api.messages import Turn
from bot.api.tasks import Task
from bot.services import fields, follower_sync, followers, notes, sends, timeline
from bot.services.timeline import Show

API = "API"  # who changed it, in the timeline


FieldValue = str | float | bool | None


class Tag(Out):
    id: int
    name: str
    wechat_id: int | None


class Follower(Out):
    id: int
    openid: str
    name: str
    nickname: str
    remark: str
    unionid: str
    language: str
    source: str
    is_subscribed: bool
    subscribed_at: datetime | None
    unsubscribed_at: datetime | None
    silent_until: datetime | None
    seen_at: datetime
    stage_id: int | None
    owner_id: int | None
    opted_out_at: Annotated[datetime | None, Field(description="wants no campaigns since then")]
    timezone: Annotated[str, Field(description="empty: the account's")]
    tags: list[Tag]


class Allowance(Out):
    """How many customer-service messages may still be sent, and until when."""

    left: int
    expires_at: datetime | None


class FollowerDetail(Follower):
    allowance: Allowance
    fields: Annotated[dict[str, FieldValue], Field(description="field id → value; a day is text such as 2026-11-23")]


class FollowerPage(Out):
    items: list[Follower]
    next: int | None


class FollowerQuery(PageQuery):
    search: Annotated[
        str, Field(max_length=100, description="any part of a name in characters, pinyin or initials; or an openid")
    ] = ""
    tag_id: Annotated[int | None, Field(ge=1, le=LARGEST)] = None
    stage_id: Annotated[int | None, Field(ge=0, le=LARGEST, description="0: in no stage")] = None
    owner_id: Annotated[int | None, Field(ge=0, le=LARGEST, description="0: nobody's")] = None
    is_subscribed: bool | None = None


class FollowerChange(In):
    """What is left out stays; null empties."""

    remark: Annotated[str | None, Field(max_length=64)] = None
    stage_id: int | None = None
    owner_id: Annotated[int | None, Field(description="an operator who works on the account")] = None
    opted_out: Annotated[bool | None, Field(description="whether they want no campaigns")] = None
    timezone: Annotated[str | None, Field(max_length=64, description="such as Asia/Shanghai")] = None
    fields: Annotated[dict[str, FieldValue], Field(description="field id → value", default_factory=dict)]


class ManyChange(In):
    """What is left out stays; null empties."""

    ids: Annotated[list[int], Field(min_length=1, max_length=followers.MOST_AT_ONCE)]
    stage_id: int | None = None
    owner_id: int | None = None


class Changed(Out):
    changed: int


class Note(Out):
    id: int
    operator_id: Annotated[int | None, Field(description="who wrote it; null: a program")]
    text: str
    created_at: datetime


class Notes(Out):
    items: list[Note]
    next: int | None


class NoteDraft(In):
    text: Annotated[str, Field(max_length=notes.LENGTH)]


class StoryLine(Turn):
    """``side`` is "change" where nobody spoke: kind and reply then tell what was changed, ``who`` by whom."""


class FollowerStory(Out):
    items: list[StoryLine]
    earlier: Annotated[datetime | None, Field(description="`before` of the page before this one")]


class StoryQuery(In):
    show: Show = Show.ALL
    before: AwareDatetime | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


@endpoint(
    "GET",
    "/accounts/<slug>/followers",
    scope="followers:read",
    summary="List followers, newest first",
    query=FollowerQuery,
    returns=FollowerPage,
)
def list_followers(session: Session, account: models.Account, query: FollowerQuery) -> dict[str, Any]:
    found = followers.page(session, account, **query.model_dump())  # its names are the filter's
    return {"items": found, "next": found[-1].id if len(found) == query.limit else None}


@endpoint(
    "GET",
    "/accounts/<slug>/followers/<int:follower_id>",
    scope="followers:read",
    summary="Get a follower, and how many messages may still be sent",
    returns=FollowerDetail,
)
def get_follower(session: Session, account: models.Account, follower_id: int) -> dict[str, Any]:
    return _detail(session, followers.get(session, account, follower_id))


@endpoint(
    "PATCH",
    "/accounts/<slug>/followers/<int:follower_id>",
    scope="followers:write",
    summary="Change a follower's remark, stage, owner, time zone or fields, or opt them out of campaigns",
    body=FollowerChange,
    returns=FollowerDetail,
)
def change_follower(
    session: Session, account: models.Account, follower_id: int, body: FollowerChange
) -> dict[str, Any]:
    follower = followers.get(session, account, follower_id)
    if body.remark is not None:
        followers.rename(session, follower, body.remark)
    _set(session, account, follower, body)
    if body.opted_out is not None:
        followers.set_opted_out(session, follower, body.opted_out, API)
    if "timezone" in body.model_fields_set:
        followers.set_timezone(follower, body.timezone or "")
    followers.set_fields(session, account, follower, {_number(name): value for name, value in body.fields.items()}, API)
    return _detail(session, follower)


@endpoint(
    "POST",
    "/accounts/<slug>/followers/bulk",
    scope="followers:write",
    summary="Change stage or owner of many followers at once, all or none",
    body=ManyChange,
    returns=Changed,
)
def change_followers(session: Session, account: models.Account, body: ManyChange) -> dict[str, Any]:
    many = followers.get_many(session, account, body.ids)
    for follower in many:
        _set(session, account, follower, body)
    return {"changed": len(many)}


@endpoint(
    "GET",
    "/accounts/<slug>/followers/<int:follower_id>/story",
    scope="messages:read",
    summary="Everything that happened with one follower: what was said, and what was changed; oldest first",
    query=StoryQuery,
    returns=FollowerStory,
)
def get_story(session: Session, account: models.Account, follower_id: int, query: StoryQuery) -> dict[str, Any]:
    follower = followers.get(session, account, follower_id)
    story = timeline.page(session, account, follower, show=query.show, before=query.before, limit=query.limit)
    return {"items": story.turns, "earlier": story.earlier}


@endpoint(
    "GET",
    "/accounts/<slug>/followers/<int:follower_id>/notes",
    scope="followers:read",
    summary="List the notes on a follower, newest first",
    query=PageQuery,
    returns=Notes,
)
def list_notes(session: Session, account: models.Account, follower_id: int, query: PageQuery) -> dict[str, Any]:
    follower = followers.get(session, account, follower_id)
    found = notes.page(session, follower, before=query.before, limit=query.limit)
    return {"items": found, "next": found[-1].id if len(found) == query.limit else None}


@endpoint(
    "POST",
    "/accounts/<slug>/followers/<int:follower_id>/notes",
    scope="followers:write",
    summary="Write a note on a follower",
    body=NoteDraft,
    returns=Note,
    status=201,
)
def add_note(session: Session, account: models.Account, follower_id: int, body: NoteDraft) -> models.Note:
    return notes.add(session, followers.get(session, account, follower_id), body.text, None, API)


@endpoint(
    "DELETE",
    "/accounts/<slug>/followers/<int:follower_id>/notes/<int:note_id>",
    scope="followers:write",
    summary="Delete a note that a program wrote",
    status=204,
)
def delete_note(session: Session, account: models.Account, follower_id: int, note_id: int) -> None:
    follower = followers.get(session, account, follower_id)
    notes.delete(session, follower, notes.get(session, account, follower, note_id), None, API)


@endpoint(
    "POST",
    "/accounts/<slug>/followers/sync",
    scope="followers:write",
    summary="Read all followers from WeChat",
    returns=Task,
    status=202,
)
def sync_followers(session: Session, account: models.Account) -> models.Task:
    return follower_sync.start(session, account)


def _set(
    session: Session, account: models.Account, follower: models.Follower, body: FollowerChange | ManyChange
) -> None:
    """Stage and owner, where the body names them."""
    if "stage_id" in body.model_fields_set:
        followers.set_stage(session, account, follower, body.stage_id, API)
    if "owner_id" in body.model_fields_set:
        followers.set_owner(session, account, follower, body.owner_id, API)


def _number(name: str) -> int:
    return int(name) if name.isdecimal() and len(name) < 19 else 0  # 0 is no field's


def _detail(session: Session, follower: models.Follower) -> dict[str, Any]:
    shown = Follower.model_validate(follower).model_dump()
    account = session.get_one(models.Account, follower.account_id)
    kept = fields.values(session, fields.list_all(session, account), [follower.id]).get(follower.id, {})
    told = {str(field_id): value.isoformat() if isinstance(value, date) else value for field_id, value in kept.items()}
    return {**shown, "allowance": sends.allowance(session, follower.id), "fields": told}
