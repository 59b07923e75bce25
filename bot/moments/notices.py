"""Notices: pointers to what happened, told and counted only while the thing itself may be seen."""

from collections.abc import Collection, Sequence
from functools import cache

from sqlalchemy import Select, delete, select, update
from sqlalchemy.orm import Session

from bot import clock
from bot.moments import stamps, visibility
from models import (
    Comment,
    Edge,
    FriendRequest,
    Like,
    Member,
    MutedPost,
    Notice,
    NoticeChoice,
    NoticeKind,
    Post,
    RequestState,
)

OFF_AT_FIRST = (NoticeKind.ALSO_LIKE, NoticeKind.ALSO_COMMENT)
MOST_COUNTED = 100
MOST_OTHERS = 50  # who are told what happens on a post that is not theirs
_CHUNK = 100


def tell(
    session: Session, to: int, kind: NoticeKind, by: int, post_id: int | None = None, comment_id: int | None = None
) -> None:
    """Leave a notice, unless it is about oneself or about something that the reader may not see."""
    if to == by:
        return
    notice = Notice(member_id=to, kind=kind, actor_id=by, post_id=post_id, comment_id=comment_id)
    stamps.place(session, notice)
    if not visible(session, to, [notice]):
        session.delete(notice)
        session.flush()


def tell_others(
    session: Session, kind: NoticeKind, by: int, post_id: int, comment_id: int | None = None, but: Collection[int] = ()
) -> None:
    """Tell those who have liked or commented on the post before, and wish to hear more of it."""
    likers = select(Like.member_id).where(Like.post_id == post_id)
    took_part = likers.union(select(Comment.member_id).where(Comment.post_id == post_id))
    wish = select(NoticeChoice.member_id).where(
        NoticeChoice.kind == kind,
        NoticeChoice.is_on,
        NoticeChoice.member_id.in_(took_part),
        NoticeChoice.member_id.not_in([by, *but]),
    )
    for member_id in session.scalars(wish.order_by(NoticeChoice.member_id).limit(MOST_OTHERS)).all():
        tell(session, member_id, kind, by, post_id, comment_id)


def withdraw_like(session: Session, by: int, post_id: int) -> None:
    kinds = NoticeKind.LIKE, NoticeKind.ALSO_LIKE
    session.execute(delete(Notice).where(Notice.kind.in_(kinds), Notice.actor_id == by, Notice.post_id == post_id))


def choices(session: Session, member: Member) -> dict[NoticeKind, bool]:
    """Which kinds of notices the member gets."""
    query = select(NoticeChoice.kind, NoticeChoice.is_on).where(NoticeChoice.member_id == member.id)
    wanted = {kind: kind not in OFF_AT_FIRST for kind in NoticeKind}
    for kind, is_on in session.execute(query):
        wanted[kind] = is_on
    return wanted


def choose(session: Session, member: Member, wanted: dict[NoticeKind, bool]) -> None:
    """Takes effect for notices that are there already, too; kinds that are left out stay."""
    for kind, is_on in wanted.items():
        session.merge(NoticeChoice(member_id=member.id, kind=kind, is_on=is_on))
    session.flush()


def set_muted(session: Session, member: Member, post_id: int, is_muted: bool) -> None:
    """Want no notices about a post any more, or want them again; those of before come back then."""
    if is_muted:
        session.merge(MutedPost(member_id=member.id, post_id=post_id))
        session.flush()
    else:
        theirs = MutedPost.member_id == member.id, MutedPost.post_id == post_id
        session.execute(delete(MutedPost).where(*theirs))


def muted_posts(session: Session, member: Member) -> list[Post]:
    """Those posts, newest first, that the member still sees."""
    ids = session.scalars(select(MutedPost.post_id).where(MutedPost.member_id == member.id)).all()
    return list(session.scalars(visibility.posts(), visibility.by(member.id, ids=ids))) if ids else []


def muted(session: Session, member_id: int, post_ids: Collection[int]) -> set[int]:
    """Those of the posts about which this member wants no notices."""
    query = select(MutedPost.post_id).where(MutedPost.member_id == member_id, MutedPost.post_id.in_(post_ids))
    return set(session.scalars(query)) if post_ids else set()


def page(session: Session, member: Member, before: int, limit: int) -> tuple[list[Notice], int | None]:
    """Newest first; the id to go on before, or None at the end."""
    found: list[Notice] = []
    while len(found) <= limit:
        query = select(Notice).where(Notice.member_id == member.id, Notice.id < before)
        rows = session.scalars(query.order_by(Notice.id.desc()).limit(_CHUNK)).all()
        found += visible(session, member.id, rows)
        if len(rows) < _CHUNK:
            break
        before = rows[-1].id
    return found[:limit], (found[limit - 1].id if len(found) > limit else None)


def unread(session: Session, member: Member) -> int:
    """How many of ``page`` are not read; counted up to 100."""
    count, before = 0, 1 << 53
    while count < MOST_COUNTED:
        query = select(Notice).where(Notice.member_id == member.id, Notice.read_at.is_(None), Notice.id < before)
        rows = session.scalars(query.order_by(Notice.id.desc()).limit(_CHUNK)).all()
        count += len(visible(session, member.id, rows))
        if len(rows) < _CHUNK:
            break
        before = rows[-1].id
    return min(count, MOST_COUNTED)


def mark_read(session: Session, member: Member, until: int) -> None:
    session.execute(
        update(Notice)
        .where(Notice.member_id == member.id, Notice.id <= until, Notice.read_at.is_(None))
        .values(read_at=clock.now())
    )


def visible(session: Session, viewer_id: int, notices: Sequence[Notice]) -> list[Notice]:
    """notify(v, e): those whose thing the viewer may see, less what the viewer has muted or switched off."""
    about = {notice.post_id for notice in notices if notice.post_id is not None}
    if not notices:
        return []
    seen = {
        post.id for post in session.scalars(visibility.posts(muted=False), visibility.by(viewer_id, ids=list(about)))
    }
    those = visibility.by(viewer_id, ids=list(seen))
    liked = {(like.post_id, like.member_id) for like in session.scalars(visibility.likes(), those)}
    comments = visibility.shown(list(session.scalars(visibility.comments(), those)))
    said = {comment.id for comment in comments if comment.deleted_at is None}
    actors = visibility.by(viewer_id, ids=list({notice.actor_id for notice in notices}))
    friends = set(session.scalars(visibility.friends_of_viewer(), actors))
    asked = set(session.scalars(_asking(), actors))
    silent = muted(session, viewer_id, about)
    off = set(session.scalars(_off(), actors))

    def holds(notice: Notice) -> bool:
        if notice.kind in off or notice.post_id in silent:
            return False
        match notice.kind:
            case NoticeKind.REQUEST:
                return notice.actor_id in asked
            case NoticeKind.ACCEPTED:
                return notice.actor_id in friends
            case NoticeKind.LIKE | NoticeKind.ALSO_LIKE:
                return (notice.post_id, notice.actor_id) in liked
            case NoticeKind.COMMENT | NoticeKind.ALSO_COMMENT | NoticeKind.WIDENED:
                return notice.post_id in seen and notice.comment_id in said
        return notice.post_id in seen

    return [notice for notice in notices if holds(notice)]


@cache
def _off() -> Select[NoticeKind]:
    """What this member has switched off; a kind that begins so is told only to whom switched it on."""
    return select(NoticeChoice.kind).where(NoticeChoice.member_id == visibility.VIEWER, ~NoticeChoice.is_on)


@cache
def _asking() -> Select[int]:
    """Whose requests wait for this member."""
    cut = select(Edge.other_id).where(Edge.owner_id == visibility.VIEWER, Edge.blocks | Edge.blocked_by)
    return select(FriendRequest.from_id).where(
        FriendRequest.to_id == visibility.VIEWER,
        FriendRequest.state == RequestState.PENDING,
        FriendRequest.from_id.not_in(cut),
        visibility.active(FriendRequest.from_id),
    )
