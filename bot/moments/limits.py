"""How much of each one member may do.  Counted from the rows themselves, each a short range of an index."""

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot import clock
from bot.errors import Refused
from bot.moments import stamps
from bot.moments.media.limits import MEDIA_AN_HOUR
from bot.settings import settings
from models import Comment, FriendRequest, Like, Member, Post

LIMITS = {  # in an hour, in a day
    "posts": (20, 50),
    "comments": (60, 500),
    "likes": (120, 1_000),
    "reshares": (30, 50),
    "requests": (20, 100),
}
NEW = timedelta(days=7)  # members younger than this may do a quarter
_WORDS = {
    "posts": "posts",
    "comments": "comments",
    "likes": "likes",
    "reshares": "reshares",
    "requests": "friend requests",
}


class TooMany(Refused):
    status = 429


def check(session: Session, member: Member, what: str) -> None:
    """
    Raises:
        TooMany: naming the limit and when to try again.
    """
    now = clock.now()
    for most, span, words in zip(LIMITS[what], (timedelta(hours=1), timedelta(days=1)), ("hour", "day"), strict=True):
        allowed = _allowed(member, most)
        if _count(session, member, what, now - span) >= allowed:
            raise TooMany(
                "You may make {most} {what} in one {span}; go on later.", most=allowed, what=_WORDS[what], span=words
            )


def check_scheduled(member: Member, waiting: int) -> None:
    """At most a day's posts wait for their time."""
    allowed = _allowed(member, LIMITS["posts"][1])
    if waiting >= allowed:
        raise TooMany("{most} of your posts wait for their time; cancel one first.", most=allowed)


def media_an_hour(member: Member) -> int:
    """How many photos and videos; those of an hour are counted where they are taken."""
    return _allowed(member, MEDIA_AN_HOUR)


def _allowed(member: Member, most: int) -> int:
    share = 0.25 if clock.now() - member.created_at < NEW else 1
    return max(1, int(most * settings().moments_limit_factor * share))


def _count(session: Session, member: Member, what: str, since: Any) -> int:
    stamp = stamps.of(since)
    queries = {
        "posts": select(func.count()).where(Post.author_id == member.id, Post.id >= stamp),
        "reshares": select(func.count()).where(
            Post.author_id == member.id, Post.id >= stamp, Post.root_id.is_not(None)
        ),
        "comments": select(func.count()).where(Comment.member_id == member.id, Comment.id >= stamp),
        "likes": select(func.count()).where(Like.member_id == member.id, Like.at >= stamp),
        "requests": select(func.count()).where(FriendRequest.from_id == member.id, FriendRequest.created_at >= since),
    }
    return session.scalar(queries[what]) or 0
