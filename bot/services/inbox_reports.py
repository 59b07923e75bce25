"""What came of an account's conversations in a period; every number has the list of conversations it counts.

A conversation belongs to the day, and the hour, in which it was opened, in the account's own zone; to the person who
has it, or had it last; and to each of its labels.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import chain
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from bot.errors import Refused
from bot.services import report_counts, report_numbers
from bot.services.report_numbers import QUARTER, Numbers
from models import Account, Conversation, CountedBy, Label, Operator

LONGEST = 366  # days


class Part(StrEnum):
    """Which of the conversations opened in the period."""

    OPENED = "opened"
    REPLIED = "replied"
    UNREPLIED = "unreplied"
    CLOSED = "closed"
    OPEN = "open"  # still


@dataclass(slots=True)
class Report:
    total: Numbers = field(default_factory=Numbers)
    days: dict[date, Numbers] = field(default_factory=dict)  # each of the period
    hours: dict[int, Numbers] = field(default_factory=dict)  # of the day, 0 to 23
    people: list[tuple[int | None, str, Numbers]] = field(default_factory=list)  # most first; None: nobody has it
    labels: list[tuple[int, str, Numbers]] = field(default_factory=list)


def report(session: Session, account: Account, first: date, last: date, label: int | None = None) -> Report:
    """Of the conversations opened from the first day to the last; of one label only, if it is given.

    Days that are kept are added up, those that changed since are counted; in one snapshot the two fit together.

    Raises:
        Refused: no period, or one of more than a year.
    """
    which = list(_within(account, first, last))
    found = Report(
        days={first + timedelta(number): Numbers() for number in range((last - first).days + 1)},
        hours={hour: Numbers() for hour in range(24)},
    )
    days = report_counts.changed_days(session, account, first, last)
    kept = report_counts.Kept(session, account, first, last, days, label)
    which += report_counts.opened_on(days, account) if days else [false()]
    if label is not None:
        which.append(report_numbers.labelled(label))

    counted = report_numbers.by_hour(session, ZoneInfo(account.timezone), which)
    for day, hour, numbers in chain(kept.by_hour(), counted):
        for sum_ in (found.total, found.days[day], found.hours[hour]):
            sum_.add(numbers)

    people = _added(chain(kept.by_key(CountedBy.PERSON), report_numbers.by_person(session, which)))
    names = {row.id: row.name for row in session.execute(select(Operator.id, Operator.name))}
    found.people = [(person or None, names.get(person, ""), numbers) for person, numbers in people.items()]
    found.people.sort(key=lambda each: (-each[2].opened, each[1]))

    known = {row.id: row.name for row in session.execute(select(Label.id, Label.name).filter_by(account_id=account.id))}
    if label is None:
        labels = _added(chain(kept.by_key(CountedBy.LABEL), report_numbers.by_label(session, which)))
    else:
        labels = {label: found.total} if found.total.opened else {}
    found.labels = [(each, known[each], numbers) for each, numbers in labels.items() if each in known]
    found.labels.sort(key=lambda each: (-each[2].opened, each[1]))
    return found


def _added(counts: Iterable[tuple[int, Numbers]]) -> dict[int, Numbers]:
    sums: dict[int, Numbers] = {}
    for key, numbers in counts:
        sums.setdefault(key, Numbers()).add(numbers)
    return sums


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
        query = query.where(report_numbers.labelled(what.label))
    if before is not None:
        query = query.where(Conversation.id < before)
    loaded = joinedload(Conversation.follower), joinedload(Conversation.assignee), selectinload(Conversation.labels)
    return session.scalars(query.options(*loaded).order_by(Conversation.id.desc()).limit(limit)).all()


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
    return Conversation.account_id == account.id, report_counts.between(account, first, last)


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
