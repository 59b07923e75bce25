"""Likes and comments: who may leave them, and who may take them away."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bot import clock
from bot.errors import Forbidden, NotFound, Refused
from bot.moments import limits, notices, posts, stamps, visibility
from models import Comment, Like, Member, NoticeKind, Post

MOST_TEXT = 1_000


def like(session: Session, member: Member, post_id: int) -> None:
    """A second time changes nothing."""
    post = _open(session, member, post_id)
    if session.get(Like, (post.id, member.id)) is None:
        limits.check(session, member, "likes")
        session.add(Like(post_id=post.id, member_id=member.id, at=stamps.after()))
        session.flush()
        notices.tell(session, post.author_id, NoticeKind.LIKE, member.id, post.id)
        notices.tell_others(session, NoticeKind.ALSO_LIKE, member.id, post.id, but=[post.author_id])


def unlike(session: Session, member: Member, post_id: int) -> None:
    """Also of a post that is no longer shown: one's own can always be taken back."""
    session.execute(delete(Like).where(Like.post_id == post_id, Like.member_id == member.id))
    notices.withdraw_like(session, member.id, post_id)


def comment(session: Session, member: Member, post_id: int, body: str, reply_to: int | None = None) -> Comment:
    """
    Raises:
        Refused: no words, or too many.
        NotFound: a post or comment that this member does not see.
        Forbidden: comments are closed.
    """
    post = _open(session, member, post_id)
    body = body.strip()
    if not 1 <= len(body) <= MOST_TEXT:
        raise Refused("Write 1 to {most} characters.", field="body", most=MOST_TEXT)
    limits.check(session, member, "comments")
    parent = None
    if reply_to is not None:
        parent = next((each for each in on(session, member, [post.id]) if each.id == reply_to), None)
        if parent is None or parent.deleted_at is not None:
            raise nothing()
    written = Comment(post_id=post.id, member_id=member.id, reply_to=reply_to, body=body)
    stamps.place(session, written, post.id, reply_to or 0)
    asked = {post.author_id, *([parent.member_id] if parent else [])}
    for other in asked:
        notices.tell(session, other, NoticeKind.COMMENT, member.id, post.id, written.id)
    notices.tell_others(session, NoticeKind.ALSO_COMMENT, member.id, post.id, written.id, but=asked)
    return written


def remove(session: Session, member: Member, comment_id: int) -> None:
    """By its writer, always; by the post's author, where they see it.

    Raises:
        NotFound: no such comment, or not theirs to remove.
    """
    found = session.get(Comment, comment_id)
    if found is None or found.deleted_at is not None:
        raise nothing()
    if found.member_id != member.id:
        post = session.get(Post, found.post_id)
        seen = {each.id for each in on(session, member, [found.post_id])}
        if post is None or post.author_id != member.id or found.id not in seen:
            raise nothing()
        found.removed_by_author = True
    found.deleted_at = clock.now()
    session.flush()


def on(session: Session, viewer: Member, post_ids: list[int]) -> list[Comment]:
    """The comments of these posts that the viewer sees, oldest first."""
    if not post_ids:
        return []
    return visibility.shown(list(session.scalars(visibility.comments(), visibility.by(viewer.id, ids=post_ids))))


def likes(session: Session, viewer: Member, post_ids: list[int]) -> list[Like]:
    if not post_ids:
        return []
    return list(session.scalars(visibility.likes(), visibility.by(viewer.id, ids=post_ids)))


def own_comments(session: Session, member: Member) -> list[Comment]:
    """All of one's own, newest first, also where the post is no longer shown."""
    query = select(Comment).where(Comment.member_id == member.id, Comment.deleted_at.is_(None))
    return list(session.scalars(query.order_by(Comment.id.desc())))


def own_likes(session: Session, member: Member) -> list[Like]:
    return list(session.scalars(select(Like).where(Like.member_id == member.id).order_by(Like.at.desc())))


def nothing() -> NotFound:
    return NotFound("There is no such comment.")


def _open(session: Session, member: Member, post_id: int) -> Post:
    """act(v, p)."""
    post = posts.find(session, member, post_id)
    if not post.comments_open:
        raise Forbidden("Comments on this post are closed.")
    return post
