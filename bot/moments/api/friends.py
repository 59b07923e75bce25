"""/moments/api/v1/friends, /requests, /blocks."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot.moments import addresses, cards, feed, friends, groups, members
from bot.moments.api.contract import In, Out, PageQuery, endpoint, start_of
from bot.moments.api.posts import page_of
from bot.moments.api.shapes import Address, People, Person, Posts
from models import RequestSource


class Friend(Person):
    own_name: Annotated[str, Field(description="the name they chose")]
    remark: str
    hides: Annotated[bool, Field(description="you hide your Moments from them")]
    mutes: Annotated[bool, Field(description="their posts stay out of your feed")]


class Friends(Out):
    items: list[Friend]


class FriendChange(In):
    """What is left out stays."""

    remark: Annotated[str | None, Field(max_length=32)] = None
    hides: bool | None = None
    mutes: bool | None = None
    chat_only: Annotated[bool | None, Field(description="both at once")] = None


class Request(Out):
    direction: Literal["from", "to"]
    member: Person
    message: str
    source: Annotated[RequestSource, Field(description="how they found you, or you them")]
    mutual: Annotated[int | None, Field(description="how many of your friends are theirs too; null: you asked")]
    at: datetime


class Requests(Out):
    items: list[Request]


class RequestDraft(In):
    """To a member, or to the one whose code it is."""

    member: Address = ""
    code: Annotated[str, Field(max_length=32)] = ""
    message: Annotated[str, Field(max_length=200)] = ""


class Acceptance(In):
    """What holds from the first moment."""

    groups: Annotated[list[Address], Field(max_length=20)] = Field(default_factory=list)
    hides: bool = False
    chat_only: bool = False


@endpoint("GET", "/friends", scope="friends:read", summary="List your friends", returns=Friends)
def list_friends(session: Session, me: models.Member) -> dict[str, Any]:
    return {"items": [_friend(member, edge) for member, edge in friends.list_all(session, me)]}


@endpoint(
    "PATCH",
    "/friends/<member>",
    scope="friends:write",
    summary="Name, hide from, or mute a friend",
    body=FriendChange,
    returns=Friend,
)
def change_friend(session: Session, me: models.Member, member_id: int, body: FriendChange) -> dict[str, Any]:
    friends.get(session, me, member_id)
    hides = body.hides if body.chat_only is None else body.chat_only
    mutes = body.mutes if body.chat_only is None else body.chat_only
    if hides is not None:
        friends.set_hiding(session, me, member_id, hides)
    if mutes is not None:
        friends.set_muting(session, me, member_id, mutes)
    if body.remark is not None:
        friends.set_remark(session, me, member_id, body.remark)
    return _friend(*friends.get(session, me, member_id))


@endpoint("DELETE", "/friends/<member>", scope="friends:write", summary="End a friendship, both ways", status=204)
def unfriend(session: Session, me: models.Member, member_id: int) -> None:
    friends.unfriend(session, me, member_id)


@endpoint(
    "GET",
    "/friends/<member>/view",
    scope="posts:read",
    summary="Which of your posts this friend sees",
    query=PageQuery,
    returns=Posts,
)
def view_as(session: Session, me: models.Member, member_id: int, query: PageQuery) -> dict[str, Any]:
    friend, _edge = friends.get(session, me, member_id)
    place = f"view {me.id} {member_id}"
    found = feed.album(session, friend, me.id, start_of(query, place), query.limit)
    return page_of(session, me, place, *found)


@endpoint("GET", "/requests", scope="friends:read", summary="List requests that wait, both ways", returns=Requests)
def list_requests(session: Session, me: models.Member) -> dict[str, Any]:
    found = friends.requests(session, me)
    mutual = friends.mutual(session, me, [request.from_id for request, _other in found if request.to_id == me.id])
    return {
        "items": [
            {
                "direction": "to" if request.from_id == me.id else "from",
                "member": cards.known(other),
                "message": request.message,
                "source": request.source,
                "mutual": mutual.get(other.id),
                "at": request.created_at,
            }
            for request, other in found
        ]
    }


@endpoint("POST", "/requests", scope="friends:write", summary="Ask to be friends", body=RequestDraft, status=204)
def ask(session: Session, me: models.Member, body: RequestDraft) -> None:
    if body.code:
        friends.ask(session, me, members.by_code(session, me, body.code).id, body.message, RequestSource.CODE)
    else:
        friends.ask(session, me, addresses.read("member", body.member), body.message)


@endpoint(
    "POST",
    "/requests/<member>/accept",
    scope="friends:write",
    summary="Accept somebody's request",
    body=Acceptance,
    status=204,
)
def accept(session: Session, me: models.Member, member_id: int, body: Acceptance) -> None:
    into = [groups.get(session, me, addresses.read("group", each)) for each in body.groups]
    friends.accept(session, me, member_id, into=into, hides=body.hides, chat_only=body.chat_only)


@endpoint("POST", "/requests/<member>/refuse", scope="friends:write", summary="Refuse; they are not told", status=204)
def refuse(session: Session, me: models.Member, member_id: int) -> None:
    friends.refuse(session, me, member_id)


@endpoint("DELETE", "/requests/<member>", scope="friends:write", summary="Withdraw your own request", status=204)
def withdraw(session: Session, me: models.Member, member_id: int) -> None:
    friends.withdraw(session, me, member_id)


@endpoint("GET", "/blocks", scope="friends:read", summary="List whom you block", returns=People)
def list_blocks(session: Session, me: models.Member) -> dict[str, Any]:
    return {"items": cards.people(session, me, [member.id for member in friends.blocked(session, me)])}


@endpoint("PUT", "/blocks/<member>", scope="friends:write", summary="Block somebody", status=204)
def block(session: Session, me: models.Member, member_id: int) -> None:
    friends.block(session, me, member_id)


@endpoint("DELETE", "/blocks/<member>", scope="friends:write", summary="Unblock: all is as before", status=204)
def unblock(session: Session, me: models.Member, member_id: int) -> None:
    friends.unblock(session, me, member_id)


def _friend(member: models.Member, edge: models.Edge) -> dict[str, Any]:
    return {
        **cards.known(member, edge.remark),
        "own_name": member.name,
        "remark": edge.remark,
        "hides": edge.hides,
        "mutes": edge.mutes,
    }
