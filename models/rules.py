"""What the account answers by itself."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now


class Trigger(StrEnum):
    KEYWORD = "keyword"  # a text
    FOLLOW = "follow"  # somebody begins to follow
    SCAN = "scan"  # a QR code; keywords hold the scenes
    CLICK = "click"  # a menu button; keywords hold the keys
    DEFAULT = "default"  # nothing else answered


class MatchMode(StrEnum):
    EXACT = "exact"
    CONTAINS = "contains"
    REGEX = "regex"


class ReplyMode(StrEnum):
    ALL = "all"  # the first as the reply, the others as customer-service messages
    RANDOM = "random"


class Rule(Base):
    """When … then.  The lowest position that matches answers."""

    __tablename__ = "rules"
    __table_args__ = (Index(None, "account_id", "position"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(64))
    trigger: Mapped[Trigger] = mapped_column(default=Trigger.KEYWORD)
    keywords: Mapped[list[dict[str, Any]]] = mapped_column(default=list)  # {"mode": MatchMode, "text": str}
    replies: Mapped[list[dict[str, Any]]] = mapped_column(default=list)  # wechat.messages.Reply
    reply_mode: Mapped[ReplyMode] = mapped_column(default=ReplyMode.ALL)
    position: Mapped[int] = mapped_column(default=0)
    is_enabled: Mapped[bool] = mapped_column(default=True)
    starts_on: Mapped[date | None]  # days in the account's zone, both included
    ends_on: Mapped[date | None]
    time_from: Mapped[str] = mapped_column(String(5), default="")  # "22:00" to "06:00": the night after the day
    time_to: Mapped[str] = mapped_column(String(5), default="")
    tag_id: Mapped[int | None] = mapped_column(ForeignKey("tags.id", ondelete="SET NULL"))  # only for followers with it
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)
