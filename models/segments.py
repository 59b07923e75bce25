"""Groups of followers that are described once and found anew each time they are asked for."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now


class Segment(Base):
    """Followers for whom a tree of conditions holds (services.segment_conditions has its shape)."""

    __tablename__ = "segments"
    __table_args__ = (UniqueConstraint("account_id", "name"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(64))
    conditions: Mapped[dict[str, Any]] = mapped_column(default=dict)
    who: Mapped[str] = mapped_column(String(64), default="")  # wrote it last: an operator's name, or "API"
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)  # its conditions or name; counting changes neither
    counted: Mapped[int | None]  # how many it had when it was last counted
    counted_at: Mapped[datetime | None]


class SegmentUse(Base):
    """A tag, field, stage, owner or rule that a segment's conditions name.

    SQLite gives a deleted row's number to the next one, so the number alone would come to mean something else: the
    column of its kind is emptied by the database when the thing goes.
    """

    __tablename__ = "segment_uses"
    __table_args__ = (UniqueConstraint("segment_id", "kind", "number"),)

    segment_id: Mapped[int] = mapped_column(ForeignKey("segments.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16))  # tag, field, stage, owner, rule
    number: Mapped[int]  # as the conditions have it
    name: Mapped[str] = mapped_column(String(64))  # as it was when the segment was saved
    tag_id: Mapped[int | None] = mapped_column(ForeignKey("tags.id", ondelete="SET NULL"), index=True)
    field_id: Mapped[int | None] = mapped_column(ForeignKey("fields.id", ondelete="SET NULL"), index=True)
    stage_id: Mapped[int | None] = mapped_column(ForeignKey("stages.id", ondelete="SET NULL"), index=True)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("operators.id", ondelete="SET NULL"), index=True)
    rule_id: Mapped[int | None] = mapped_column(ForeignKey("rules.id", ondelete="SET NULL"), index=True)
