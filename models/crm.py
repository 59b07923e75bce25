"""What a business knows of its followers beyond WeChat: stages, fields of its own, notes, and what was changed when."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now


class Stage(Base):
    """How far a follower has come, in the account's own words: new, interested, customer."""

    __tablename__ = "stages"
    __table_args__ = (UniqueConstraint("account_id", "name"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(30))
    position: Mapped[int] = mapped_column(default=0)


class FieldKind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"
    YES_NO = "yes_no"


class Field(Base):
    """Something an account keeps of each follower, such as a city or a birthday."""

    __tablename__ = "fields"
    __table_args__ = (UniqueConstraint("account_id", "name"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(30))
    kind: Mapped[FieldKind] = mapped_column(default=FieldKind.TEXT)  # never changes: values are kept by kind
    choices: Mapped[list[str]] = mapped_column(default=list)
    position: Mapped[int] = mapped_column(default=0)


class FieldValue(Base):
    """One field of one follower; the column of its kind holds it (yes and no are the numbers 1 and 0)."""

    __tablename__ = "field_values"
    __table_args__ = (
        UniqueConstraint("follower_id", "field_id"),
        Index(None, "field_id", "text", "follower_id"),  # whose it is, or a segment looks up each row
        Index(None, "field_id", "number", "follower_id"),
        Index(None, "field_id", "day", "follower_id"),
    )

    follower_id: Mapped[int] = mapped_column(ForeignKey("followers.id", ondelete="CASCADE"))
    field_id: Mapped[int] = mapped_column(ForeignKey("fields.id", ondelete="CASCADE"))
    text: Mapped[str | None] = mapped_column(String(200))
    number: Mapped[float | None]
    day: Mapped[date | None]


class Note(Base):
    """What an operator wrote down about a follower."""

    __tablename__ = "notes"
    __table_args__ = (Index(None, "follower_id", "id"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    follower_id: Mapped[int] = mapped_column(ForeignKey("followers.id", ondelete="CASCADE"))
    operator_id: Mapped[int | None] = mapped_column(ForeignKey("operators.id", ondelete="SET NULL"))
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class FollowerEvent(Base):
    """A change to what we know of a follower, for the timeline: tagged, untagged, stage, owner, field, blocked …"""

    __tablename__ = "follower_events"
    __table_args__ = (Index(None, "follower_id", "id"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    follower_id: Mapped[int] = mapped_column(ForeignKey("followers.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16))
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)  # names as they were then
    who: Mapped[str] = mapped_column(String(64), default="")  # an operator's name, "API", or what did it by itself
    at: Mapped[datetime] = mapped_column(default=utc_now)


class NameTerm(Base):
    """What a follower's names can be found by: each ending of a name, as characters, as pinyin and as initials.

    Whatever stands within a name begins one of its endings, so one index range finds it on any database.
    """

    __tablename__ = "name_terms"
    __table_args__ = (Index(None, "follower_id"), Index(None, "account_id", "term", "follower_id"))

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    follower_id: Mapped[int] = mapped_column(ForeignKey("followers.id", ondelete="CASCADE"))
    # Folded.  Ranges need the order of the code points; SQLite has no other.
    term: Mapped[str] = mapped_column(String(24).with_variant(String(24, collation="C"), "postgresql"))
