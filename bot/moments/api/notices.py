"""/moments/api/v1/notices."""

from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot.moments import addresses, cards, notices, posts
from bot.moments.api.contract import In, Out, PageQuery, endpoint, start_of
from bot.moments.api.shapes import Address, Notice, Posts
from models import NoticeKind


class Notices(Out):
    items: list[Notice]
    next: str | None


class Unread(Out):
    count: Annotated[int, Field(description="of notices that you may still see; 100 stands for more")]


class Choices(Out):
    """Which kinds you get; also_like and also_comment are what others do on a post that you took part in."""

    like: bool
    comment: bool
    mention: bool
    reshare: bool
    widened: bool
    request: bool
    accepted: bool
    also_like: bool
    also_comment: bool


class ChoiceChange(In):
    """What is left out stays."""

    like: bool | None = None
    comment: bool | None = None
    mention: bool | None = None
    reshare: bool | None = None
    widened: bool | None = None
    request: bool | None = None
    accepted: bool | None = None
    also_like: bool | None = None
    also_comment: bool | None = None


class Reading(In):
    until: Annotated[Address, Field(description="the newest notice that was seen")]


@endpoint("GET", "/notices", scope="notices:read", summary="What happened", query=PageQuery, returns=Notices)
def list_notices(session: Session, me: models.Member, query: PageQuery) -> dict[str, Any]:
    place = f"notices {me.id}"
    found, following = notices.page(session, me, start_of(query, place), query.limit)
    return {
        "items": cards.noticed(session, me, found),
        "next": addresses.cursor(place, following) if following is not None else None,
    }


@endpoint("GET", "/notices/unread", scope="notices:read", summary="How many are new", returns=Unread)
def count_unread(session: Session, me: models.Member) -> dict[str, int]:
    return {"count": notices.unread(session, me)}


@endpoint("POST", "/notices/read", scope="notices:write", summary="They were seen", body=Reading, status=204)
def mark_read(session: Session, me: models.Member, body: Reading) -> None:
    notices.mark_read(session, me, addresses.read("notice", body.until))


@endpoint("GET", "/notices/choices", scope="notices:read", summary="Which kinds you get", returns=Choices)
def list_choices(session: Session, me: models.Member) -> dict[NoticeKind, bool]:
    return notices.choices(session, me)


@endpoint(
    "PATCH",
    "/notices/choices",
    scope="notices:write",
    summary="Switch kinds on or off, for those that are there too",
    body=ChoiceChange,
    returns=Choices,
)
def choose(session: Session, me: models.Member, body: ChoiceChange) -> dict[NoticeKind, bool]:
    notices.choose(session, me, {NoticeKind(kind): is_on for kind, is_on in body.model_dump(exclude_none=True).items()})
    return notices.choices(session, me)


@endpoint("GET", "/notices/muted", scope="posts:read", summary="Posts you hear nothing of", returns=Posts)
def list_muted(session: Session, me: models.Member) -> dict[str, Any]:
    return {"items": cards.many(session, me, notices.muted_posts(session, me)), "next": None}


@endpoint("PUT", "/posts/<post>/mute", scope="notices:write", summary="No notices about this post", status=204)
def mute_post(session: Session, me: models.Member, post_id: int) -> None:
    notices.set_muted(session, me, posts.find(session, me, post_id).id, True)


@endpoint("DELETE", "/posts/<post>/mute", scope="notices:write", summary="Notices about it again", status=204)
def unmute_post(session: Session, me: models.Member, post_id: int) -> None:
    notices.set_muted(session, me, post_id, False)
