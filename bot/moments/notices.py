"""Notices: pointers to what happened, told and counted only while the thing itself may be seen."""

from collections.abc import Sequence
from functools import cache

from sqlalchemy import Select, delete, select, update
from sqlalchemy.orm import Session

from bot import clock
from bot.moments import stamps, visibility
from models import Edge, FriendRequest, Member, Notice, NoticeKind, RequestState

MOST_COUNTED = 100
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


def withdraw_like(session: Session, by: int, post_id: int) -> None:
    session.execute(
        delete(Notice).where(Notice.kind == NoticeKind.LIKE, Notice.actor_id == by, Notice.post_id == post_id)
    )


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
    """notify(v, e): those whose thing the viewer may see, less those about muted friends' posts."""
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

    def holds(notice: Notice) -> bool:
        match notice.kind:
            case NoticeKind.REQUEST:
                return notice.actor_id in asked
            case NoticeKind.ACCEPTED:
                return notice.actor_id in friends
            case NoticeKind.LIKE:
                return (notice.post_id, notice.actor_id) in liked
            case NoticeKind.COMMENT | NoticeKind.WIDENED:
                return notice.post_id in seen and notice.comment_id in said
        return notice.post_id in seen

    return [notice for notice in notices if holds(notice)]


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
