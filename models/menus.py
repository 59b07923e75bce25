"""The menu at the foot of the account's chat."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now


class Menu(Base):
    """One account's menu: what is being edited, and what followers have."""

    __tablename__ = "menus"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), unique=True)
    buttons: Mapped[list[dict[str, Any]]] = mapped_column(default=list)  # WeChat's own shape
    published: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    published_at: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)
