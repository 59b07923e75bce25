"""Feed, album and search: posts newest first, page by page, to the very first one.

A source yields ids, newest first, complete but too generous; one statement then says which of them may be seen.  A
wrong source could lose a post, never show one.  A page goes on until it is full, so nothing that was left out shows in
its size, nor in its cursor, which is the last post shown and exists only if there is another one.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Select, String, bindparam, func, or_, select
from sqlalchemy.orm import Session

from bot.moments import stamps, visibility
from models import Audience, Edge, ListKind, Member, Post, PostMode

Source = Callable[[int, int], list[int]]  # before this id, so many at most; fewer: there are no more

FIRST = 1 << 53  # before everything
WALK_ABOVE = 2_000  # friends, from which walking down all posts is cheaper than asking for each friend's
_FIRST_SPAN = 3 * stamps.DAY
_REMEMBERED = 20_000
# How many friends a reader had, and how far back a page of theirs went: guesses to begin with, nothing more.
_guesses: dict[int, tuple[int, int]] = {}


def feed(session: Session, viewer: Member, before: int, limit: int) -> tuple[list[Post], int | None]:
    def source(before: int, most: int) -> list[int]:
        return candidates(session, viewer.id, before, most)

    return _page(session, viewer, source, before, limit, muted=False)


def album(session: Session, viewer: Member, author_id: int, before: int, limit: int) -> tuple[list[Post], int | None]:
    def source(before: int, most: int) -> list[int]:
        query = select(Post.id).where(Post.author_id == author_id, Post.id < before)
        return list(session.scalars(query.order_by(Post.id.desc()).limit(most)))

    return _page(session, viewer, source, before, limit)


@dataclass(frozen=True)
class Which:
    """Some of one's own posts; what is None chooses all."""

    mode: PostMode | None = None
    group_id: int | None = None  # that the audience names
    since: datetime | None = None
    until: datetime | None = None  # not itself


def own(session: Session, owner: Member, which: Which, before: int, limit: int) -> tuple[list[Post], int | None]:
    conditions = [Post.author_id == owner.id]
    if which.mode is not None:
        conditions.append(Post.mode == which.mode)
    if which.group_id is not None:
        kinds = ListKind.ALLOW_GROUP, ListKind.DENY_GROUP
        named = select(Audience.post_id).where(Audience.kind.in_(kinds), Audience.target_id == which.group_id)
        conditions.append(Post.id.in_(named))
    if which.since is not None:
        conditions.append(Post.id >= stamps.of(which.since))
    if which.until is not None:
        conditions.append(Post.id < stamps.of(which.until))

    def source(before: int, most: int) -> list[int]:
        query = select(Post.id).where(Post.id < before, *conditions)
        return list(session.scalars(query.order_by(Post.id.desc()).limit(most)))

    return _page(session, owner, source, before, limit)


def search(session: Session, viewer: Member, text: str, before: int, limit: int) -> tuple[list[Post], int | None]:
    """In the words of all posts that the viewer may see, muted friends' too."""

    def source(before: int, most: int) -> list[int]:
        return candidates(session, viewer.id, before, most, text)

    return _page(session, viewer, source, before, limit)


def candidates(session: Session, viewer_id: int, before: int, most: int, text: str = "") -> list[int]:
    """Ids of posts by the viewer's friends and the viewer, from a stretch of time that is widened until it is full."""
    friends, span = _guesses.get(viewer_id) or (_count_friends(session, viewer_id), _FIRST_SPAN)
    query = (_walk if friends > WALK_ABOVE else _window)(text != "")
    top = min(before, stamps.now() + 1)
    while True:
        low = max(0, top - span)
        stretch = {"viewer": viewer_id, "before": before, "low": low, "most": most, "text": _escaped(text)}
        ids = list(session.scalars(query, stretch))
        if len(ids) >= most or not low:
            break
        span *= 3
    if len(ids) >= most:
        if len(_guesses) >= _REMEMBERED:
            _guesses.clear()
        _guesses[viewer_id] = friends, max((top - ids[-1]) * 5 // 4, stamps.DAY // 24)
    return ids


def _count_friends(session: Session, viewer_id: int) -> int:
    return session.scalar(visibility.count_friends(), visibility.by(viewer_id)) or 0


@cache
def _window(searches: bool) -> Select[int]:
    """For each friend a short range of the album's index."""
    friends = select(Edge.other_id.label("id")).where(*_may_be_shown())
    authors = friends.union_all(select(visibility.VIEWER.label("id"))).subquery()
    return _stretch(select(Post.id).join(authors, authors.c.id == Post.author_id), searches)


@cache
def _walk(searches: bool) -> Select[int]:
    """Down the primary key, past all that is not a friend's."""
    is_friends = select(1).where(Edge.other_id == Post.author_id, *_may_be_shown()).exists()
    return _stretch(select(Post.id).where(or_(is_friends, Post.author_id == visibility.VIEWER)), searches)


def _may_be_shown() -> tuple[Any, ...]:
    return Edge.owner_id == visibility.VIEWER, Edge.since.is_not(None), ~Edge.blocks, ~Edge.blocked_by, ~Edge.hidden_by


def _escaped(text: str) -> str:
    return re.sub("([/%_])", r"/\1", text.lower())


def _stretch(query: Select[int], searches: bool) -> Select[int]:
    # As a number in the statement: PostgreSQL plans by how many posts lie in the stretch, and as a parameter it could
    # not know (0.3 ms of CPU became 1.6).
    before, low = bindparam("before", type_=BigInteger), bindparam("low", type_=BigInteger, literal_execute=True)
    query = query.where(Post.id < before, Post.id >= low)
    if searches:
        query = query.where(func.lower(Post.body).contains(bindparam("text", type_=String), escape="/"))
    return query.order_by(Post.id.desc()).limit(bindparam("most", type_=BigInteger))


def _page(
    session: Session, viewer: Member, source: Source, before: int, limit: int, muted: bool = True
) -> tuple[list[Post], int | None]:
    found: list[Post] = []
    while len(found) <= limit:
        most = limit + 1 + limit // 2
        ids = source(before, most)
        if ids:
            found += session.scalars(visibility.posts(muted=muted), visibility.by(viewer.id, ids=ids))
        if len(ids) < most:
            break
        before = ids[-1]
    return found[:limit], (found[limit - 1].id if len(found) > limit else None)
