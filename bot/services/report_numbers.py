"""Counts conversations as they are now: how many, and how long they took; by hour, person and label."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Integer, cast, extract, func, select
from sqlalchemy.orm import Session

from models import Conversation, ConversationLabel

QUARTER = 900  # seconds: every zone is a whole number of them from UTC

Which = Sequence[ColumnElement[bool]]


@dataclass(slots=True)
class Numbers:
    opened: int = 0
    replied: int = 0
    closed: int = 0
    reply_seconds: int = 0  # of all that were replied to, together
    open_seconds: int = 0  # of all that are closed, together

    @property
    def unreplied(self) -> int:
        return self.opened - self.replied

    @property
    def open(self) -> int:
        return self.opened - self.closed

    @property
    def first_reply(self) -> timedelta | None:
        """On average."""
        return timedelta(seconds=round(self.reply_seconds / self.replied)) if self.replied else None

    @property
    def resolution(self) -> timedelta | None:
        return timedelta(seconds=round(self.open_seconds / self.closed)) if self.closed else None

    def add(self, more: "Numbers") -> None:
        self.opened, self.replied, self.closed = (
            self.opened + more.opened,
            self.replied + more.replied,
            self.closed + more.closed,
        )
        self.reply_seconds += more.reply_seconds
        self.open_seconds += more.open_seconds


def of_row(row: Sequence[Any]) -> Numbers:
    """From five columns; a sum of nothing is None."""
    return Numbers(*(int(value or 0) for value in row))


def by_hour(session: Session, zone: ZoneInfo, which: Which) -> Iterator[tuple[date, int, Numbers]]:
    """Each quarter of an hour for itself."""
    seconds = _seconds(session, Conversation.opened_at) / QUARTER
    if session.get_bind().dialect.name == "postgresql":  # its cast rounds
        seconds = func.floor(seconds)
    quarter = cast(seconds, Integer).label("quarter")
    for number, *row in session.execute(select(quarter, *_counted(session)).where(*which).group_by(quarter)):
        local = datetime.fromtimestamp(number * QUARTER, zone)
        yield local.date(), local.hour, of_row(row)


def by_person(session: Session, which: Which) -> Iterator[tuple[int, Numbers]]:
    """Operator → numbers; 0: nobody has them."""
    who = func.coalesce(Conversation.assignee_id, 0)
    for person, *row in session.execute(select(who, *_counted(session)).where(*which).group_by(who)):
        yield person, of_row(row)


def by_label(session: Session, which: Which) -> Iterator[tuple[int, Numbers]]:
    label = ConversationLabel.label_id
    joined = select(label, *_counted(session)).join(Conversation, Conversation.id == ConversationLabel.conversation_id)
    for each, *row in session.execute(joined.where(*which).group_by(label)):
        yield each, of_row(row)


def labelled(label: int) -> ColumnElement[bool]:
    having = select(ConversationLabel.conversation_id).where(ConversationLabel.label_id == label)
    return Conversation.id.in_(having)


def _counted(session: Session) -> tuple[ColumnElement[Any], ...]:
    """In the order of ``Numbers``; times in whole seconds, so that sums are the same in any order."""

    def between(earlier: Any, later: Any) -> ColumnElement[Any]:
        return func.sum(_seconds(session, later) - _seconds(session, earlier))

    return (
        func.count(),
        func.count(Conversation.first_replied_at),
        func.count(Conversation.closed_at),
        between(Conversation.opened_at, Conversation.first_replied_at),
        between(Conversation.opened_at, Conversation.closed_at),
    )


def _seconds(session: Session, at: Any) -> ColumnElement[Any]:
    """Since 1970, whole ones."""
    if session.get_bind().dialect.name == "sqlite":
        return func.unixepoch(at)
    return func.floor(extract("epoch", at))
