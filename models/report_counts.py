"""What the report has already counted: old days need not be counted again each time somebody looks."""

from datetime import date
from enum import StrEnum

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class CountedBy(StrEnum):
    HOUR = "hour"  # 0 to 23
    PERSON = "person"  # an operator's id; 0: nobody
    LABEL = "label"


class ReportCount(Base):
    """The conversations of one day that have one thing in common; no row where there are none."""

    __tablename__ = "report_counts"
    __table_args__ = (UniqueConstraint("account_id", "counted_by", "label_id", "day", "key"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    counted_by: Mapped[CountedBy]
    label_id: Mapped[int]  # of those with this label only; 0: of all.  No foreign key: whoever reads asks for the label
    day: Mapped[date]  # in the account's zone
    key: Mapped[int]
    opened: Mapped[int]
    replied: Mapped[int]
    closed: Mapped[int]
    reply_seconds: Mapped[int]  # of all that were replied to, together
    open_seconds: Mapped[int]  # of all that are closed, together


class ReportReading(Base):
    """How far an account's journal is in its counts: a day whose conversations were not changed since is right."""

    __tablename__ = "report_readings"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), unique=True)
    seq: Mapped[int]  # of the journal
    zone: Mapped[str] = mapped_column(String(64))  # the days are this one's
    since: Mapped[date | None]  # days before it have never been counted; None: all have
    turn: Mapped[int] = mapped_column(default=0)  # of who counts: a later one ends an earlier one
