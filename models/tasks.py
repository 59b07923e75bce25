"""Long work with progress, and who may do it: the database's side of the queue."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now


class TaskStatus(StrEnum):
    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Task(Base):
    """One piece of long work for an account: publish the menu, read all followers."""

    __tablename__ = "tasks"
    __table_args__ = (Index(None, "status", "due_at"), Index(None, "account_id", "id"))

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(32))  # a name in bot.jobs.tasks.KINDS
    status: Mapped[TaskStatus] = mapped_column(default=TaskStatus.READY)
    fence: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(default=utc_now)  # ready: not before; running: the lease ends
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int | None]  # None: not known yet
    state: Mapped[dict[str, Any]] = mapped_column(default=dict)  # where to go on after a crash
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[datetime | None]


class Leadership(Base):
    """Who is the clock: one holder, any number of stand-bys."""

    __tablename__ = "leaderships"

    name: Mapped[str] = mapped_column(String(32), unique=True)
    holder: Mapped[str] = mapped_column(String(64), default="")
    until: Mapped[datetime]
