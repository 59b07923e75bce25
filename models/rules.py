"""What the account answers by itself."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
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
    """When … then, on the workbench: followers get what the account's live version says.

    The lowest position that matches answers.
    """

    __tablename__ = "rules"
    __table_args__ = (
        Index(None, "account_id", "position"),
        {"sqlite_autoincrement": True},  # versions name rules by id: a deleted one's number is never given again
    )

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
    group_name: Mapped[str] = mapped_column(String(32), default="")  # "": in no group
    revision: Mapped[int] = mapped_column(default=1)  # each saving adds one: who began from an older one is told
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)


class RuleVersion(Base):
    """All rules of an account as they were published; never changed.

    ``Account.rules_version`` is the number of the live one.
    """

    __tablename__ = "rule_versions"
    __table_args__ = (UniqueConstraint("account_id", "number"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    number: Mapped[int]
    name: Mapped[str] = mapped_column(String(64), default="")  # "": one change, published by itself
    content: Mapped[list[dict[str, Any]]] = mapped_column(deferred=True)  # services.matching.as_item, in order
    summary: Mapped[dict[str, Any]] = mapped_column(default=dict)  # how many rules, and what it changed
    operator_id: Mapped[int | None] = mapped_column(ForeignKey("operators.id", ondelete="SET NULL"))  # None: a program
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
