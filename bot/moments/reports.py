"""Reports: a member tells the moderators that something is not right.  Nobody else learns of it, nor by whom it was."""

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from bot import clock
from bot.errors import Refused
from bot.moments import limits, posts, reactions
from models import CaseState, Comment, Member, MemberReport, ModerationCase, Post, ReportReason, StaffView

MOST_WORDS = 500


def report_post(session: Session, reporter: Member, post_id: int, reason: ReportReason, words: str = "") -> None:
    """
    Raises:
        NotFound: a post that the reporter does not see.
        Refused: one's own, or too many words.
        TooMany: the reporter's limit.
    """
    post = posts.find(session, reporter, post_id)
    _report(session, reporter, post.id, None, post.author_id, reason, words)


def report_comment(session: Session, reporter: Member, comment_id: int, reason: ReportReason, words: str = "") -> None:
    """The same of a comment."""
    comment = reactions.find(session, reporter, comment_id)
    _report(session, reporter, comment.post_id, comment.id, comment.member_id, reason, words)


def views(session: Session, writer: Member) -> list[StaffView]:
    """When moderators looked at something of the writer's, and who; newest first."""
    query = select(StaffView).where(StaffView.writer_id == writer.id).order_by(StaffView.id.desc())
    return list(session.scalars(query))


def erase_due(session: Session) -> None:
    """Forget why somebody reported what was deleted a day ago."""
    before = clock.now() - posts.ERASED_AFTER
    gone = or_(
        ModerationCase.post_id.in_(select(Post.id).where(Post.deleted_at < before)),
        ModerationCase.comment_id.in_(select(Comment.id).where(Comment.deleted_at < before)),
    )
    session.execute(delete(ModerationCase).where(gone))


def _report(
    session: Session,
    reporter: Member,
    post_id: int,
    comment_id: int | None,
    writer_id: int,
    reason: ReportReason,
    words: str,
) -> None:
    words = words.strip()
    if writer_id == reporter.id:
        raise Refused("This is your own; you can delete it.")
    if len(words) > MOST_WORDS:
        raise Refused("Write at most {most} characters.", field="words", most=MOST_WORDS)
    limits.check(session, reporter, "reports")
    case = _case(session, post_id, comment_id)
    report = session.scalar(
        select(MemberReport).where(MemberReport.case_id == case.id, MemberReport.reporter_id == reporter.id)
    )
    if report is None:
        session.add(MemberReport(case_id=case.id, reporter_id=reporter.id, reason=reason, words=words))
    else:  # said again: the last word counts, as one
        report.reason, report.words = reason, words
    session.flush()


def _case(session: Session, post_id: int, comment_id: int | None) -> ModerationCase:
    """The one about this, open: whoever reports it at the same time waits here for the other's commit."""
    matter = (
        select(Comment.id).where(Comment.id == comment_id) if comment_id else select(Post.id).where(Post.id == post_id)
    )
    session.execute(matter.with_for_update())
    case = session.scalar(
        select(ModerationCase)
        .where(ModerationCase.post_id == post_id, ModerationCase.comment_id.is_not_distinct_from(comment_id))
        .execution_options(populate_existing=True)
    )
    if case is None:
        case = ModerationCase(post_id=post_id, comment_id=comment_id)
        session.add(case)
    elif case.state is CaseState.CLOSED:
        case.state, case.opened_at = CaseState.OPEN, clock.now()
    session.flush()
    return case
