"""A follower wants a person: from the request to the hand-back."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, utc_now
from models.followers import Follower


class Conversation(Base):
    __tablename__ = "conversations"
    __table_args__ = (
        # One open conversation a follower: two requests at once open one.
        Index(
            "uq_conversations_open",
            "follower_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index(None, "account_id", "closed_at", "updated_at"),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    follower_id: Mapped[int] = mapped_column(ForeignKey("followers.id", ondelete="CASCADE"), index=True)
    opened_at: Mapped[datetime] = mapped_column(default=utc_now)
    waiting_since: Mapped[datetime | None]  # the follower wrote and nobody answered yet
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
    closed_at: Mapped[datetime | None]
    closed_why: Mapped[str] = mapped_column(String(16), default="")  # handed_back, timed_out, unsubscribed

    follower: Mapped[Follower] = relationship()

    @property
    def is_open(self) -> bool:
        return self.closed_at is None
