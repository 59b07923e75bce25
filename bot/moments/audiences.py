"""A post's audience: what its author may choose, who that is, and what it was before."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from bot.errors import Conflict, Refused
from bot.moments import groups, members, notices, stamps, visibility
from models import Audience, AudienceChange, Comment, ListKind, Member, NoticeKind, Post, PostMode

MOST_NAMED = 500


@dataclass(frozen=True)
class Choice:
    """Lists of ids; both lists only where the mode is allow."""

    mode: PostMode = PostMode.FRIENDS
    lists: dict[ListKind, list[int]] = field(default_factory=dict)


def check(session: Session, author: Member, choice: Choice) -> None:
    """
    Raises:
        Refused: lists that the mode does not take, or too many names.
        NotFound: somebody who is no friend now, or a group that is not the author's.
    """
    used = {kind for kind, ids in choice.lists.items() if ids}
    takes = {
        PostMode.FRIENDS: set(),
        PostMode.PRIVATE: set(),
        PostMode.ALLOW: set(ListKind),
        PostMode.DENY: {ListKind.DENY_MEMBER, ListKind.DENY_GROUP},
    }[choice.mode]
    if used - takes:
        raise Refused("An audience “{mode}” takes no such list.", field="audience", mode=choice.mode.value)
    named = {one for kind in (ListKind.ALLOW_MEMBER, ListKind.DENY_MEMBER) for one in choice.lists.get(kind, ())}
    if len(named) > MOST_NAMED:
        raise Refused("Name at most {most} people; put them in a group.", field="audience", most=MOST_NAMED)
    if named:
        found = session.scalars(visibility.friends_of_viewer(), visibility.by(author.id, ids=list(named)))
        if named - set(found):
            raise members.nobody()
    for kind in (ListKind.ALLOW_GROUP, ListKind.DENY_GROUP):
        for group_id in choice.lists.get(kind, ()):
            groups.get(session, author, group_id)


def write(session: Session, post: Post, choice: Choice, stamp: int) -> None:
    """Make this the audience as of now, groups as they are now."""
    post.mode, post.aud_at = choice.mode, stamp
    session.flush()
    session.execute(delete(Audience).where(Audience.post_id == post.id))
    name(session, post, choice)


def name(session: Session, post: Post, choice: Choice) -> None:
    """The lists of a post that has none yet."""
    session.add_all(
        Audience(post_id=post.id, kind=kind, target_id=target)
        for kind, targets in choice.lists.items()
        for target in dict.fromkeys(targets)
    )
    session.flush()


def change(session: Session, author: Member, post: Post, choice: Choice, *, confirmed: bool) -> None:
    """Change who sees a post from now on; whoever has commented is told when more people do.

    Raises:
        Conflict: it adds people, and the author has not said that this is meant.
    """
    check(session, author, choice)
    _change(session, author, post, choice, confirmed)


def renew(session: Session, author: Member, post: Post) -> None:
    """Let the groups that its audience names count as they are today."""
    _change(session, author, post, Choice(post.mode, of(session, [post.id])[post.id]), confirmed=True)


def _change(session: Session, author: Member, post: Post, choice: Choice, confirmed: bool) -> None:
    stamp = members.lock(session, author.id)
    before = {member.id for member in viewers(session, post)}
    had = written(of(session, [post.id])[post.id])
    change = AudienceChange(post_id=post.id, mode=post.mode, names=had, since=post.aud_at, until=stamp)
    write(session, post, choice, stamp)
    added = {member.id for member in viewers(session, post)} - before
    if added and not confirmed:
        raise Conflict("{count} more people will see this post; confirm it.", field="confirm", count=len(added))
    session.add(change)
    if choice.mode != PostMode.FRIENDS:
        post.reshare_ok = False
    session.flush()
    if added:
        for comment in session.scalars(select(Comment).where(Comment.post_id == post.id, Comment.deleted_at.is_(None))):
            notices.tell(session, comment.member_id, NoticeKind.WIDENED, author.id, post.id, comment.id)


def viewers(session: Session, post: Post) -> list[Member]:
    return list(session.scalars(visibility.viewers(), visibility.by(0, post=post.id)))


def preview(session: Session, author: Member, choice: Choice, post: Post | None = None) -> list[Member]:
    """Who would see a new post, or this one, with this audience.  Nothing stays changed."""
    check(session, author, choice)
    with undone(session):
        stamp = members.lock(session, author.id)
        if post is None:
            post = Post(author_id=author.id, aud_at=stamp)
            stamps.place(session, post, stamp)
        write(session, post, choice, stamp)
        return viewers(session, post)


def of(session: Session, post_ids: Collection[int]) -> dict[int, dict[ListKind, list[int]]]:
    """Post id → its lists."""
    found: dict[int, dict[ListKind, list[int]]] = {post_id: {} for post_id in post_ids}
    for row in session.scalars(_lists(), {"ids": list(found)}) if found else ():
        found[row.post_id].setdefault(row.kind, []).append(row.target_id)
    return found


@cache
def _lists() -> Select[Audience]:
    return select(Audience).where(Audience.post_id.in_(visibility.IDS)).order_by(Audience.kind, Audience.target_id)


def history(session: Session, post: Post) -> list[AudienceChange]:
    query = select(AudienceChange).where(AudienceChange.post_id == post.id).order_by(AudienceChange.id.desc())
    return list(session.scalars(query))


def read(names: list[str]) -> dict[ListKind, list[int]]:
    """The lists that a row keeps as words."""
    lists: dict[ListKind, list[int]] = {}
    for name in names:
        kind, _, target = name.partition(" ")
        lists.setdefault(ListKind(kind), []).append(int(target))
    return lists


def written(lists: dict[ListKind, list[int]]) -> list[str]:
    """The same as a row keeps them."""
    return [f"{kind.value} {target}" for kind, targets in lists.items() for target in dict.fromkeys(targets)]


@contextmanager
def undone(session: Session) -> Iterator[None]:
    """Whatever is done within is taken back: to look at what would be."""
    point = session.begin_nested()
    try:
        yield
    finally:
        point.rollback()
