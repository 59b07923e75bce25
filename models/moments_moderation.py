"""Moments: what members report, what moderators decide about it, and which of them looked at what."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now
from models.moments_posts import ReportReason

_OF_POST = text("comment_id IS NULL")


class CaseState(StrEnum):
    OPEN = "open"
    HELD = "held"
    CLOSED = "closed"  # nothing wrong with it; another report opens it again


class ModerationCase(Base):
    """A post, or a comment, that somebody reported: one row, however many did."""

    __tablename__ = "moderation_cases"
    __table_args__ = (
        Index("uq_moderation_cases_post", "post_id", unique=True,
              sqlite_where=_OF_POST, postgresql_where=_OF_POST),
        Index(None, "post_id"),
        Index(None, "state", "id"),
    )  # fmt: skip

    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"))
    comment_id: Mapped[int | None] = mapped_column(ForeignKey("comments.id", ondelete="CASCADE"), unique=True)
    state: Mapped[CaseState] = mapped_column(default=CaseState.OPEN)
    opened_at: Mapped[datetime] = mapped_column(default=utc_now)


class MemberReport(Base):
    """Why one member reported it.  Who it was stays here: neither moderators nor writers are told."""

    __tablename__ = "member_reports"
    __table_args__ = (Index(None, "reporter_id", "created_at"),)

    case_id: Mapped[int] = mapped_column(ForeignKey("moderation_cases.id", ondelete="CASCADE"), index=True)
    reporter_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"))
    reason: Mapped[ReportReason]
    words: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class StaffView(Base):
    """A moderator looked at what a member wrote; for that member."""

    __tablename__ = "staff_views"

    writer_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"), index=True)
    comment_id: Mapped[int | None] = mapped_column(ForeignKey("comments.id", ondelete="CASCADE"), index=True)
    who: Mapped[str] = mapped_column(String(100))  # an operator's name, or that of a program's token
    at: Mapped[datetime] = mapped_column(default=utc_now)
