"""When a campaign may write to somebody: a time on their wall, outside their quiet hours, right through clock changes.

Only the way from an instant to a wall is walked, which is one way; back it may be none, or two.  All instants are
aware; what is returned is UTC.  A zone's offset is taken to change at most once within a day.
"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.errors import Refused
from bot.services import zones

DAY = timedelta(days=1)


def starts_in(starts: str, zone: str) -> datetime:
    """The instant at which a wall in ``zone`` first shows ``starts`` (2026-11-25T09:00), or passes over it.

    Raises:
        Refused: no such time, at “starts”; no such zone, at “timezone”.
    """
    place = zones.named(zone)
    try:
        wall = datetime.fromisoformat(starts)
        if starts != wall.isoformat(timespec="minutes"):
            raise ValueError
        # Of a time that comes twice these are its two instants; of one left out, they lie around the gap.
        early, late = sorted(wall.replace(tzinfo=place, fold=fold).astimezone(UTC) for fold in (0, 1))
    except (ValueError, OverflowError):
        raise Refused("Give the start as a date and a time, such as 2026-11-25T09:00.", field="starts") from None
    return early if _wall(early, place) == wall else _clock_change(early, late, place)


def may_start(at: datetime, zone: str, quiet_from: str, quiet_until: str) -> datetime:
    """``at``, or the end of the quiet hours that it falls in."""
    return quiet_end(at, zone, quiet_from, quiet_until) or at


def quiet_end(at: datetime, zone: str, quiet_from: str, quiet_until: str) -> datetime | None:
    """When the quiet hours end that ``at`` falls in; None: it falls in none."""
    place, hours = zones.named(zone), _hours(quiet_from, quiet_until)
    return _next_turn(at, place, hours) if hours and _is_quiet(at, place, hours) else None


def quiet_begins(at: datetime, zone: str, quiet_from: str, quiet_until: str) -> datetime | None:
    """When quiet hours next begin, after ``at``; None: there are none."""
    place, hours = zones.named(zone), _hours(quiet_from, quiet_until)
    if not hours:
        return None
    if _is_quiet(at, place, hours):
        at = _next_turn(at, place, hours)
    return _next_turn(at, place, hours)


def _hours(quiet_from: str, quiet_until: str) -> tuple[timedelta, timedelta] | None:
    """Both as time since midnight, or None for no quiet hours.  Raises Refused at the one that is no time."""
    since = {"quiet_from": quiet_from, "quiet_until": quiet_until}
    if "" in since.values() or quiet_from == quiet_until:
        return None
    found = []
    for field, text in since.items():
        try:
            hour = time.fromisoformat(text)
            if text != hour.isoformat("minutes"):
                raise ValueError
            found.append(_since_midnight(hour))
        except ValueError:
            raise Refused("Give the hour such as 22:00.", field=field) from None
    return found[0], found[1]


def _is_quiet(at: datetime, zone: ZoneInfo, hours: tuple[timedelta, timedelta]) -> bool:
    begin, end = hours
    return (_since_midnight(_wall(at, zone)) - begin) % DAY < (end - begin) % DAY


def _next_turn(at: datetime, zone: ZoneInfo, hours: tuple[timedelta, timedelta]) -> datetime:
    """The first instant after ``at`` at which it becomes quiet, or no longer is."""
    quiet = _is_quiet(at, zone, hours)
    while True:
        now = _since_midnight(_wall(at, zone))
        due = (at + min((hour - now) % DAY or DAY for hour in hours)).astimezone(UTC)
        if due.astimezone(zone).utcoffset() == at.astimezone(zone).utcoffset():
            return due
        at = _clock_change(at, due, zone)
        if _is_quiet(at, zone, hours) != quiet:
            return at


def _clock_change(early: datetime, late: datetime, zone: ZoneInfo) -> datetime:
    """The second at which the zone's offset changes between two instants."""
    before, low, high = early.astimezone(zone).utcoffset(), int(early.timestamp()), int(late.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return datetime.fromtimestamp(high, UTC)


def _wall(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


def _since_midnight(wall: datetime | time) -> timedelta:
    return timedelta(hours=wall.hour, minutes=wall.minute, seconds=wall.second, microseconds=wall.microsecond)
