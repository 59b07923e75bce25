"""What came of an account's conversations in a period; every number has the list of conversations it counts.

A conversation belongs to the day, and the hour, in which it was opened, in the account's own zone; to the person who
has it, or had it last; and to each of its labels.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Integer, and_, cast, extract, false, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from bot.errors import Refused
from models import Account, Conversation, ConversationLabel, Label, Operator

LONGEST = 366  # days
QUARTER = 900  # seconds: every zone is a whole number of them from UTC


class Part(StrEnum):
    """Which of the conversations opened in the period."""

    OPENED = "opened"
    REPLIED = "replied"
    UNREPLIED = "unreplied"
    CLOSED = "closed"
    OPEN = "open"  # still


@dataclass(slots=True)
class Numbers:
    opened: int = 0
    replied: int = 0
    closed: int = 0
    reply_seconds: float = 0  # of all that were replied to, together
    open_seconds: float = 0  # of all that are closed, together

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

    def add(self, row: Sequence[Any]) -> None:
        opened, replied, closed, reply_seconds, open_seconds = row
        self.opened, self.replied, self.closed = self.opened + opened, self.replied + replied, self.closed + closed
        self.reply_seconds += float(reply_seconds or 0)
        self.open_seconds += float(open_seconds or 0)


@dataclass(slots=True)
class Report:
    total: Numbers = field(default_factory=Numbers)
    days: dict[date, Numbers] = field(default_factory=dict)  # each of the period
    hours: dict[int, Numbers] = field(default_factory=dict)  # of the day, 0 to 23
    people: list[tuple[int | None, str, Numbers]] = field(default_factory=list)  # most first; None: nobody has it
    labels: list[tuple[int, str, Numbers]] = field(default_factory=list)


def report(session: Session, account: Account, first: date, last: date, label: int | None = None) -> Report:
    """Of the conversations opened from the first day to the last; of one label only, if it is given.

    Raises:
        Refused: no period, or one of more than a year.
    """
    zone, within = ZoneInfo(account.timezone), _within(account, first, last)
    if label is not None:
        within += (_labelled(label),)
    found = Report(
        days={first + timedelta(number): Numbers() for number in range((last - first).days + 1)},
        hours={hour: Numbers() for hour in range(24)},
    )
    counted = _counted(session)
    quarter = cast(_seconds(session, Conversation.opened_at) / QUARTER, Integer).label("quarter")
    if session.get_bind().dialect.name == "postgresql":  # its cast rounds
        quarter = cast(func.floor(_seconds(session, Conversation.opened_at) / QUARTER), Integer).label("quarter")
    for number, *row in session.execute(select(quarter, *counted).where(*within).group_by(quarter)):
        local = datetime.fromtimestamp(number * QUARTER, zone)
        for numbers in (found.total, found.days[local.date()], found.hours[local.hour]):
            numbers.add(row)

    who = Conversation.assignee_id
    names: dict[int, str] = {row.id: row.name for row in session.execute(select(Operator.id, Operator.name))}
    for person, *row in session.execute(select(who, *counted).where(*within).group_by(who)):
        found.people.append((person, names.get(person, ""), _numbers(row)))
    found.people.sort(key=lambda each: (-each[2].opened, each[1]))

    labelled = (
        select(Label.id, Label.name, *counted)
        .join(ConversationLabel, ConversationLabel.label_id == Label.id)
        .join(Conversation, Conversation.id == ConversationLabel.conversation_id)
        .where(Label.account_id == account.id, *within)
        .group_by(Label.id, Label.name)
    )
    if label is not None:
        labelled = labelled.where(Label.id == label)
    found.labels = [(each, name, _numbers(row)) for each, name, *row in session.execute(labelled)]
    found.labels.sort(key=lambda each: (-each[2].opened, each[1]))
    return found


@dataclass(frozen=True, slots=True)
class Slice:
    """What one number of a report counts."""

    part: Part = Part.OPENED
    day: date | None = None
    hour: int | None = None
    person: int | None = None  # an operator's id; 0: nobody
    label: int | None = None


def behind(
    session: Session,
    account: Account,
    first: date,
    last: date,
    what: Slice,
    *,
    before: int | None = None,
    limit: int = 50,
) -> Sequence[Conversation]:
    """The conversations that one number counts, newest first; ``before`` is the last id of the page before."""
    query = select(Conversation).where(*_within(account, first, last), _of(what.part))
    if what.day is not None:
        query = query.where(*_within(account, what.day, what.day))
    if what.hour is not None:
        query = query.where(_in_hour(account, first, last, what.hour))
    if what.person is not None:
        query = query.where(
            Conversation.assignee_id.is_(None) if what.person == 0 else Conversation.assignee_id == what.person
        )
    if what.label is not None:
        query = query.where(_labelled(what.label))
    if before is not None:
        query = query.where(Conversation.id < before)
    loaded = joinedload(Conversation.follower), joinedload(Conversation.assignee), selectinload(Conversation.labels)
    return session.scalars(query.options(*loaded).order_by(Conversation.id.desc()).limit(limit)).all()


def _numbers(row: Sequence[Any]) -> Numbers:
    numbers = Numbers()
    numbers.add(row)
    return numbers


def _labelled(label: int) -> ColumnElement[bool]:
    labelled = select(ConversationLabel.conversation_id).where(ConversationLabel.label_id == label)
    return Conversation.id.in_(labelled)


def _of(part: Part) -> ColumnElement[bool]:
    return {
        Part.OPENED: Conversation.id.is_not(None),
        Part.REPLIED: Conversation.first_replied_at.is_not(None),
        Part.UNREPLIED: Conversation.first_replied_at.is_(None),
        Part.CLOSED: Conversation.closed_at.is_not(None),
        Part.OPEN: Conversation.closed_at.is_(None),
    }[part]


def _within(account: Account, first: date, last: date) -> tuple[ColumnElement[bool], ...]:
    if not 0 <= (last - first).days < LONGEST:
        raise Refused("Choose a period of 1 to 366 days.", field="until")
    zone = ZoneInfo(account.timezone)
    begin, end = datetime.combine(first, time(), zone), datetime.combine(last + timedelta(1), time(), zone)
    return Conversation.account_id == account.id, Conversation.opened_at >= begin, Conversation.opened_at < end


def _in_hour(account: Account, first: date, last: date, hour: int) -> ColumnElement[bool]:
    """An hour of the wall's clock on each day, which on some days comes twice or not at all."""
    spans = [
        and_(Conversation.opened_at >= begin, Conversation.opened_at < end)
        for begin, end in _joined(_quarters(ZoneInfo(account.timezone), first, last, hour))
    ]
    return or_(*spans) if spans else false()


def _quarters(zone: ZoneInfo, first: date, last: date, hour: int) -> Iterator[datetime]:
    begin = int(datetime.combine(first, time(), zone).timestamp())
    end = int(datetime.combine(last + timedelta(1), time(), zone).timestamp())
    for at in range(begin, end, QUARTER):
        local = datetime.fromtimestamp(at, zone)
        if local.hour == hour:
            yield local


def _joined(quarters: Iterable[datetime]) -> Iterator[tuple[datetime, datetime]]:
    begin = end = None
    step = timedelta(seconds=QUARTER)
    for at in quarters:
        stamp = datetime.fromtimestamp(at.timestamp(), ZoneInfo("UTC"))
        if stamp != end:
            if begin is not None and end is not None:
                yield begin, end
            begin = stamp
        end = stamp + step
    if begin is not None and end is not None:
        yield begin, end


def _counted(session: Session) -> tuple[ColumnElement[Any], ...]:
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
    """Since 1970."""
    if session.get_bind().dialect.name == "sqlite":
        return func.unixepoch(at)
    return extract("epoch", at)
