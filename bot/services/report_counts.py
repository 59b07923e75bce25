"""Days that are counted already: a year's report adds up what is kept, and counts only the days that changed since.

What is right of it the journal says: whatever is done to a conversation gives it a number of the journal's, in the
order of the commits.  A day none of whose conversations has a number above the reading's is as it was counted.  So
nothing is written when conversations change, and a report never shows an old number.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from bot.services import journal, report_numbers
from bot.services.report_numbers import Numbers
from models import Account, Conversation, CountedBy, JournalHead, Label, ReportCount, ReportReading, affected

SUMS = [
    func.sum(each)
    for each in (
        ReportCount.opened,
        ReportCount.replied,
        ReportCount.closed,
        ReportCount.reply_seconds,
        ReportCount.open_seconds,
    )
]


class Turn(NamedTuple):
    """One counting: up to which number of the journal, and what to count."""

    number: int
    seq: int
    changed: list[date]
    never: list[date]  # counted, the newest first


# Whoever looks -------------------------------------------------------------------------------------------------------


def changed_days(session: Session, account: Account, first: date, last: date) -> list[date]:
    """The days of a period that must be counted, those without any conversation perhaps among them."""
    every = [first + timedelta(number) for number in range((last - first).days + 1)]
    reading = _reading(session, account)
    if reading is None:
        return every
    changed = set(_days(session, account, Conversation.seq > reading.seq))  # there is an index of these numbers
    return [day for day in every if day in changed or (reading.since is not None and day < reading.since)]


class Kept:
    """What is kept of a period but for some days; ``label``: of those with this label only."""

    def __init__(
        self, session: Session, account: Account, first: date, last: date, but: Sequence[date], label: int | None
    ) -> None:
        self._session = session
        self._which: list[ColumnElement[bool]] = [
            ReportCount.account_id == account.id,
            ReportCount.label_id == (label or 0),
            ReportCount.day.between(first, last),
        ]
        if but:
            self._which.append(ReportCount.day.not_in(but))

    def by_hour(self) -> Iterator[tuple[date, int, Numbers]]:
        for day, hour, *row in self._sums(CountedBy.HOUR, ReportCount.day, ReportCount.key):
            yield day, hour, report_numbers.of_row(row)

    def by_key(self, counted_by: CountedBy) -> Iterator[tuple[int, Numbers]]:
        for key, *row in self._sums(counted_by, ReportCount.key):
            yield key, report_numbers.of_row(row)

    def _sums(self, counted_by: CountedBy, *keys: Any) -> Iterator[Any]:
        query = select(*keys, *SUMS).where(*self._which, ReportCount.counted_by == counted_by).group_by(*keys)
        yield from self._session.execute(query)


# Whoever counts ------------------------------------------------------------------------------------------------------


def behind(session: Session) -> list[int]:
    """Ids of accounts in which something was done since they were counted."""
    query = (
        select(Account.id)
        .join(JournalHead, JournalHead.account_id == Account.id)
        .outerjoin(ReportReading, ReportReading.account_id == Account.id)
        .where(
            or_(
                ReportReading.id.is_(None),
                ReportReading.seq < JournalHead.last,
                ReportReading.since.is_not(None),
                ReportReading.zone != Account.timezone,
            )
        )
    )
    return list(session.scalars(query))


def begin(session: Session, account: Account) -> Turn:
    """Take the turn from whoever has it; their next ``keep`` is refused."""
    seq = journal.last(session, account.id)  # first: what comes after it is counted twice rather than not at all
    reading = _reading(session, account, is_held=True)
    if reading is None:
        session.execute(delete(ReportCount).where(ReportCount.account_id == account.id))
        session.execute(delete(ReportReading).where(ReportReading.account_id == account.id))
        reading = ReportReading(account_id=account.id, zone=account.timezone, seq=seq, since=date.max)
        session.add(reading)
    reading.turn = (reading.turn or 0) + 1
    session.flush()
    changed, never, since = _days(session, account, Conversation.seq > reading.seq), [], reading.since
    if since is not None:
        changed = [day for day in changed if day >= since]
        never = [day for day in reversed(_days(session, account)) if day < since]
    return Turn(reading.turn, seq, changed, never)


def count(session: Session, account: Account, day: date) -> list[dict[str, Any]]:
    """A day's rows."""
    which, zone = [Conversation.account_id == account.id, *opened_on([day], account)], ZoneInfo(account.timezone)
    labels = dict(report_numbers.by_label(session, which))
    rows = [_row(CountedBy.LABEL, 0, day, key, numbers) for key, numbers in labels.items()]
    for label in (0, *labels):
        some = [*which, report_numbers.labelled(label)] if label else which
        hours: dict[int, Numbers] = {}
        for _day, hour, numbers in report_numbers.by_hour(session, zone, some):
            hours.setdefault(hour, Numbers()).add(numbers)
        rows += [_row(CountedBy.HOUR, label, day, hour, numbers) for hour, numbers in hours.items()]
        people = report_numbers.by_person(session, some)
        rows += [_row(CountedBy.PERSON, label, day, person, numbers) for person, numbers in people]
    return [{"account_id": account.id, **row} for row in rows]


def keep(session: Session, account_id: int, turn: Turn, day: date, rows: list[dict[str, Any]]) -> bool:
    """In place of what was kept of that day; False: somebody else's turn has begun."""
    if not _is_ours(session, account_id, turn, {"turn": turn.number}):
        return False
    session.execute(delete(ReportCount).where(ReportCount.account_id == account_id, ReportCount.day == day))
    if rows:
        session.execute(insert(ReportCount), rows)
    return True


def went_on(session: Session, account_id: int, turn: Turn, **values: int | date | None) -> bool:
    """All that changed is kept (``seq``), or all from a day on (``since``)."""
    return _is_ours(session, account_id, turn, values)


def forget_label(session: Session, label: Label) -> None:
    """It is deleted, and SQLite may give its number to the next one."""
    its = (ReportCount.counted_by == CountedBy.LABEL) & (ReportCount.key == label.id)
    of_account = ReportCount.account_id == label.account_id
    session.execute(delete(ReportCount).where(of_account, its | (ReportCount.label_id == label.id)))


def opened_on(days: Sequence[date], account: Account) -> list[ColumnElement[bool]]:
    """Condition on conversations; of neighbouring days one span."""
    spans: list[list[date]] = []
    for day in sorted(days):
        if spans and (day - spans[-1][1]).days == 1:
            spans[-1][1] = day
        else:
            spans.append([day, day])
    return [or_(*(between(account, first, last) for first, last in spans))]


def between(account: Account, first: date, last: date) -> ColumnElement[bool]:
    """Condition on conversations: opened on one of these days, in the account's zone."""
    zone = ZoneInfo(account.timezone)
    begins, ends = (datetime.combine(day, time(), zone).astimezone(UTC) for day in (first, last + timedelta(1)))
    return (Conversation.opened_at >= begins) & (Conversation.opened_at < ends)


def _reading(session: Session, account: Account, *, is_held: bool = False) -> ReportReading | None:
    """None: nothing is counted yet, or in another zone."""
    query = select(ReportReading).where(ReportReading.account_id == account.id, ReportReading.zone == account.timezone)
    return session.scalar(query.with_for_update() if is_held else query)


def _days(session: Session, account: Account, *which: ColumnElement[bool]) -> list[date]:
    """On which some conversation was opened, oldest first."""
    which = (Conversation.account_id == account.id, *which)
    return sorted({day for day, _hour, _numbers in report_numbers.by_hour(session, ZoneInfo(account.timezone), which)})


def _is_ours(session: Session, account_id: int, turn: Turn, values: dict[str, Any]) -> bool:
    ours = update(ReportReading).where(ReportReading.account_id == account_id, ReportReading.turn == turn.number)
    return affected(session.execute(ours.values(values))) == 1


def _row(counted_by: CountedBy, label: int, day: date, key: int, numbers: Numbers) -> dict[str, Any]:
    return {"counted_by": counted_by, "label_id": label, "day": day, "key": key, **asdict(numbers)}
