"""/api/v1/accounts/<account>/followers."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot.api.contract import In, Out, PageQuery, endpoint
from bot.api.tasks import Task
from bot.services import follower_sync, followers, sends


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
    tags: list[Tag]


class Allowance(Out):
    """How many customer-service messages may still be sent, and until when."""

    left: int
    expires_at: datetime | None


class FollowerDetail(Follower):
    allowance: Allowance


class FollowerPage(Out):
    items: list[Follower]
    next: int | None


class FollowerQuery(PageQuery):
    search: Annotated[str, Field(max_length=100, description="part of a name or remark, or an openid")] = ""


class FollowerChange(In):
    remark: Annotated[str, Field(max_length=64)]


@endpoint(
    "GET",
    "/accounts/<slug>/followers",
    scope="followers:read",
    summary="List followers, newest first",
    query=FollowerQuery,
    returns=FollowerPage,
)
def list_followers(session: Session, account: models.Account, query: FollowerQuery) -> dict[str, Any]:
    found = followers.page(session, account, search=query.search, before=query.before, limit=query.limit)
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
    summary="Give a follower a remark",
    body=FollowerChange,
    returns=FollowerDetail,
)
def change_follower(
    session: Session, account: models.Account, follower_id: int, body: FollowerChange
) -> dict[str, Any]:
    follower = followers.get(session, account, follower_id)
    followers.rename(session, follower, body.remark)
    return _detail(session, follower)


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


def _detail(session: Session, follower: models.Follower) -> dict[str, Any]:
    shown = Follower.model_validate(follower).model_dump()
    return {**shown, "allowance": sends.allowance(session, follower.id)}
