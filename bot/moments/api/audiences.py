"""/moments/api/v1/me/posts: one's own by their audience, and another audience for many at once."""

from typing import Annotated, Any

from pydantic import AwareDatetime, Field
from sqlalchemy.orm import Session

import models
from bot.moments import addresses, feed, sight
from bot.moments.api.contract import In, Out, PageQuery, endpoint, start_of
from bot.moments.api.posts import page_of
from bot.moments.api.shapes import Address, AudienceChoice, Effect, Posts
from bot.moments.feed import Which
from models import PostMode


class Choosing(In):
    """What is left out chooses all."""

    mode: PostMode | None = None
    group: Annotated[Address | None, Field(description="a group of yours that the audience names")] = None
    since: AwareDatetime | None = None
    until: Annotated[AwareDatetime | None, Field(description="before this moment")] = None

    def which(self) -> Which:
        group_id = addresses.read("group", self.group) if self.group is not None else None
        return Which(self.mode, group_id, self.since, self.until)


class ChosenPage(PageQuery, Choosing): ...


class ManyPreview(In):
    posts: Choosing
    audience: AudienceChoice


class ManyChange(ManyPreview):
    confirm: Annotated[bool, Field(description="needed when posts open to somebody")] = False


class ManyEffect(Effect):
    count: Annotated[int, Field(description="of posts that get this audience")]


class Changed(Out):
    count: int


@endpoint("GET", "/me/posts", scope="posts:read", summary="Your posts of one kind", query=ChosenPage, returns=Posts)
def list_mine(session: Session, me: models.Member, query: ChosenPage) -> dict[str, Any]:
    place = f"mine {me.id} {query.which()}"
    return page_of(session, me, place, *feed.own(session, me, query.which(), start_of(query, place), query.limit))


@endpoint(
    "POST",
    "/me/posts/audience/preview",
    scope="posts:write",
    summary="What another audience for many posts would do; nothing is changed",
    body=ManyPreview,
    returns=ManyEffect,
)
def preview_many(session: Session, me: models.Member, body: ManyPreview) -> dict[str, int]:
    count, effect = sight.of_changing(session, me, body.posts.which(), body.audience.choice())
    return {"count": count, "closes": effect.closes, "opens": effect.opens}


@endpoint(
    "POST",
    "/me/posts/audience",
    scope="posts:write",
    summary="Give many of your posts another audience",
    body=ManyChange,
    returns=Changed,
)
def change_many(session: Session, me: models.Member, body: ManyChange) -> dict[str, int]:
    count = sight.change(session, me, body.posts.which(), body.audience.choice(), confirmed=body.confirm)
    return {"count": count}
