"""/moments/api/v1/posts/<post>/like, …/likes, …/comments, /comments."""

from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot.moments import addresses, cards, posts, reactions
from bot.moments.api.contract import In, Out, PageQuery, endpoint, start_of
from bot.moments.api.shapes import Address, Comment, People


class CommentDraft(In):
    body: Annotated[str, Field(max_length=5_000)]
    reply_to: Annotated[Address | None, Field(description="null: to everybody who sees the post")] = None


class Comments(Out):
    items: Annotated[list[Comment], Field(description="the newest, oldest first")]
    next: Annotated[str | None, Field(description="to the older ones; null: there are none")]


@endpoint("PUT", "/posts/<post>/like", scope="reactions:write", summary="Like", status=204)
def like(session: Session, me: models.Member, post_id: int) -> None:
    reactions.like(session, me, post_id)


@endpoint("DELETE", "/posts/<post>/like", scope="reactions:write", summary="Take a like back", status=204)
def unlike(session: Session, me: models.Member, post_id: int) -> None:
    reactions.unlike(session, me, post_id)


@endpoint("GET", "/posts/<post>/likes", scope="reactions:read", summary="Who likes it", returns=People)
def list_likes(session: Session, me: models.Member, post_id: int) -> dict[str, Any]:
    found = reactions.likes(session, me, [posts.find(session, me, post_id).id])
    return {"items": cards.people(session, me, [like.member_id for like in found])}


@endpoint(
    "GET",
    "/posts/<post>/comments",
    scope="reactions:read",
    summary="What is said about it",
    query=PageQuery,
    returns=Comments,
)
def list_comments(session: Session, me: models.Member, post_id: int, query: PageQuery) -> dict[str, Any]:
    place = f"comments {me.id} {post_id}"
    post = posts.find(session, me, post_id)
    found, following = cards.comments(session, me, post, start_of(query, place), query.limit)
    return {"items": found, "next": addresses.cursor(place, following) if following is not None else None}


@endpoint(
    "POST",
    "/posts/<post>/comments",
    scope="reactions:write",
    summary="Say something about it",
    body=CommentDraft,
    returns=Comment,
    status=201,
)
def comment(session: Session, me: models.Member, post_id: int, body: CommentDraft) -> dict[str, Any]:
    reply_to = addresses.read("comment", body.reply_to) if body.reply_to is not None else None
    return cards.comment(session, me, reactions.comment(session, me, post_id, body.body, reply_to))


@endpoint(
    "DELETE",
    "/comments/<comment>",
    scope="reactions:write",
    summary="Delete a comment: your own, or one on your post",
    status=204,
)
def delete_comment(session: Session, me: models.Member, comment_id: int) -> None:
    reactions.remove(session, me, comment_id)
