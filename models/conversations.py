"""A follower wants a person: from the request to the hand-back, and what was done in it."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.accounts import Operator
from models.base import Base, utc_now
from models.followers import Follower

_OPEN = text("closed_at IS NULL")


class ConversationStatus(StrEnum):
    QUEUED = "queued"  # nobody has taken it
    ASSIGNED = "assigned"
    SNOOZED = "snoozed"  # out of sight until a time, or until the follower writes
    CLOSED = "closed"  # the bot answers


class Conversation(Base):
    __tablename__ = "conversations"
    __table_args__ = (
        # One open conversation a follower: two requests at once open one.
        Index("uq_conversations_open", "follower_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index(None, "account_id", "closed_at", "updated_at"),
        Index(None, "account_id", "seq"),  # what changed since
        Index(None, "account_id", "opened_at"),  # reports
        Index(
            "ix_conversations_queues",
            "account_id",
            "assignee_id",
            "snoozed_until",
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    follower_id: Mapped[int] = mapped_column(ForeignKey("followers.id", ondelete="CASCADE"), index=True)
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("operators.id", ondelete="SET NULL"))
    opened_at: Mapped[datetime] = mapped_column(default=utc_now)
    waiting_since: Mapped[datetime | None]  # the follower wrote and nobody answered yet
    first_replied_at: Mapped[datetime | None]
    snoozed_until: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)  # something was last said
    closed_at: Mapped[datetime | None]
    closed_why: Mapped[str] = mapped_column(String(16), default="")  # handed_back, timed_out, unsubscribed, blocked
    closed_by_id: Mapped[int | None] = mapped_column(ForeignKey("operators.id", ondelete="SET NULL"))
    preview: Mapped[str] = mapped_column(String(120), default="")  # the last thing said, for lists
    preview_side: Mapped[str] = mapped_column(String(8), default="")  # follower, operator
    seq: Mapped[int] = mapped_column(default=0)  # of the journal's last entry about it
    said_seq: Mapped[int] = mapped_column(default=0)  # of the last one in which somebody said something

    follower: Mapped[Follower] = relationship()
    assignee: Mapped[Operator | None] = relationship(foreign_keys=[assignee_id])
    labels: Mapped[list["Label"]] = relationship(secondary="conversation_labels", order_by="Label.name")

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def status(self) -> ConversationStatus:
        """Never a column: it could not disagree with the others."""
        if self.closed_at is not None:
            return ConversationStatus.CLOSED
        if self.snoozed_until is not None:
            return ConversationStatus.SNOOZED
        return ConversationStatus.ASSIGNED if self.assignee_id else ConversationStatus.QUEUED


class Label(Base):
    """What a conversation is about, in the account's words: refund, delivery."""

    __tablename__ = "labels"
    __table_args__ = (UniqueConstraint("account_id", "name"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(30))


class ConversationLabel(Base):
    __tablename__ = "conversation_labels"
    __table_args__ = (UniqueConstraint("conversation_id", "label_id"), Index(None, "label_id", "conversation_id"))

    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    label_id: Mapped[int] = mapped_column(ForeignKey("labels.id", ondelete="CASCADE"))


class Agent(Base):
    """How one operator takes part in one account's inbox; who never opened it has no row."""

    __tablename__ = "agents"
    __table_args__ = (UniqueConstraint("account_id", "operator_id"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id", ondelete="CASCADE"))
    is_available: Mapped[bool] = mapped_column(default=True)  # says so themselves; else nothing is assigned to them
    capacity: Mapped[int] = mapped_column(default=10)  # open conversations assigned by the account's rule, at most
    seen_at: Mapped[datetime] = mapped_column(default=utc_now)  # their browser last spoke to us
    assigned_at: Mapped[datetime | None]  # whose turn it is: the one who waits longest

    operator: Mapped[Operator] = relationship()


class Draft(Base):
    """What an operator has written and not sent."""

    __tablename__ = "drafts"
    __table_args__ = (UniqueConstraint("conversation_id", "operator_id"),)

    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id", ondelete="CASCADE"))
    text: Mapped[str] = mapped_column(Text)
    saved_at: Mapped[datetime] = mapped_column(default=utc_now)


class CannedReply(Base):
    """A text that operators put in with "/" and its name."""

    __tablename__ = "canned_replies"
    __table_args__ = (UniqueConstraint("account_id", "name"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(30))
    text: Mapped[str] = mapped_column(Text)  # {{nickname}}, {{account}}, {{operator}}
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class Mention(Base):
    """An operator was named in a note: "@小美"."""

    __tablename__ = "mentions"
    __table_args__ = (UniqueConstraint("note_id", "operator_id"), Index(None, "operator_id", "account_id", "read_at"))

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    note_id: Mapped[int] = mapped_column(ForeignKey("notes.id", ondelete="CASCADE"))
    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id", ondelete="CASCADE"))
    read_at: Mapped[datetime | None]
