"""The menu at the foot of the account's chat."""

import json
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now


def fingerprint(content: object) -> str:
    """The same for the same JSON."""
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


class Menu(Base):
    """One account's menus: what is being edited, and what followers have.

    ``buttons`` is the usual menu.  ``conditional`` are those for some followers, the first that fits counts:
    {"id": 1, "title": "…", "matchrule": {"tag_id": "100", "client_platform_type": "2"}, "buttons": […]}.
    """

    __tablename__ = "menus"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), unique=True)
    buttons: Mapped[list[dict[str, Any]]] = mapped_column(default=list)  # WeChat's own shape
    conditional: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    published: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    published_conditional: Mapped[list[dict[str, Any]] | None]  # None: nobody looked yet what WeChat has
    published_at: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)

    @property
    def revision(self) -> str:
        """Of the draft: another one whenever it says something else."""
        return fingerprint([self.buttons, self.conditional])


class MenuOutcome(StrEnum):
    WAITING = "waiting"
    PUBLISHED = "published"
    REFUSED = "refused"  # followers keep the menu they had
    SKIPPED = "skipped"  # a newer one was published instead


class MenuVersion(Base):
    """One publishing of all menus.  Only its outcome is written later."""

    __tablename__ = "menu_versions"
    __table_args__ = (UniqueConstraint("account_id", "number"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    number: Mapped[int]  # from 1 within the account
    buttons: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    conditional: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    who: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    outcome: Mapped[MenuOutcome] = mapped_column(default=MenuOutcome.WAITING)
    error: Mapped[str] = mapped_column(Text, default="")
    fault: Mapped[dict[str, Any]] = mapped_column(default=dict)  # of which menu and which buttons the refusal spoke
    finished_at: Mapped[datetime | None]
