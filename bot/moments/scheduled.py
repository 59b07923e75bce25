"""Posts for later: a draft with a time, which the clock makes a post when it comes.

Until then there is no post, so there is nothing that anybody could see.  The post's time and audience are those of its
publishing: whoever is put into a named group before that sees it, whoever leaves does not.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from bot import clock
from bot.errors import NotFound, Refused
from bot.moments import audiences, limits, members, posts
from bot.moments.audiences import Choice
from bot.moments.media import uploads
from bot.moments.posts import Draft
from models import Media, Member, MemberStatus, Post, ScheduledPost

FURTHEST = timedelta(days=365)
LATE = timedelta(days=1)  # an install that was off this long, or a member: then the author is asked, by the list


def list_all(session: Session, author: Member) -> list[ScheduledPost]:
    """The next one first."""
    query = select(ScheduledPost).where(ScheduledPost.author_id == author.id)
    return list(session.scalars(query.order_by(ScheduledPost.at, ScheduledPost.id)))


def get(session: Session, author: Member, scheduled_id: int) -> ScheduledPost:
    """
    Raises:
        NotFound: no such draft of theirs, or it was published.
    """
    mine = select(ScheduledPost).where(ScheduledPost.id == scheduled_id, ScheduledPost.author_id == author.id)
    found = session.scalar(mine.with_for_update().execution_options(populate_existing=True))
    if found is None:
        raise NotFound("There is no such scheduled post, or it was published.")
    return found


def add(session: Session, author: Member, draft: Draft, at: datetime) -> ScheduledPost:
    """
    Raises:
        Refused: a time that is over or more than a year away, or what ``posts.publish`` refuses.
        TooMany: as many wait as a day allows.
    """
    members.lock(session, author.id)  # the count below holds
    waiting = select(func.count()).where(ScheduledPost.author_id == author.id)
    limits.check_scheduled(author, session.scalar(waiting) or 0)
    row = ScheduledPost(author_id=author.id)
    return _write(session, author, row, draft, at)


def change(session: Session, author: Member, row: ScheduledPost, draft: Draft, at: datetime) -> ScheduledPost:
    """Another draft and time in its place; photos that it no longer has are erased."""
    return _write(session, author, row, draft, at)


def move(session: Session, author: Member, row: ScheduledPost, at: datetime) -> ScheduledPost:
    """The same at another time."""
    media = tuple(each.id for each in uploads.kept_for(session, [row.id])[row.id])
    mentions = tuple(int(each) for each in row.mentions)
    return _write(session, author, row, replace(_draft(row), media=media, mentions=mentions), at)


def cancel(session: Session, row: ScheduledPost) -> None:
    uploads.erase(session, Media.scheduled_id == row.id)
    session.delete(row)
    session.flush()


def is_late(row: ScheduledPost) -> bool:
    """It was not published in time, and will not be by itself."""
    return row.at <= clock.now() - LATE


def due(session: Session) -> list[int]:
    query = select(ScheduledPost.id).join(Member, Member.id == ScheduledPost.author_id)
    return list(session.scalars(query.where(*_is_due()).order_by(ScheduledPost.at, ScheduledPost.id)))


def publish(session: Session, scheduled_id: int) -> Post | None:
    """Make it a post, once; None: it was published, put off or cancelled meanwhile."""
    found = select(ScheduledPost, Member).join(Member, Member.id == ScheduledPost.author_id)
    found = found.where(ScheduledPost.id == scheduled_id, *_is_due())
    row = session.execute(found.with_for_update()).one_or_none()
    if row is None:
        return None
    scheduled, author = row
    # Checked when it was written.  Whoever was named then stays named, also a friend who is blocked at the moment: a
    # denied one must not see it when that ends.
    post = posts.write(session, author, _draft(scheduled))
    uploads.move(session, scheduled.id, post.id)
    for member_id in scheduled.mentions:
        posts.mention(session, post, int(member_id))
    session.delete(scheduled)
    session.flush()
    return post


def _is_due() -> Sequence[ColumnElement[bool]]:
    now = clock.now()
    return ScheduledPost.at <= now, ScheduledPost.at > now - LATE, Member.status == MemberStatus.ACTIVE


def _write(session: Session, author: Member, row: ScheduledPost, draft: Draft, at: datetime) -> ScheduledPost:
    now = clock.now()
    if not now < at <= now + FURTHEST:
        raise Refused("Choose a time within the next year.", field="at")
    if draft.root_id is not None:
        raise Refused("A post that passes another one on cannot wait.", field="root")
    posts.check(session, author, draft)
    if draft.mentions:
        would = {member.id for member in audiences.preview(session, author, draft.audience)}
        if not would.issuperset(draft.mentions):
            raise Refused("Somebody you mention would not see this post.", field="mentions")
    row.at, row.body, row.place, row.link = at, draft.body.strip(), draft.place.strip(), draft.link.strip()
    row.mode, row.names = draft.audience.mode, audiences.written(draft.audience.lists)
    row.mentions = [str(member_id) for member_id in dict.fromkeys(draft.mentions)]
    row.reshare_ok = draft.reshare_ok
    session.add(row)
    session.flush()
    uploads.keep_for(session, author.id, row.id, draft.media)
    session.flush()
    return row


def _draft(row: ScheduledPost) -> Draft:
    choice = Choice(row.mode, audiences.read(row.names))
    return Draft(body=row.body, place=row.place, link=row.link, audience=choice, reshare_ok=row.reshare_ok)
