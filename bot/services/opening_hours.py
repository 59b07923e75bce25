"""When an account's people are there: weekly hours, holidays, and days worked instead; in the account's own zone.

    {"days": {"mon": [["09:00", "12:00"], ["13:30", "18:00"]], …},
     "holidays": ["2026-10-01", …],
     "workdays": {"2026-10-10": [["09:00", "18:00"]], …}}

A day that is not there is closed; {} is always open.  A time is what the clock on the wall shows, also when it is put
forward or back; "24:00" is the end of a day.
"""

import itertools
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.errors import Refused

Hours = dict[str, Any]
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
AHEAD = 400  # days that are looked through for the next opening
MOST = 400  # holidays, or workdays
SPANS = 6  # of one day
_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00")
_SPAN = re.compile(r"\s*(\d{1,2}:\d\d)\s*[-–—~]\s*(\d{1,2}:\d\d)\s*")


def is_open(hours: Hours, zone: ZoneInfo, now: datetime) -> bool:
    if not hours:
        return True
    local = now.astimezone(zone)
    at = local.strftime("%H:%M")
    return any(start <= at < end for start, end in _on(hours, local.date()))


def opens_next(hours: Hours, zone: ZoneInfo, now: datetime) -> datetime | None:
    """The first moment from now on that is open, in UTC; None: there is none within 400 days."""
    if is_open(hours, zone, now):
        return now
    today = now.astimezone(zone).date()
    for number in range(AHEAD):
        found = [at for at in _beginnings(hours, zone, today + timedelta(number)) if at > now]
        if begin := min((at for at in found if is_open(hours, zone, at)), default=None):
            return begin
    return None


def words(at: datetime | None, zone: ZoneInfo, now: datetime) -> str:
    """For a follower: "09:00" when it is today, else "11-26 09:00"; "" when it is never."""
    if at is None:
        return ""
    local = at.astimezone(zone)
    return local.strftime("%H:%M" if local.date() == now.astimezone(zone).date() else "%m-%d %H:%M")


def checked(value: Any) -> Hours:
    """The same, in order.

    Raises:
        Refused: it has another shape, or hours that are none.
    """
    if value in (None, {}):
        return {}
    if not isinstance(value, dict) or not set(value) <= {"days", "holidays", "workdays"}:
        raise Refused("Opening hours have “days”, “holidays” and “workdays”.", field="opening_hours")
    days: Any = value.get("days") or {}
    holidays: Any = value.get("holidays") or []
    workdays: Any = value.get("workdays") or {}
    if not isinstance(days, dict) or not set(days) <= set(DAYS):
        raise Refused("A day is one of mon, tue, wed, thu, fri, sat, sun.", field="opening_hours")
    if not isinstance(holidays, list) or not isinstance(workdays, dict) or max(len(holidays), len(workdays)) > MOST:
        raise Refused("Give at most 400 dates such as 2026-10-01.", field="opening_hours")
    if not days and not workdays:
        raise Refused("Give hours for at least one day.", field="opening_hours")
    return {
        "days": {day: spans for day in DAYS if (spans := _spans(days.get(day) or [], "opening_hours"))},
        "holidays": sorted({read_date(day, "opening_hours") for day in holidays}),
        "workdays": {
            read_date(day, "opening_hours"): _spans(spans, "opening_hours") for day, spans in sorted(workdays.items())
        },
    }


def read_spans(text: str, field: str) -> list[list[str]]:
    """ "9:00-12:00, 13:30-18:00" as spans; "" is closed."""
    found = []
    for part in re.split(r"[,，;；、]", text):
        if not part.strip():
            continue
        if not (match := _SPAN.fullmatch(part.replace("：", ":"))):
            raise Refused("Write hours as 09:00-18:00, several with a comma between them.", field=field)
        found.append([each.zfill(5) for each in match.groups()])
    return _spans(found, field)


def read_date(text: Any, field: str) -> str:
    try:
        return date.fromisoformat(str(text).strip()).isoformat()
    except ValueError:
        raise Refused("“{value}” is not a date such as 2026-10-01.", field=field, value=str(text)[:20]) from None


def shown_spans(spans: list[list[str]]) -> str:
    return ", ".join("-".join(span) for span in spans)


def _spans(value: Any, field: str) -> list[list[str]]:
    is_shape = isinstance(value, list) and all(isinstance(each, list | tuple) and len(each) == 2 for each in value)
    if not is_shape or not all(isinstance(at, str) and _TIME.fullmatch(at) for each in value for at in each):
        raise Refused("Write hours as 09:00-18:00, several with a comma between them.", field=field)
    found = sorted([start, end] for start, end in value)
    if len(found) > SPANS or any(start >= end for start, end in found):
        raise Refused(
            "Hours end after they begin, on the same day: 22:00-24:00 and, the next day, 00:00-02:00.", field=field
        )
    if any(before[1] > after[0] for before, after in itertools.pairwise(found)):
        raise Refused("Two of these hours overlap.", field=field)
    return found


def _on(hours: Hours, day: date) -> list[list[str]]:
    named = day.isoformat()
    workdays: dict[str, list[list[str]]] = hours.get("workdays", {})
    if named in workdays:
        return workdays[named]
    if named in hours.get("holidays", ()):
        return []
    days: dict[str, list[list[str]]] = hours.get("days", {})
    return days.get(DAYS[day.weekday()], [])


def _beginnings(hours: Hours, zone: ZoneInfo, day: date) -> Iterator[datetime]:
    """When hours of a day may begin: as written, a second time when the clock is put back, or with its jump."""
    spans = _on(hours, day)
    for start, _end in spans:
        wall = datetime.combine(day, time.fromisoformat(start), zone)
        yield from (wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    midnight = datetime.combine(day, time(), zone).astimezone(UTC) - timedelta(hours=3)
    end = midnight + timedelta(hours=30)
    if spans and _offset(midnight, zone) != _offset(end, zone):
        while end - midnight > timedelta(seconds=1):
            middle = midnight + (end - midnight) / 2
            if _offset(middle, zone) == _offset(midnight, zone):
                midnight = middle
            else:
                end = middle
        jump = end.replace(microsecond=0)
        if jump.astimezone(zone).date() == day:  # the next day's hours are the next day's
            yield jump


def _offset(at: datetime, zone: ZoneInfo) -> timedelta | None:
    return at.astimezone(zone).utcoffset()
