"""What a friend sees of one's posts and why, and what a change would open or close: asked before it is made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from bot.errors import Conflict, Refused
from bot.moments import audiences, feed, friends, groups, reasons, visibility
from bot.moments.audiences import Choice
from bot.moments.feed import Which
from bot.moments.reasons import Row
from models import FriendGroup, Member, Post, PostMode

MOST = 200  # posts changed at once


@dataclass(frozen=True)
class Line:
    """So many of one's posts of this kind are decided by one row of the table."""

    mode: PostMode
    row: Row
    is_seen: bool
    count: int


@dataclass(frozen=True)
class Effect:
    """On past posts: how many close to somebody at once, and how many open to somebody."""

    closes: int
    opens: int


def of(session: Session, author: Member, friend_id: int) -> list[Line]:
    """What a friend sees of the author's posts, now.

    Raises:
        NotFound: not a friend now.
    """
    friends.get(session, author, friend_id)
    return _lines(session, author, friend_id)


def if_accepted(
    session: Session,
    author: Member,
    other_id: int,
    *,
    into: Sequence[FriendGroup] = (),
    hides: bool = False,
    chat_only: bool = False,
) -> list[Line]:
    """What they would see once their request is accepted like this.  Nothing stays changed.

    Raises:
        NotFound: they have not asked, or not any more.
    """
    with audiences.undone(session):
        friends.accept(session, author, other_id, into=into, hides=hides, chat_only=chat_only)
        return _lines(session, author, other_id)


def of_putting_in(session: Session, owner: Member, group: FriendGroup, member_id: int) -> Effect:
    found = _naming(session, owner, group)
    return _effect(session, found, [member_id], lambda: groups.put_in(session, owner, group, member_id))


def of_taking_out(session: Session, owner: Member, group: FriendGroup, member_id: int) -> Effect:
    found = _naming(session, owner, group)
    return _effect(session, found, [member_id], lambda: groups.take_out(session, owner, group, member_id))


def of_removing(session: Session, owner: Member, group: FriendGroup) -> Effect:
    people = [member.id for member in groups.people_in(session, group)]
    found = _naming(session, owner, group)
    return _effect(session, found, people, lambda: groups.remove(session, owner, group))


def of_applying(session: Session, owner: Member, group: FriendGroup) -> Effect:
    people = [member.id for member, _edge in friends.list_all(session, owner)]
    found = _naming(session, owner, group)
    return _effect(session, found, people, lambda: apply(session, owner, group, confirmed=True))


def apply(session: Session, owner: Member, group: FriendGroup, *, confirmed: bool) -> None:
    """Make the group as it is today hold for all posts that name it.

    Raises:
        Conflict: it opens posts to somebody, and the owner has not said that this is meant.
    """
    if not confirmed:
        _check(of_applying(session, owner, group))
    for post in _naming(session, owner, group):
        audiences.renew(session, owner, post)


def of_changing(session: Session, author: Member, which: Which, choice: Choice) -> tuple[int, Effect]:
    """How many of one's posts would get this audience, and what that does.

    Raises:
        Refused: more than ``MOST``, or an audience that is none.
        NotFound: somebody who is no friend now, or a group that is not the author's.
    """
    people = [member.id for member, _edge in friends.list_all(session, author)]
    found = _chosen(session, author, which)
    return len(found), _effect(session, found, people, lambda: _change(session, author, found, choice))


def change(session: Session, author: Member, which: Which, choice: Choice, *, confirmed: bool) -> int:
    """Give many posts of one's own another audience at once; returns how many.

    Raises: as ``of_changing``, and
        Conflict: it opens posts to somebody, and the author has not said that this is meant.
    """
    if not confirmed:
        _check(of_changing(session, author, which, choice)[1])
    found = _chosen(session, author, which)
    _change(session, author, found, choice)
    return len(found)


def _change(session: Session, author: Member, found: list[Post], choice: Choice) -> None:
    for post in found:
        audiences.change(session, author, post, choice, confirmed=True)


def _chosen(session: Session, author: Member, which: Which) -> list[Post]:
    found, following = feed.own(session, author, which, feed.FIRST, MOST)
    if following is not None:
        raise Refused("Change at most {most} posts at once; choose a shorter time.", field="since", most=MOST)
    return found


def _check(effect: Effect) -> None:
    if effect.opens:
        raise Conflict("This opens {count} past posts to somebody; confirm it.", field="confirm", count=effect.opens)


def _lines(session: Session, author: Member, viewer_id: int) -> list[Line]:
    found = session.execute(reasons.rows(), visibility.by(viewer_id, author=author.id))
    lines = [Line(mode, Row(row), is_seen, count) for mode, row, is_seen, count in found]
    order = list(PostMode), list(Row)
    return sorted(lines, key=lambda line: (order[0].index(line.mode), order[1].index(line.row), not line.is_seen))


def _naming(session: Session, owner: Member, group: FriendGroup) -> list[Post]:
    """Only these can be touched by a change of the group."""
    return feed.own(session, owner, Which(group_id=group.id), feed.FIRST, 1 << 31)[0]


def _effect(session: Session, found: list[Post], people: list[int], change: Callable[[], None]) -> Effect:
    ids = [post.id for post in found]

    def seen() -> set[tuple[int, int]]:
        pairs = session.execute(visibility.seen_by(), visibility.by(0, ids=ids, people=people))
        return {(post_id, member_id) for post_id, member_id in pairs}

    before = seen()
    with audiences.undone(session):
        change()
        after = seen()
    closed, opened = ({post for post, _who in pairs} for pairs in (before - after, after - before))
    return Effect(closes=len(closed), opens=len(opened))
