"""/moments/api/v1/groups: one's private labels for friends."""

from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot.moments import addresses, cards, groups
from bot.moments.api.contract import In, Out, endpoint
from bot.moments.api.shapes import Named, People


class Group(Named):
    count: int


class Groups(Out):
    items: list[Group]


class GroupDraft(In):
    name: Annotated[str, Field(max_length=64)]


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


def _group(group: models.FriendGroup, count: int) -> dict[str, Any]:
    return {"id": addresses.of("group", group.id), "name": group.name, "count": count}
