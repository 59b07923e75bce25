"""Moderation: what members reported, and what whoever runs this place does about it.

The queue names nothing but counts.  Whoever opens a case looks at what somebody wrote for friends only: that is kept,
and the writer can read it.  Names of those who reported, and of those for whom it was, do not come up here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from bot import clock
from bot.errors import Conflict, NotFound, Refused
from bot.moments import members, posts, reactions, visibility
from bot.moments.media import uploads
from models import (
    CaseState,
    Comment,
    Media,
    Member,
    MemberReport,
    ModerationCase,
    Post,
    PostMode,
    ReportReason,
    StaffView,
)
from models.base import affected

MOST_WORDS = 200
LOOK = timedelta(hours=1)  # for which the photos of an opened case can be loaded


@dataclass(frozen=True)
class Waiting:
    """A case as the queue has it: nothing of what was written."""

    id: int
    state: CaseState
    opened_at: datetime
    is_comment: bool
    reasons: dict[ReportReason, int]


@dataclass(frozen=True)
class Shown:
    """A case that was opened."""

    id: int
    state: CaseState
    is_comment: bool
    body: str
    place: str
    link: str
    media: Sequence[Media]
    is_reshare: bool
    mode: PostMode  # the kind of the audience, never who is in it
    writer: Member
    reports: Sequence[MemberReport]
    hold_reason: ReportReason | None
    hold_words: str


def queue(session: Session, state: CaseState, before: int | None = None, limit: int = 50) -> list[Waiting]:
    """Newest first."""
    query = visibility.cases().where(ModerationCase.state == state).order_by(ModerationCase.id.desc()).limit(limit)
    if before is not None:
        query = query.where(ModerationCase.id < before)
    cases = [case for case, _post, _comment in session.execute(query)]
    counts = session.execute(
        select(MemberReport.case_id, MemberReport.reason, func.count())
        .where(MemberReport.case_id.in_([case.id for case in cases]))
        .group_by(MemberReport.case_id, MemberReport.reason)
        .order_by(func.count().desc(), MemberReport.reason)
    ).all()
    return [
        Waiting(
            case.id,
            case.state,
            case.opened_at,
            case.comment_id is not None,
            {reason: count for case_id, reason, count in counts if case_id == case.id},
        )
        for case in cases
    ]


def look(session: Session, case_id: int, who: str) -> Shown:
    """What was reported; that ``who`` looked at it is kept for its writer.

    Raises:
        NotFound: no such case, closed, or deleted by who wrote it.
    """
    case, post, comment = _case(session, case_id)
    writer = session.get_one(Member, comment.member_id if comment else post.author_id)
    session.add(StaffView(writer_id=writer.id, post_id=post.id, comment_id=case.comment_id, who=who[:100]))
    session.flush()
    matter = comment or post
    return Shown(
        id=case.id,
        state=case.state,
        is_comment=comment is not None,
        body=matter.body,
        place="" if comment else post.place,
        link="" if comment else post.link,
        media=[] if comment else uploads.of(session, [post.id])[post.id],
        is_reshare=comment is None and post.root_id is not None,
        mode=post.mode,
        writer=writer,
        reports=session.scalars(
            select(MemberReport).where(MemberReport.case_id == case.id).order_by(MemberReport.id)
        ).all(),
        hold_reason=matter.hold_reason,
        hold_words=matter.hold_words,
    )


def media(session: Session, case_id: int, media_id: int, who: str) -> Media | None:
    """A photo or video of what the case is about, for who has looked at it within the hour; None: there is none."""
    looked = StaffView.post_id == Media.post_id, StaffView.who == who[:100], StaffView.at > clock.now() - LOOK
    return session.scalar(
        visibility.media_of_cases().where(
            Media.id == media_id,
            select(1).where(ModerationCase.id == case_id, ModerationCase.post_id == Media.post_id).exists(),
            select(1).where(*looked).exists(),
        )
    )


def hold(session: Session, case_id: int, reason: ReportReason, words: str = "") -> None:
    """From now on only its writer sees it, with the reason and these words.

    Raises:
        NotFound: as ``look``.
        Refused: too many words.
    """
    words = words.strip()
    if len(words) > MOST_WORDS:
        raise Refused("Write at most {most} characters.", field="words", most=MOST_WORDS)
    _settle(session, case_id, CaseState.HELD, reason, words)


def release(session: Session, case_id: int) -> None:
    """Everybody for whom it is sees it again; the case is closed.

    Raises:
        NotFound: as ``look``.
        Conflict: it is not held, perhaps since a moment ago.
    """
    _settle(session, case_id, CaseState.CLOSED, None, "", only=ModerationCase.state == CaseState.HELD)


def dismiss(session: Session, case_id: int) -> None:
    """There is nothing wrong with it; another report opens the case again.

    Raises:
        NotFound: as ``look``.
        Conflict: it is not open, perhaps since a moment ago.
    """
    _settle(session, case_id, CaseState.CLOSED, None, "", only=ModerationCase.state == CaseState.OPEN)


def suspend(session: Session, member_id: int) -> Member:
    """Hide everything of a member, for whatever reason, until ``release_member``."""
    member = _member(session, member_id)
    members.suspend(session, member)
    return member


def release_member(session: Session, member_id: int) -> Member:
    member = _member(session, member_id)
    members.release(session, member)
    return member


def suspended(session: Session) -> list[Member]:
    """The last one first."""
    query = select(Member).where(Member.suspended_at.is_not(None))
    return list(session.scalars(query.order_by(Member.suspended_at.desc(), Member.id)))


def _settle(
    session: Session,
    case_id: int,
    state: CaseState,
    reason: ReportReason | None,
    words: str,
    only: ColumnElement[bool] | None = None,
) -> None:
    case, post, _comment = _case(session, case_id)
    change = update(ModerationCase).where(ModerationCase.id == case.id)
    done = session.execute((change if only is None else change.where(only)).values(state=state))
    if affected(done) == 0:
        raise Conflict("Somebody else has decided this meanwhile; look at it again.")
    if case.comment_id is not None:
        reactions.hold(session, case.comment_id, reason, words)
    else:
        posts.hold(session, post.id, reason is not None, reason, words)


def _case(session: Session, case_id: int) -> tuple[ModerationCase, Post, Comment | None]:
    row = session.execute(visibility.cases().where(ModerationCase.id == case_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such case, or what it was about is deleted.")
    return row[0], row[1], row[2]


def _member(session: Session, member_id: int) -> Member:
    member = session.get(Member, member_id)
    if member is None:
        raise NotFound("There is no such member.")
    return member
