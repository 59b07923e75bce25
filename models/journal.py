"""The journal: what happened in an account, in one order without gaps."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now


class JournalHead(Base):
    """An account's last number.  Whoever adds an entry holds this row until they commit (services.journal)."""

    __tablename__ = "journal_heads"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), unique=True)
    last: Mapped[int] = mapped_column(default=0)


class JournalEntry(Base):
    __tablename__ = "journal"
    __table_args__ = (UniqueConstraint("account_id", "seq"), Index(None, "conversation_id", "seq"))

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    seq: Mapped[int]
    kind: Mapped[str] = mapped_column(String(16))
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    operator_id: Mapped[int | None] = mapped_column(ForeignKey("operators.id", ondelete="SET NULL"))
    who: Mapped[str] = mapped_column(String(64), default="")  # an operator's name, "API", or "" for follower and clock
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    at: Mapped[datetime] = mapped_column(default=utc_now)
