"""/moments/api/v1/members, /sign-in, /me, /tokens: joining, and what is one's own."""

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import g, request
from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot.errors import Unauthenticated
from bot.moments import addresses, cards, members
from bot.moments.api.contract import COOKIE, OPEN, In, Out, endpoint, prove
from bot.moments.api.shapes import Address, Notice, Person, Post, Scheduled, StaffView


class Joining(In):
    handle: Annotated[str, Field(max_length=64)]
    name: Annotated[str, Field(max_length=64)]
    password: Annotated[str, Field(max_length=300)]


class SigningIn(In):
    handle: Annotated[str, Field(max_length=64)]
    password: Annotated[str, Field(max_length=300)]


class Me(Out):
    id: str
    handle: str
    name: str
    about: str
    avatar: str | None
    cover: str | None
    status: models.MemberStatus
    window_days: int | None
    newonly: bool
    takes_requests: bool
    lets_reshare: bool


class ProfileChange(In):
    """What is left out stays."""

    name: Annotated[str | None, Field(max_length=64)] = None
    about: Annotated[str | None, Field(max_length=200)] = None


class Privacy(In):
    window_days: Annotated[Literal[3, 30, 180] | None, Field(description="how far back friends see; null: everything")]
    newonly: Annotated[bool, Field(description="later friends see only later posts")]
    takes_requests: bool = True
    lets_reshare: Annotated[bool, Field(description="what a new post for all friends begins with")] = True


class TokenDraft(In):
    name: Annotated[str, Field(max_length=64)] = ""
    scopes: Annotated[list[str], Field(max_length=20)]


class Token(Out):
    id: str
    name: str
    scopes: list[str]


class Tokens(Out):
    items: list[Token]


class NewToken(Token):
    token: Annotated[str, Field(description="shown only here")]


class Profile(Person):
    handle: str
    about: str
    cover: Annotated[str | None, Field(description="the path of a wide photo")]


class MyComment(Out):
    id: str
    at: datetime
    body: str
    is_removed: Annotated[bool, Field(description="by the post's author: nobody sees it, and it is erased in a day")]


class MyLike(Out):
    post: str
    at: datetime


class MyReshare(Out):
    id: str
    at: datetime
    body: str


class Activity(Out):
    comments: list[MyComment]
    likes: list[MyLike]
    reshares: list[MyReshare]


class ExportedGroup(Out):
    name: str
    members: list[Person]


class ExportedLink(Out):
    account: str
    openid: Annotated[str, Field(description="who you are to the account, in WeChat")]
    at: datetime


class Export(Activity):
    handle: str
    name: str
    about: str
    avatar: str | None
    cover: str | None
    posts: list[Post]
    scheduled: list[Scheduled]
    friends: list[Person]
    groups: list[ExportedGroup]
    notices: list[Notice]
    staff_views: list[StaffView]
    wechat: list[ExportedLink]


class Lookup(In):
    """One of the two."""

    handle: Annotated[str, Field(max_length=64)] = ""
    code: Annotated[str, Field(max_length=32, description="what somebody's QR code holds")] = ""


@endpoint("POST", "/members", scope=OPEN, summary="Join, signed in at once", body=Joining, returns=Me, status=201)
def join(session: Session, body: Joining) -> dict[str, Any]:
    member = members.join(session, body.handle, body.name, body.password)
    g.moments_cookie = members.sign_in(session, member, _device())
    return shown_to_me(member)


@endpoint("POST", "/sign-in", scope=OPEN, summary="Sign in: sets the cookie", body=SigningIn, returns=Me)
def sign_in(session: Session, body: SigningIn) -> dict[str, Any]:
    prove(body.handle, body.password)  # before the first statement: this transaction has not begun yet
    member = members.find(session, body.handle)
    if member is None:
        raise Unauthenticated("The name or the password is wrong.", field="password")
    g.moments_cookie = members.sign_in(session, member, _device())
    return shown_to_me(member)


@endpoint("POST", "/sign-out", scope="profile:write", summary="End this browser's sign-in", status=204)
def sign_out(session: Session) -> None:
    members.sign_out(session, request.cookies.get(COOKIE, ""))


@endpoint("GET", "/me", scope="profile:read", summary="Who you are, and your privacy", returns=Me)
def me(session: Session, me: models.Member) -> dict[str, Any]:
    return shown_to_me(me)


@endpoint("PATCH", "/me", scope="profile:write", summary="Change your name or text", body=ProfileChange, returns=Me)
def change_me(session: Session, me: models.Member, body: ProfileChange) -> dict[str, Any]:
    members.change_profile(session, me, name=body.name, about=body.about)
    return shown_to_me(me)


@endpoint(
    "PUT", "/me/privacy", scope="profile:write", summary="What holds for all your posts", body=Privacy, returns=Me
)
def change_privacy(session: Session, me: models.Member, body: Privacy) -> dict[str, Any]:
    members.change_privacy(session, me, **body.model_dump())
    return shown_to_me(me)


class Chosen(In):
    media: Annotated[Address, Field(description="an upload of yours that is in no post")]


@endpoint("PUT", "/me/avatar", scope="profile:write", summary="Choose your avatar", body=Chosen, returns=Me)
def choose_avatar(session: Session, me: models.Member, body: Chosen) -> dict[str, Any]:
    members.show(session, me, models.MediaUse.AVATAR, addresses.read("media", body.media))
    return shown_to_me(me)


@endpoint("DELETE", "/me/avatar", scope="profile:write", summary="Have no avatar", returns=Me)
def remove_avatar(session: Session, me: models.Member) -> dict[str, Any]:
    members.show(session, me, models.MediaUse.AVATAR, None)
    return shown_to_me(me)


@endpoint(
    "PUT", "/me/cover", scope="profile:write", summary="Choose the photo above your posts", body=Chosen, returns=Me
)
def choose_cover(session: Session, me: models.Member, body: Chosen) -> dict[str, Any]:
    members.show(session, me, models.MediaUse.COVER, addresses.read("media", body.media))
    return shown_to_me(me)


@endpoint("DELETE", "/me/cover", scope="profile:write", summary="Have no cover", returns=Me)
def remove_cover(session: Session, me: models.Member) -> dict[str, Any]:
    members.show(session, me, models.MediaUse.COVER, None)
    return shown_to_me(me)


@endpoint("POST", "/me/off", scope="profile:write", summary="Hide all that is yours until you come back", returns=Me)
def switch_off(session: Session, me: models.Member) -> dict[str, Any]:
    members.switch_off(session, me)
    return shown_to_me(me)


@endpoint("POST", "/me/back", scope="profile:write", summary="Come back, also from deleting in time", returns=Me)
def come_back(session: Session, me: models.Member) -> dict[str, Any]:
    members.come_back(session, me)
    return shown_to_me(me)


@endpoint("DELETE", "/me", scope="profile:write", summary="Hide everything now, erase it in 15 days", status=204)
def delete_me(session: Session, me: models.Member) -> None:
    members.delete_all(session, me)


@endpoint("GET", "/me/activity", scope="profile:read", summary="What you have left on posts", returns=Activity)
def activity(session: Session, me: models.Member) -> dict[str, Any]:
    return cards.activity(session, me)


@endpoint("GET", "/me/export", scope="profile:read", summary="All that is yours", returns=Export)
def export(session: Session, me: models.Member) -> dict[str, Any]:
    return cards.export(session, me)


@endpoint("GET", "/tokens", scope="profile:read", summary="List your programs' tokens", returns=Tokens)
def list_tokens(session: Session, me: models.Member) -> dict[str, Any]:
    return {"items": [_token(each) for each in members.tokens(session, me)]}


@endpoint(
    "POST",
    "/tokens",
    scope="profile:write",
    summary="Make a token",
    body=TokenDraft,
    returns=NewToken,
    status=201,
)
def make_token(session: Session, me: models.Member, body: TokenDraft) -> dict[str, Any]:
    token, plain = members.make_token(session, me, body.name, body.scopes)
    return {**_token(token), "token": plain}


@endpoint("DELETE", "/tokens/<token>", scope="profile:write", summary="End a token", status=204)
def end_token(session: Session, me: models.Member, token_id: int) -> None:
    members.end_token(session, me, token_id)


@endpoint(
    "GET", "/members", scope="friends:read", summary="Find somebody by handle or code", query=Lookup, returns=Profile
)
def look_up(session: Session, me: models.Member, query: Lookup) -> dict[str, Any]:
    if query.code:
        return _profile(session, me, members.by_code(session, me, query.code))
    return _profile(session, me, members.look_up(session, me, query.handle))


@endpoint("GET", "/members/<member>", scope="friends:read", summary="Look at somebody", returns=Profile)
def profile(session: Session, me: models.Member, member_id: int) -> dict[str, Any]:
    return _profile(session, me, members.profile(session, me, member_id))


def _profile(session: Session, me: models.Member, found: models.Member) -> dict[str, Any]:
    return {
        **cards.people(session, me, [found.id])[0],
        "handle": found.handle,
        "about": found.about,
        "cover": cards.part(found.cover_id, "feed"),
    }


def shown_to_me(member: models.Member) -> dict[str, Any]:
    shown = {name: getattr(member, name) for name in Me.model_fields if name not in ("id", "avatar", "cover")}
    return {"id": addresses.of("member", member.id), **shown, **cards.pictures(member)}


def _token(token: models.MemberToken) -> dict[str, Any]:
    return {"id": addresses.of("token", token.id), "name": token.name, "scopes": token.scopes}


def _device() -> str:
    return request.headers.get("User-Agent", "")
