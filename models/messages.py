"""The two ledgers of a talk: what came in with its one reply, and what we send by ourselves."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, utc_now
from models.followers import Follower


class InboundMessage(Base):
    """One push of WeChat's.  Its reply and all effects commit with this row, so a repeat finds both."""

    __tablename__ = "messages"
    __table_args__ = (
        # Each index costs every message a page of writing; these two serve nearly all questions.
        UniqueConstraint("account_id", "openid", "dedup_key"),
        Index(None, "account_id", "received_at", "event", "rule_id"),
        # Taps and scans only, for segments; what followers write pays nothing.  The key itself is left out: it may hold
        # more than a PostgreSQL index takes.
        Index(
            "ix_messages_events",
            "account_id",
            "event",
            "received_at",
            sqlite_where=text("event <> ''"),
            postgresql_where=text("event <> ''"),
        ),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    openid: Mapped[str] = mapped_column(String(64))
    dedup_key: Mapped[str] = mapped_column(String(255))
    follower_id: Mapped[int | None] = mapped_column(ForeignKey("followers.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(32))
    event: Mapped[str] = mapped_column(String(64), default="")
    key: Mapped[str] = mapped_column(String(1024), default="")
    text: Mapped[str] = mapped_column(Text, default="")
    fields: Mapped[dict[str, Any]] = mapped_column(default=dict)
    received_at: Mapped[datetime] = mapped_column(default=utc_now)
    reply: Mapped[dict[str, Any] | None]  # None: silence
    rule_id: Mapped[int | None]  # no foreign key: the rule may be deleted, the trace stays
    trace: Mapped[list[dict[str, Any]]] = mapped_column(default=list)  # who was asked, and what each said
    flag: Mapped[str] = mapped_column(String(64), default="")  # "failed", "unknown job", …: worth a look

    follower: Mapped[Follower | None] = relationship()


class SeenSignature(Base):
    """Plain mode only: a signature there binds no body, so each may bring one message (T02)."""

    __tablename__ = "seen_signatures"
    __table_args__ = (UniqueConstraint("account_id", "signature"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    signature: Mapped[str] = mapped_column(String(40))
    dedup_key: Mapped[str] = mapped_column(String(255))
    seen_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)


class SendStatus(StrEnum):
    READY = "ready"
    SENDING = "sending"  # the intent is committed; WeChat may already have it
    SENT = "sent"
    FAILED = "failed"  # certainly not delivered
    UNKNOWN = "unknown"  # no answer: never sent again by itself


class Send(Base):
    """One customer-service message: intent before the call, outcome after."""

    __tablename__ = "sends"
    __table_args__ = (
        Index(None, "status", "due_at"),
        Index(None, "follower_id", "id"),
        UniqueConstraint("account_id", "intent"),  # NULLs are not equal
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    follower_id: Mapped[int] = mapped_column(ForeignKey("followers.id", ondelete="CASCADE"))
    operator_id: Mapped[int | None] = mapped_column(ForeignKey("operators.id", ondelete="SET NULL"))
    message_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id", ondelete="SET NULL"))  # it answers this
    intent: Mapped[str | None] = mapped_column(String(64))  # one press of "Send", however often it comes
    reply: Mapped[dict[str, Any]]
    status: Mapped[SendStatus] = mapped_column(default=SendStatus.READY)
    fence: Mapped[int] = mapped_column(default=0)  # each claim adds one; an older claim may not report
    due_at: Mapped[datetime] = mapped_column(default=utc_now)  # ready: not before; sending: the lease ends
    window: Mapped[str] = mapped_column(String(8), default="")  # the reply window it was counted against
    errcode: Mapped[int | None]
    error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    sent_at: Mapped[datetime | None]

    follower: Mapped[Follower] = relationship()
