"""/moments/api/v1/groups: one's private labels for friends."""

from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot.moments import addresses, cards, feed, groups, sight
from bot.moments.api.contract import In, Out, PageQuery, endpoint, start_of
from bot.moments.api.posts import page_of
from bot.moments.api.shapes import Address, Effect, Named, People, Posts
from bot.moments.feed import Which


class Group(Named):
    count: int


class Groups(Out):
    items: list[Group]


class GroupDraft(In):
    name: Annotated[str, Field(max_length=64)]


class GroupChange(In):
    act: Annotated[
        Literal["put_in", "take_out", "delete", "apply"],
        Field(description="apply: let the group as it is today hold for all posts that name it"),
    ]
    member: Annotated[Address, Field(description="whom to put in or take out")] = ""


class Confirmation(In):
    confirm: Annotated[bool, Field(description="needed when posts open to somebody")] = False


@endpoint("GET", "/groups", scope="groups:read", summary="List your groups", returns=Groups)
def list_groups(session: Session, me: models.Member) -> dict[str, Any]:
    counts = groups.counts(session, me)
    return {"items": [_group(each, counts.get(each.id, 0)) for each in groups.list_all(session, me)]}


@endpoint("POST", "/groups", scope="groups:write", summary="Make a group", body=GroupDraft, returns=Group, status=201)
def make_group(session: Session, me: models.Member, body: GroupDraft) -> dict[str, Any]:
    return _group(groups.create(session, me, body.name), 0)


@endpoint("PATCH", "/groups/<group>", scope="groups:write", summary="Rename a group", body=GroupDraft, returns=Group)
def rename_group(session: Session, me: models.Member, group_id: int, body: GroupDraft) -> dict[str, Any]:
    group = groups.get(session, me, group_id)
    groups.rename(session, group, body.name)
    return _group(group, groups.counts(session, me).get(group_id, 0))


@endpoint("DELETE", "/groups/<group>", scope="groups:write", summary="Delete a group", status=204)
def delete_group(session: Session, me: models.Member, group_id: int) -> None:
    groups.remove(session, me, groups.get(session, me, group_id))


@endpoint("GET", "/groups/<group>/members", scope="groups:read", summary="List a group's friends", returns=People)
def list_group(session: Session, me: models.Member, group_id: int) -> dict[str, Any]:
    found = groups.people_in(session, groups.get(session, me, group_id))
    return {"items": cards.people(session, me, [member.id for member in found])}


@endpoint(
    "PUT", "/groups/<group>/members/<member>", scope="groups:write", summary="Put a friend into a group", status=204
)
def put_in_group(session: Session, me: models.Member, group_id: int, member_id: int) -> None:
    groups.put_in(session, me, groups.get(session, me, group_id), member_id)


@endpoint("DELETE", "/groups/<group>/members/<member>", scope="groups:write", summary="Take a friend out", status=204)
def take_out_of_group(session: Session, me: models.Member, group_id: int, member_id: int) -> None:
    groups.take_out(session, me, groups.get(session, me, group_id), member_id)


@endpoint(
    "GET",
    "/groups/<group>/posts",
    scope="posts:read",
    summary="Your posts that name the group",
    query=PageQuery,
    returns=Posts,
)
def list_group_posts(session: Session, me: models.Member, group_id: int, query: PageQuery) -> dict[str, Any]:
    place = f"group {me.id} {group_id}"
    groups.get(session, me, group_id)
    return page_of(
        session, me, place, *feed.own(session, me, Which(group_id=group_id), start_of(query, place), query.limit)
    )


@endpoint(
    "POST",
    "/groups/<group>/preview",
    scope="groups:write",
    summary="What a change would do to past posts; nothing is changed",
    body=GroupChange,
    returns=Effect,
)
def preview_group(session: Session, me: models.Member, group_id: int, body: GroupChange) -> sight.Effect:
    group, member_id = groups.get(session, me, group_id), addresses.read("member", body.member)
    match body.act:
        case "put_in":
            return sight.of_putting_in(session, me, group, member_id)
        case "take_out":
            return sight.of_taking_out(session, me, group, member_id)
        case "delete":
            return sight.of_removing(session, me, group)
    return sight.of_applying(session, me, group)


@endpoint(
    "POST",
    "/groups/<group>/apply",
    scope="posts:write",
    summary="Let the group as it is today hold for all posts that name it",
    body=Confirmation,
    status=204,
)
def apply_group(session: Session, me: models.Member, group_id: int, body: Confirmation) -> None:
    sight.apply(session, me, groups.get(session, me, group_id), confirmed=body.confirm)


def _group(group: models.FriendGroup, count: int) -> dict[str, Any]:
    return {"id": addresses.of("group", group.id), "name": group.name, "count": count}
