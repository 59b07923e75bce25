"""Faults to plant in the predicates, one at a time, to see that the comparison with the oracle finds each.

The first eleven are the specification's (2.10), the others our own.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from sqlalchemy import and_, bindparam, not_, or_, select, true
from sqlalchemy.orm import aliased

from bot.moments import cards, feed, notices, posts, reasons, scheduled, stamps, visibility
from models import (
    Audience,
    Comment,
    Edge,
    FriendGroup,
    GroupMember,
    Like,
    ListKind,
    Media,
    MediaState,
    MemberStatus,
    Post,
    ScheduledPost,
)

Plant = Callable[[pytest.MonkeyPatch], None]
MODULES = (visibility, reasons, notices, feed)


def forget() -> None:
    """Statements are built once; a fault needs them built anew."""
    for module in MODULES:
        for value in vars(module).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()


def _in_group(holds: Callable[[Any, Any, Any, ListKind], list[Any]]) -> Callable[[Any, Any, ListKind], Any]:
    def in_group(viewer: Any, post: Any, kind: ListKind) -> Any:
        named, group, stay = aliased(Audience), aliased(FriendGroup), aliased(GroupMember)
        query = (
            select(1)
            .select_from(named)
            .join(group, group.id == named.target_id)
            .join(stay, stay.group_id == group.id)
            .where(named.post_id == post.id, named.kind == kind, stay.member_id == viewer)
            .where(*holds(post, group, stay, kind))
        )
        return visibility._some(query, named, group, stay)

    return in_group


def groups_live(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(visibility, "in_group", _in_group(lambda post, group, stay, kind: [stay.removed.is_(None)]))


def groups_frozen(plant: pytest.MonkeyPatch) -> None:
    def holds(post: Any, group: Any, stay: Any, kind: ListKind) -> list[Any]:
        return [stay.added <= post.aud_at, or_(stay.removed.is_(None), stay.removed > post.aud_at)]

    plant.setattr(visibility, "in_group", _in_group(holds))


def reshare_copies(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(visibility, "shows_root", lambda viewer, root, few=False: root.deleted_at.is_(None))


def global_counter(plant: pytest.MonkeyPatch) -> None:
    real = cards.many

    def many(session: Any, viewer: Any, found: Any, **more: Any) -> Any:
        made = real(session, viewer, found, **more)
        for card, post in zip(made, found, strict=True):
            card["like_count"] = len(session.scalars(select(Like.member_id).where(Like.post_id == post.id)).all())
        return made

    plant.setattr(cards, "many", many)


def writer_only(plant: pytest.MonkeyPatch) -> None:
    @cache
    def comments() -> Any:
        query = select(Comment).join(Post, Post.id == Comment.post_id).order_by(Comment.id)
        return query.where(
            Comment.post_id.in_(visibility.IDS),
            visibility.sees(visibility.VIEWER),
            visibility.acts(Comment.member_id, Post.author_id),
            visibility.knows(visibility.VIEWER, Comment.member_id, Post.author_id),
        )

    plant.setattr(visibility, "comments", comments)


def parent_removed(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(visibility, "shown", lambda present: [each for each in present if each.deleted_at is None])


def comments_to_all(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(visibility, "knows", lambda viewer, who, author: true())


def former_friends_stay(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(visibility, "acts", lambda who, author: visibility.active(who))


def one_way_block(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(visibility, "_befriended", lambda edge: (edge.since.is_not(None), not_(edge.blocks)))


def permalink_forgets_hide(plant: pytest.MonkeyPatch) -> None:
    def find(session: Any, viewer: Any, post_id: int) -> Post:
        mine = or_(Post.author_id == viewer.id, visibility.friends(Post.author_id, viewer.id))
        post = session.scalar(select(Post).where(Post.id == post_id, Post.deleted_at.is_(None), mine))
        if post is None:
            raise posts.nothing()
        return post  # type: ignore[no-any-return]

    plant.setattr(posts, "find", find)


def deactivated_shows(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(visibility, "_is_active", lambda member: member.status != MemberStatus.GONE)
    plant.setattr(visibility, "active", lambda who: true())


def newonly_forgotten(plant: pytest.MonkeyPatch) -> None:
    real = visibility._is_meant

    def meant(viewer: Any, post: Any, edge: Any, author: Any) -> Any:
        return or_(real(viewer, post, edge, author), post.mode == "friends")

    plant.setattr(visibility, "_is_meant", meant)


def denied_until_left(plant: pytest.MonkeyPatch) -> None:
    def holds(post: Any, group: Any, stay: Any, kind: ListKind) -> list[Any]:
        if kind == ListKind.DENY_GROUP:
            return [not_(group.is_deleted), stay.removed.is_(None)]
        return [not_(group.is_deleted), stay.added <= post.aud_at, stay.removed.is_(None)]

    plant.setattr(visibility, "in_group", _in_group(holds))


def notices_unchecked(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(notices, "visible", lambda session, viewer_id, rows: list(rows))


def mute_forgets_roots(plant: pytest.MonkeyPatch) -> None:
    def unmuted(viewer: Any, post: Any = Post) -> Any:
        edge = aliased(Edge)
        query = select(1).where(edge.owner_id == viewer, edge.mutes, edge.other_id == post.author_id)
        return not_(visibility._some(query, edge))

    plant.setattr(visibility, "unmuted", unmuted)


def later_friend_falls_into_deny(plant: pytest.MonkeyPatch) -> None:
    real = visibility._is_meant

    def meant(viewer: Any, post: Any, edge: Any, author: Any) -> Any:
        denied = or_(
            visibility.is_named(viewer, post, ListKind.DENY_MEMBER),
            visibility.in_group(viewer, post, ListKind.DENY_GROUP),
        )
        return or_(real(viewer, post, edge, author), and_(post.mode == "deny", not_(denied)))

    plant.setattr(visibility, "_is_meant", meant)


def page_tells_of_more(plant: pytest.MonkeyPatch) -> None:
    """The old way: the page's cursor is whatever was examined last."""
    real = feed._page

    def page(session: Any, viewer: Any, source: Any, before: int, limit: int, muted: bool = True) -> Any:
        found, following = real(session, viewer, source, before, limit, muted)
        examined = source(before, limit + 1)
        return found, following or (examined[-1] if examined and len(found) < len(examined) else None)

    plant.setattr(feed, "_page", page)


def media_by_address(plant: pytest.MonkeyPatch) -> None:
    """Whoever has the address is given it, as Mastodon and Pixelfed do."""
    query = select(Media).where(Media.id == bindparam("media"), Media.state == MediaState.READY)
    plant.setattr(visibility, "media", lambda: query)


def scheduled_comes_early(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(scheduled, "_is_due", lambda: (ScheduledPost.id > 0,))


def scheduled_for_those_of_before(plant: pytest.MonkeyPatch) -> None:
    """The groups of when it was written."""
    real = scheduled.publish

    def publish(session: Any, scheduled_id: int) -> Any:
        post = real(session, scheduled_id)
        if post is not None:
            post.aud_at -= 3 * stamps.DAY
        return post

    plant.setattr(scheduled, "publish", publish)


def blank_line_keeps_its_words(plant: pytest.MonkeyPatch) -> None:
    real = cards._comment

    def comment(viewer: Any, written: Comment, names: Any) -> Any:
        return {**real(viewer, written, names), "body": written.body}

    plant.setattr(cards, "_comment", comment)


def held_unmarked(plant: pytest.MonkeyPatch) -> None:
    real = cards.many

    def many(session: Any, viewer: Any, found: Any, **more: Any) -> Any:
        made = real(session, viewer, found, **more)
        for card in made:
            if card["own"]:
                card["own"]["is_held"] = False
        return made

    plant.setattr(cards, "many", many)


def mute_tells_of_roots(plant: pytest.MonkeyPatch) -> None:
    """The feed's line of 2.2 word for word: a muted author's post behind a reshare, seen or not."""

    def unmuted(viewer: Any, post: Any = Post) -> Any:
        root, edge = aliased(Post), aliased(Edge)
        behind = visibility._some(select(1).where(root.id == post.root_id, root.author_id == edge.other_id), root)
        muted = select(1).where(edge.owner_id == viewer, edge.mutes, or_(edge.other_id == post.author_id, behind))
        return not_(visibility._some(muted, edge))

    plant.setattr(visibility, "unmuted", unmuted)


def held_comments_show(plant: pytest.MonkeyPatch) -> None:
    plant.setattr(visibility, "_is_free", lambda comment: true())


SPECIFIED: tuple[Plant, ...] = (
    groups_live, groups_frozen, reshare_copies, global_counter, writer_only, parent_removed, comments_to_all,
    former_friends_stay, one_way_block, permalink_forgets_hide, deactivated_shows,
)  # fmt: skip
OURS: tuple[Plant, ...] = (
    newonly_forgotten, denied_until_left, notices_unchecked, mute_forgets_roots, later_friend_falls_into_deny,
    page_tells_of_more, media_by_address, scheduled_comes_early, scheduled_for_those_of_before,
    blank_line_keeps_its_words, held_unmarked, mute_tells_of_roots, held_comments_show,
)  # fmt: skip
