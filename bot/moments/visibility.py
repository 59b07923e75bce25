"""Who may see what: the one place that decides it (docs/moments.md; the names are those of the specification, 2.2).

Everything here is an SQL condition over rows as they are now.  Nothing of the rows is remembered, so whatever takes a
viewer away takes effect for every statement that begins after its commit.  Statements themselves are built once, as
building one takes longer than running it: the viewer is a parameter, given with ``by``.
"""

from functools import cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, bindparam, exists, false, func, not_, or_, select
from sqlalchemy.orm import aliased

from bot.moments import stamps
from models import (
    Audience,
    CaseState,
    Comment,
    Edge,
    FriendGroup,
    GroupMember,
    Like,
    ListKind,
    Media,
    MediaState,
    MediaUse,
    Member,
    MemberStatus,
    ModerationCase,
    Post,
    PostMode,
)

Viewer = int | ColumnElement[int] | Any
Condition = ColumnElement[bool]

VIEWER = bindparam("viewer", type_=BigInteger)
_NOW = bindparam("now", type_=BigInteger)
IDS = bindparam("ids", expanding=True, type_=BigInteger)
_MOST_PADDED = 1_024
PEOPLE = bindparam("people", expanding=True, type_=BigInteger)


def by(viewer_id: int, **more: Any) -> dict[str, Any]:
    """The parameters of a statement about what this member sees now."""
    lists = {name: _padded(value) if isinstance(value, list) else value for name, value in more.items()}
    return {"viewer": viewer_id, "now": stamps.now(), **lists}


def _padded(ids: list[int]) -> list[int]:
    """A list of 2, 4, 8 … with its last one repeated: few lengths, so few statements for PostgreSQL to plan.

    A long one stays as it is: it is rare, and a database takes only so many parameters (PostgreSQL 65,535).
    """
    length = 1 << (len(ids) - 1).bit_length() if 0 < len(ids) <= _MOST_PADDED else 0
    return ids + ids[-1:] * (length - len(ids))


def active(who: Viewer) -> Condition:
    member = aliased(Member)
    return _some(select(1).where(member.id == who, member.status == MemberStatus.ACTIVE), member)


def friends(one: Viewer, other: Viewer) -> Condition:
    """fr(one, other)."""
    edge, member = aliased(Edge), aliased(Member)
    return and_(
        _some(
            select(1)
            .join_from(edge, member, member.id == edge.other_id)
            .where(edge.owner_id == one, edge.other_id == other, *_befriended(edge), _is_active(member)),
            edge,
            member,
        ),
        active(one),
    )


def sees(viewer: Viewer, post: Any = Post, *, few: bool = False) -> Condition:
    """see(v, p), and for a reshare without words also that its root shows: without it there is nothing to see.

    Args:
        few: of a page's posts, not of what hangs on them by the thousand.
    """
    root = aliased(Post)
    has_something = or_(
        post.root_id.is_(None),
        post.body != "",
        _some(select(1).where(root.id == post.root_id, shows_root(viewer, root)), root),
    )
    own = and_(post.author_id == viewer, active(viewer))
    return and_(post.deleted_at.is_(None), or_(own, and_(_sees_others(viewer, post, few), has_something)))


def shows_root(viewer: Viewer, root: Any, *, few: bool = False) -> Condition:
    """root_v: whether a reshare shows its root to this viewer.  A root is never a reshare itself."""
    own = and_(root.author_id == viewer, active(viewer))
    return and_(root.deleted_at.is_(None), root.reshare_ok, or_(own, _sees_others(viewer, root, few)))


@cache
def posts(*, muted: bool = True) -> Select[Post]:
    """Those of the posts IDS that VIEWER sees, newest first; for a feed without the muted ones."""
    query = select(Post).where(Post.id.in_(IDS), sees(VIEWER, few=True)).order_by(Post.id.desc())
    return query if muted else query.where(unmuted(VIEWER))


@cache
def roots() -> Select[Post]:
    return select(Post).where(Post.id.in_(IDS), shows_root(VIEWER, Post, few=True))


@cache
def media() -> Select[Media]:
    """media(v, m): the upload "media", if VIEWER may see it.

    A post's by the post alone, for its author too: a root's by whoever sees the root, and a reshare adds nobody.
    An avatar and a cover as the name.  What no post shows yet by its owner.
    """
    post = aliased(Post)
    own = and_(Media.use.in_((MediaUse.DRAFT, MediaUse.SCHEDULED)), Media.owner_id == VIEWER, active(VIEWER))
    of_post = and_(
        Media.use.in_((MediaUse.POST, MediaUse.LINK)),
        _some(select(1).where(post.id == Media.post_id, sees(VIEWER, post)), post),
    )
    of_person = and_(Media.use.in_((MediaUse.AVATAR, MediaUse.COVER)), active(VIEWER), finds(VIEWER, Media.owner_id))
    one = Media.id == bindparam("media", type_=BigInteger)
    return select(Media).where(one, Media.state == MediaState.READY, or_(own, of_post, of_person))


@cache
def cases() -> Select[ModerationCase, Post, Comment | None]:
    """What moderators may look at: what was reported, while they have not closed it and it is not deleted.

    The post is there for whom it was meant for also where a comment on it is the matter; then only that may be shown.
    """
    matter = select(ModerationCase, Post, Comment).join(Post, Post.id == ModerationCase.post_id)
    return matter.outerjoin(Comment, Comment.id == ModerationCase.comment_id).where(
        ModerationCase.state.in_((CaseState.OPEN, CaseState.HELD)),
        Post.deleted_at.is_(None),
        Comment.deleted_at.is_(None),
    )


@cache
def media_of_cases() -> Select[Media]:
    """The same for photos and videos: those of a reported post itself, not of one on which a comment was reported."""
    matter = cases().where(ModerationCase.comment_id.is_(None), ModerationCase.post_id == Media.post_id)
    shown = Media.use == MediaUse.POST, Media.state == MediaState.READY
    return select(Media).where(*shown, matter.with_only_columns(1).correlate(Media).exists())


def finds(viewer: Viewer, who: Viewer) -> Condition:
    """Whether a member's name, text, avatar and cover are there for the viewer: not if they block the viewer."""
    edge, member = aliased(Edge), aliased(Member)
    joined = select(1).select_from(member)
    joined = joined.outerjoin(edge, and_(edge.owner_id == viewer, edge.other_id == member.id))
    return _some(joined.where(member.id == who, is_found(member, edge)), edge, member)


def is_found(member: Any, edge: Any) -> Condition:
    """The same where the viewer's row about the member is joined, if there is one."""
    return and_(_is_active(member), func.coalesce(edge.blocked_by, false()).is_(False))


@cache
def are_friends() -> Select[bool]:
    """fr(one, other)."""
    return select(friends(bindparam("one", type_=BigInteger), bindparam("other", type_=BigInteger)))


@cache
def friends_of_viewer() -> Select[int]:
    return select(Member.id).where(Member.id.in_(IDS), friends(VIEWER, Member.id))


@cache
def mutual() -> Select[int, int]:
    """How many friends of VIEWER's are friends of each member of IDS too; those with none are not listed."""
    mine, theirs = aliased(Edge), aliased(Edge)
    return (
        select(theirs.other_id, func.count())
        .select_from(mine)
        .join(theirs, theirs.owner_id == mine.other_id)
        .where(
            mine.owner_id == VIEWER,
            theirs.other_id.in_(IDS),
            friends(VIEWER, mine.other_id),
            friends(mine.other_id, theirs.other_id),
        )
        .group_by(theirs.other_id)
    )


@cache
def count_friends() -> Select[int]:
    edge = aliased(Edge)
    return select(func.count()).select_from(edge).where(edge.owner_id == VIEWER, *_befriended(edge))


def knows(viewer: Viewer, who: Any, author: Any) -> Condition:
    """know(v, c, p): c may be named to v in a view of the author's post."""
    return or_(who == viewer, who == author, author == viewer, friends(viewer, who))


def acts(who: Any, author: Any) -> Condition:
    """actor(c, p): reactions of those who are no longer the author's friends are hidden from everybody."""
    return or_(and_(who == author, active(who)), friends(author, who))


@cache
def likes() -> Select[Like]:
    """like_v: the likes that VIEWER sees on the posts IDS."""
    return (
        select(Like)
        .join(Post, Post.id == Like.post_id)
        .where(
            Like.post_id.in_(IDS),
            sees(VIEWER),
            acts(Like.member_id, Post.author_id),
            knows(VIEWER, Like.member_id, Post.author_id),
        )
        .order_by(Like.post_id, Like.at, Like.member_id)
    )


@cache
def comments() -> Select[Comment]:
    """present(v, k): the comments on IDS whose writer and whose whole line of parents VIEWER may know of.

    One that a moderator holds is its writer's alone, as a held post is.
    Deleted ones are among them, as answers may hang on them; ``shown`` drops those on which none does.
    """
    allowed = (
        select(Comment.id, Comment.reply_to)
        .join(Post, Post.id == Comment.post_id)
        .where(
            Comment.post_id.in_(IDS),
            sees(VIEWER),
            acts(Comment.member_id, Post.author_id),
            knows(VIEWER, Comment.member_id, Post.author_id),
            _is_free(Comment),
        )
        .cte("allowed")
    )
    present = select(allowed.c.id).where(allowed.c.reply_to.is_(None)).cte("present", recursive=True)
    present = present.union_all(select(allowed.c.id).join(present, allowed.c.reply_to == present.c.id))
    return select(Comment).where(Comment.id.in_(select(present.c.id))).order_by(Comment.id)


def shown(present: list[Comment]) -> list[Comment]:
    """shown(v, k), of what ``comments`` found: a deleted one stays where a shown answer hangs on it."""
    kept: list[Comment] = []
    needed: set[int | None] = set()
    for comment in reversed(present):  # an answer's id is larger than its parent's
        if comment.deleted_at is None or comment.id in needed:
            kept.append(comment)
            needed.add(comment.reply_to)
    return kept[::-1]


def _is_free(comment: Any) -> Condition:
    return or_(comment.hold_reason.is_(None), comment.member_id == VIEWER)


def unmuted(viewer: Viewer, post: Any = Post) -> Condition:
    """What a feed leaves out beside what may not be seen: muted authors, also behind a reshare that shows its root.

    One that does not is a plain post: if muting took it away, that would tell whose it is.
    """
    root, edge, other = aliased(Post), aliased(Edge), aliased(Edge)
    mutes = select(1).where(edge.owner_id == viewer, edge.other_id == post.author_id, edge.mutes)
    behind = select(1).select_from(root).join(other, other.other_id == root.author_id)
    behind = behind.where(root.id == post.root_id, other.owner_id == viewer, other.mutes)
    behind = behind.where(shows_root(viewer, root, few=True))
    return not_(or_(_some(_each(mutes), edge), _some(_each(behind), root, other)))


@cache
def viewers() -> Select[Member]:
    """Who beside the author sees the post "post" now; for the author."""
    edge = aliased(Edge)
    return (
        select(Member)
        .join(edge, edge.other_id == Member.id)
        .join(Post, Post.author_id == edge.owner_id)
        .where(Post.id == bindparam("post"), sees(Member.id))
        .order_by(Member.id)
    )


@cache
def seen_by() -> Select[int, int]:
    """Pairs: a post of IDS, and one of the members PEOPLE, not its author, who sees it now; for the author."""
    edge = aliased(Edge)
    return (
        select(Post.id, edge.other_id)
        .join(edge, edge.owner_id == Post.author_id)
        .where(Post.id.in_(IDS), edge.other_id.in_(PEOPLE), sees(edge.other_id))
    )


def _sees_others(viewer: Viewer, post: Any, few: bool = False) -> Condition:
    """see(v, p) for a post of somebody else's, which is not deleted."""
    edge, author, reader = aliased(Edge), aliased(Member), aliased(Member)
    seen = select(1).select_from(edge).join(author, author.id == edge.other_id).join(reader, reader.id == edge.owner_id)
    seen = seen.where(
        edge.owner_id == viewer,
        edge.other_id == post.author_id,
        *_befriended(edge),
        not_(edge.hidden_by),
        _is_active(author),
        _is_active(reader),
        in_window(post, author),
        _is_meant(viewer, post, edge, author),
    )
    return and_(not_(post.is_held), _some(_each(seen) if few else seen, edge, author, reader))


def in_window(post: Any, author: Any) -> Condition:
    return or_(author.window_days.is_(None), post.id >= _NOW - author.window_days * stamps.DAY)


def _is_meant(viewer: Viewer, post: Any, edge: Any, author: Any) -> Condition:
    """aud(v, p)."""
    denied = or_(
        is_named(viewer, post, ListKind.DENY_MEMBER),
        in_group(viewer, post, ListKind.DENY_GROUP),
    )
    allowed = or_(
        is_named(viewer, post, ListKind.ALLOW_MEMBER),
        in_group(viewer, post, ListKind.ALLOW_GROUP),
    )
    return or_(
        and_(post.mode == PostMode.FRIENDS, not_(and_(author.newonly, edge.since > post.id))),
        and_(post.mode == PostMode.ALLOW, edge.since <= post.aud_at, allowed, not_(denied)),
        and_(post.mode == PostMode.DENY, edge.since <= post.aud_at, not_(denied)),
        and_(post.mode == PostMode.PRIVATE, false()),
    )


def is_named(viewer: Viewer, post: Any, kind: ListKind) -> Condition:
    named = aliased(Audience)
    return _some(select(1).where(named.post_id == post.id, named.kind == kind, named.target_id == viewer), named)


def in_group(viewer: Viewer, post: Any, kind: ListKind) -> Condition:
    """Allowed: in a living group without a break since before ``aud_at``.  Denied: in it then or at any time since."""
    named, group, stay = aliased(Audience), aliased(FriendGroup), aliased(GroupMember)
    if kind == ListKind.ALLOW_GROUP:
        holds = [not_(group.is_deleted), stay.added <= post.aud_at, stay.removed.is_(None)]
    else:
        holds = [or_(stay.removed.is_(None), stay.removed > post.aud_at)]
    return _some(
        select(1)
        .select_from(named)
        .join(group, group.id == named.target_id)
        .join(stay, stay.group_id == group.id)
        .where(named.post_id == post.id, named.kind == kind, stay.member_id == viewer, *holds),
        named,
        group,
        stay,
    )


def _some(query: Any, *own: Any) -> Condition:
    """EXISTS over its own tables; all others are the enclosing statement's, however deep this one lies in it.

    Left to itself SQLAlchemy looks one level up only, and would ask about any post at all.
    """
    return exists(query.correlate_except(*own))


def _each(query: Any) -> Any:
    """For each row by itself: an offset of nothing keeps PostgreSQL from reading all of the viewer's friends first."""
    return query.offset(0)


def _befriended(edge: Any) -> tuple[Condition, ...]:
    return edge.since.is_not(None), not_(edge.blocks), not_(edge.blocked_by)


def _is_active(member: Any) -> Condition:
    return member.status == MemberStatus.ACTIVE  # type: ignore[no-any-return]
