"""What an account had at WeChat before Lobby: read, kept word for word, taken over."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now


class TakeoverStatus(StrEnum):
    READ = "read"
    APPROVED = "approved"
    RESTORED = "restored"


class Takeover(Base):
    """One reading of WeChat's own menu and automatic replies; what was read never changes."""

    __tablename__ = "takeovers"
    __table_args__ = (Index(None, "account_id", "id"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    read_at: Mapped[datetime] = mapped_column(default=utc_now)
    selfmenu: Mapped[dict[str, Any]] = mapped_column(default=dict)  # get_current_selfmenu_info, as it came
    autoreply: Mapped[dict[str, Any]] = mapped_column(default=dict)  # get_current_autoreply_info, as it came
    status: Mapped[TakeoverStatus] = mapped_column(default=TakeoverStatus.READ)
    applied_at: Mapped[datetime | None]
    before: Mapped[dict[str, Any]] = mapped_column(default=dict)  # what Lobby had: rules, menu, human words
    made: Mapped[list[dict[str, Any]]] = mapped_column(default=list)  # the new rules: {"id", "created_at"}
