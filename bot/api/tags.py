"""/api/v1/accounts/<account>/tags, …/auto-tags and …/blocklist."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot.api.contract import LARGEST, In, Out, PageQuery, endpoint
from bot.api.followers import FollowerPage
from bot.services import auto_tags, blocklist, tag_pushes, tags
from bot.services.auto_tags import AutoTagDraft
from models import MatchMode, PushAction, Trigger

WHO = "API"  # in timelines

Ids = Annotated[list[Annotated[int, Field(ge=1, le=LARGEST)]], Field(max_length=tags.MOST_AT_ONCE)]


class Tag(Out):
    id: int
    name: str
    wechat_id: int | None


class ListedTag(Tag):
    followers: int
    place: Annotated[
        Literal["wechat", "waiting", "here", "own"],
        Field(description="at WeChat, on its way there, only here, or one of WeChat's own"),
    ]


class TagProblem(Out):
    """What WeChat refused, and why."""

    action: PushAction
    tag: str
    count: int
    error: str


class TagList(Out):
    """Every tag; ``waiting``: changes that WeChat has yet to hear; ``problems``: those it refused."""

    items: list[ListedTag]
    waiting: int
    problems: list[TagProblem]


class TagDraft(In):
    name: Annotated[str, Field(max_length=64, description="1 to 30 bytes")]


class FollowersChange(In):
    """Followers by id; all of them change, or none."""

    add: Annotated[Ids, Field(default_factory=list)]
    remove: Annotated[Ids, Field(default_factory=list)]


class TagsChanged(Out):
    """How many changed; the others were so already."""

    added: int
    removed: int


class RefusedChange(In):
    do: Literal["retry", "dismiss"]


class AutoTag(Out):
    """When a follower does this, they get this tag, whoever answers."""

    id: int
    trigger: Trigger
    mode: MatchMode
    pattern: str
    tag_id: int
    is_enabled: bool
    created_at: datetime


class AutoTags(Out):
    items: list[AutoTag]


@endpoint(
    "GET",
    "/accounts/<slug>/tags",
    scope="followers:read",
    summary="List the tags, and what WeChat has yet to hear of them",
    returns=TagList,
)
def list_tags(session: Session, account: models.Account) -> dict[str, Any]:
    items = [
        {**Tag.model_validate(each.tag).model_dump(), "followers": each.followers, "place": each.place}
        for each in tags.listed(session, account)
    ]
    problems = tag_pushes.problems(session, account)
    return {"items": items, "waiting": tag_pushes.waiting(session, account), "problems": problems}


@endpoint(
    "POST", "/accounts/<slug>/tags", scope="tags:write", summary="Add a tag", body=TagDraft, returns=Tag, status=201
)
def create_tag(session: Session, account: models.Account, body: TagDraft) -> models.Tag:
    return tags.add(session, account, body.name)


@endpoint(
    "PATCH",
    "/accounts/<slug>/tags/<int:tag_id>",
    scope="tags:write",
    summary="Rename a tag",
    body=TagDraft,
    returns=Tag,
)
def rename_tag(session: Session, account: models.Account, tag_id: int, body: TagDraft) -> models.Tag:
    tag = tags.get(session, account, tag_id)
    tags.rename(session, account, tag, body.name)
    return tag


@endpoint(
    "DELETE",
    "/accounts/<slug>/tags/<int:tag_id>",
    scope="tags:write",
    summary="Delete a tag, and what gives it by itself",
    status=204,
)
def delete_tag(session: Session, account: models.Account, tag_id: int) -> None:
    tags.delete(session, account, tags.get(session, account, tag_id))


@endpoint(
    "POST",
    "/accounts/<slug>/tags/<int:tag_id>/share",
    scope="tags:write",
    summary="Keep with WeChat, too, a tag that only Lobby knows",
    returns=Tag,
)
def share_tag(session: Session, account: models.Account, tag_id: int) -> models.Tag:
    tag = tags.get(session, account, tag_id)
    tags.share(session, account, tag)
    return tag


@endpoint(
    "POST",
    "/accounts/<slug>/tags/<int:tag_id>/followers",
    scope="followers:write",
    summary="Give a tag to followers, and take it from others",
    body=FollowersChange,
    returns=TagsChanged,
)
def tag_followers(session: Session, account: models.Account, tag_id: int, body: FollowersChange) -> dict[str, int]:
    tag = tags.get(session, account, tag_id)
    removed = tags.take(session, account, tag, body.remove, WHO)
    return {"added": tags.give(session, account, tag, body.add, WHO), "removed": removed}


@endpoint(
    "POST",
    "/accounts/<slug>/tags/problems",
    scope="tags:write",
    summary="Tell WeChat again what it refused, or no more",
    body=RefusedChange,
    status=204,
)
def settle_tag_problems(session: Session, account: models.Account, body: RefusedChange) -> None:
    (tag_pushes.retry if body.do == "retry" else tag_pushes.dismiss)(session, account)


@endpoint(
    "GET",
    "/accounts/<slug>/blocklist",
    scope="followers:read",
    summary="List the blocked followers, newest first",
    query=PageQuery,
    returns=FollowerPage,
)
def list_blocked(session: Session, account: models.Account, query: PageQuery) -> dict[str, Any]:
    found = blocklist.page(session, account, before=query.before, limit=query.limit)
    return {"items": found, "next": found[-1].id if len(found) == query.limit else None}


@endpoint(
    "POST",
    "/accounts/<slug>/blocklist",
    scope="followers:write",
    summary="Block followers, and let others write again",
    body=FollowersChange,
    returns=TagsChanged,
)
def change_blocklist(session: Session, account: models.Account, body: FollowersChange) -> dict[str, int]:
    removed = blocklist.unblock(session, account, body.remove, WHO)
    return {"added": blocklist.block(session, account, body.add, WHO), "removed": removed}


@endpoint("GET", "/accounts/<slug>/auto-tags", scope="tags:read", summary="List the automatic tags", returns=AutoTags)
def list_auto_tags(session: Session, account: models.Account) -> dict[str, Any]:
    return {"items": auto_tags.list_all(session, account)}


@endpoint(
    "POST",
    "/accounts/<slug>/auto-tags",
    scope="tags:write",
    summary="Give a tag by itself from the next message on",
    body=AutoTagDraft,
    returns=AutoTag,
    status=201,
)
def create_auto_tag(session: Session, account: models.Account, body: AutoTagDraft) -> models.AutoTag:
    return auto_tags.save(session, account, body)


@endpoint(
    "PUT",
    "/accounts/<slug>/auto-tags/<int:auto_tag_id>",
    scope="tags:write",
    summary="Replace an automatic tag",
    body=AutoTagDraft,
    returns=AutoTag,
)
def replace_auto_tag(session: Session, account: models.Account, auto_tag_id: int, body: AutoTagDraft) -> models.AutoTag:
    return auto_tags.save(session, account, body, auto_tags.get(session, account, auto_tag_id))


@endpoint(
    "DELETE",
    "/accounts/<slug>/auto-tags/<int:auto_tag_id>",
    scope="tags:write",
    summary="Delete an automatic tag",
    status=204,
)
def delete_auto_tag(session: Session, account: models.Account, auto_tag_id: int) -> None:
    auto_tags.delete(session, account, auto_tags.get(session, account, auto_tag_id))
