"""/moments/api/v1/feed, /posts, /members/<member>/posts, /search."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot.moments import addresses, audiences, cards, feed, posts
from bot.moments.api.contract import In, Out, PageQuery, endpoint, start_of
from bot.moments.api.shapes import Address, Audience, AudienceChoice, People, Post, Posts
from bot.moments.posts import Draft


class Written(In):
    body: Annotated[str, Field(max_length=20_000)] = ""
    place: Annotated[str, Field(max_length=100)] = ""
    link: Annotated[str, Field(max_length=500, pattern="^(https?://.*)?$")] = ""
    audience: AudienceChoice = AudienceChoice()
    reshare_ok: Annotated[bool | None, Field(description="null: as your privacy says")] = None
    mentions: Annotated[list[Address], Field(max_length=50)] = Field(default_factory=list)
    media: Annotated[list[Address], Field(max_length=50, description="uploads: up to 9 photos, or one video")] = Field(
        default_factory=list
    )

    def draft(self, root_id: int | None = None) -> Draft:
        return Draft(
            body=self.body,
            place=self.place,
            link=self.link,
            audience=self.audience.choice(),
            reshare_ok=self.reshare_ok,
            mentions=tuple(addresses.read("member", each) for each in self.mentions),
            root_id=root_id,
            media=_media(self.media),
        )


class PostDraft(Written):
    root: Annotated[Address | None, Field(description="the post that this one passes on")] = None


class PostChange(In):
    """What is left out stays."""

    body: Annotated[str | None, Field(max_length=20_000)] = None
    media: Annotated[
        list[Address] | None, Field(max_length=50, description="what it has from now on, in this order")
    ] = None
    comments_open: bool | None = None
    reshare_ok: bool | None = None


class AudienceDraft(In):
    audience: AudienceChoice
    confirm: Annotated[bool, Field(description="needed when more people will see the post")] = False


class Preview(In):
    audience: AudienceChoice
    post: Address | None = None


class Edit(Out):
    at: datetime
    body: str


class Edits(Out):
    items: list[Edit]


class PastAudience(Out):
    since: datetime
    until: datetime
    audience: Audience


class PastAudiences(Out):
    items: list[PastAudience]


class Search(PageQuery):
    q: Annotated[str, Field(min_length=1, max_length=100)]


@endpoint("GET", "/feed", scope="posts:read", summary="What friends share", query=PageQuery, returns=Posts)
def read_feed(session: Session, me: models.Member, query: PageQuery) -> dict[str, Any]:
    place = f"feed {me.id}"
    return page_of(session, me, place, *feed.feed(session, me, start_of(query, place), query.limit))


@endpoint(
    "GET",
    "/members/<member>/posts",
    scope="posts:read",
    summary="One person's posts",
    query=PageQuery,
    returns=Posts,
)
def read_album(session: Session, me: models.Member, member_id: int, query: PageQuery) -> dict[str, Any]:
    place = f"album {me.id} {member_id}"
    return page_of(session, me, place, *feed.album(session, me, member_id, start_of(query, place), query.limit))


@endpoint("GET", "/search", scope="posts:read", summary="Search what you may see", query=Search, returns=Posts)
def search(session: Session, me: models.Member, query: Search) -> dict[str, Any]:
    place = f"search {me.id} {query.q}"
    return page_of(session, me, place, *feed.search(session, me, query.q, start_of(query, place), query.limit))


@endpoint("POST", "/posts", scope="posts:write", summary="Publish", body=PostDraft, returns=Post, status=201)
def publish(session: Session, me: models.Member, body: PostDraft) -> dict[str, Any]:
    root_id = addresses.read("post", body.root) if body.root is not None else None
    return cards.one(session, me, posts.publish(session, me, body.draft(root_id)))


@endpoint("GET", "/posts/<post>", scope="posts:read", summary="Read a post", returns=Post)
def read_post(session: Session, me: models.Member, post_id: int) -> dict[str, Any]:
    return cards.one(session, me, posts.find(session, me, post_id))


@endpoint(
    "PATCH", "/posts/<post>", scope="posts:write", summary="Correct a post of yours", body=PostChange, returns=Post
)
def change_post(session: Session, me: models.Member, post_id: int, body: PostChange) -> dict[str, Any]:
    post = posts.own(session, me, post_id)
    if body.body is not None or body.media is not None:
        posts.edit(session, me, post, body.body, None if body.media is None else _media(body.media))
    if body.comments_open is not None:
        posts.set_comments(session, post, body.comments_open)
    if body.reshare_ok is not None:
        posts.set_resharing(session, me, post, body.reshare_ok)
    return cards.one(session, me, post)


@endpoint("DELETE", "/posts/<post>", scope="posts:write", summary="Delete a post of yours", status=204)
def delete_post(session: Session, me: models.Member, post_id: int) -> None:
    posts.remove(session, me, posts.own(session, me, post_id))


@endpoint("POST", "/posts/<post>/restore", scope="posts:write", summary="Undo, within a minute", returns=Post)
def restore_post(session: Session, me: models.Member, post_id: int) -> dict[str, Any]:
    return cards.one(session, me, posts.restore(session, me, post_id))


@endpoint("GET", "/posts/<post>/edits", scope="posts:read", summary="What your post said before", returns=Edits)
def list_edits(session: Session, me: models.Member, post_id: int) -> dict[str, Any]:
    return {"items": posts.edits(session, posts.own(session, me, post_id))}


@endpoint(
    "PUT",
    "/posts/<post>/audience",
    scope="posts:write",
    summary="Change who sees your post; groups count as they are today",
    body=AudienceDraft,
    returns=Post,
)
def change_audience(session: Session, me: models.Member, post_id: int, body: AudienceDraft) -> dict[str, Any]:
    post = posts.own(session, me, post_id)
    audiences.change(session, me, post, body.audience.choice(), confirmed=body.confirm)
    return cards.one(session, me, post)


@endpoint(
    "GET",
    "/posts/<post>/audience/history",
    scope="posts:read",
    summary="Who your post was for before",
    returns=PastAudiences,
)
def audience_history(session: Session, me: models.Member, post_id: int) -> dict[str, Any]:
    return {"items": cards.history(session, me, posts.own(session, me, post_id))}


@endpoint("GET", "/posts/<post>/viewers", scope="posts:read", summary="Which friends see your post", returns=People)
def list_viewers(session: Session, me: models.Member, post_id: int) -> dict[str, Any]:
    found = audiences.viewers(session, posts.own(session, me, post_id))
    return {"items": cards.people(session, me, [member.id for member in found])}


@endpoint(
    "POST",
    "/audience/preview",
    scope="posts:write",
    summary="Who would see a new post, or yours with another audience",
    body=Preview,
    returns=People,
)
def preview(session: Session, me: models.Member, body: Preview) -> dict[str, Any]:
    post = posts.own(session, me, addresses.read("post", body.post)) if body.post is not None else None
    found = audiences.preview(session, me, body.audience.choice(), post)
    return {"items": cards.people(session, me, [member.id for member in found])}


@endpoint(
    "GET",
    "/posts/<post>/reshares",
    scope="posts:read",
    summary="Who passed your post on, of those you may see",
    returns=Posts,
)
def list_reshares(session: Session, me: models.Member, post_id: int) -> dict[str, Any]:
    found = posts.reshares(session, me, posts.own(session, me, post_id))
    return {"items": cards.many(session, me, found), "next": None}


def page_of(
    session: Session, me: models.Member, place: str, found: list[models.Post], following: int | None
) -> dict[str, Any]:
    following_page = addresses.cursor(place, following) if following is not None else None
    return {"items": cards.many(session, me, found), "next": following_page}


def _media(those: list[str]) -> tuple[int, ...]:
    return tuple(addresses.read("media", each) for each in those)
