"""Times on walls, the slow way: what a wall shows at every minute, written down one after the other and looked up.

Only the way from an instant to a wall is asked of zoneinfo, which cannot be ambiguous.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

BEGIN = datetime(2026, 11, 20, tzinfo=UTC)  # no clock changes about then
MINUTES = 731 * 24 * 60


class Walls:
    """Of one zone, for two years: the minutes are counted from BEGIN."""

    def __init__(
        self, zone: str, begin: datetime = BEGIN, minutes: int = MINUTES, steps: tuple[int, ...] = (1440, 60, 1)
    ) -> None:
        self.zone, self.begin, self.minutes = zone, begin, minutes
        self._place, self._begin = ZoneInfo(zone), int(begin.timestamp())
        self.stretches = [(0, self._offset(0))]  # from this minute on a wall is ahead of UTC by so many
        self._note_changes(0, minutes, steps)

    def _note_changes(self, begin: int, end: int, steps: tuple[int, ...]) -> None:
        """Look every so many minutes, and more closely where the offset is another one."""
        for minute in range(begin + steps[0], end + 1, steps[0]):
            if (offset := self._offset(minute)) != self.stretches[-1][1]:
                if len(steps) == 1:
                    self.stretches.append((minute, offset))
                else:
                    self._note_changes(minute - steps[0], minute, steps[1:])

    def _offset(self, minute: int) -> int:
        offset = datetime.fromtimestamp(self._begin + minute * 60, self._place).utcoffset()
        assert offset is not None
        return round(offset.total_seconds() / 60)

    def instant(self, minute: int) -> datetime:
        return self.begin + timedelta(minutes=minute)

    @property
    def changes(self) -> list[int]:
        return [minute for minute, _ in self.stretches[1:]]

    def _runs(self) -> Iterator[tuple[int, int, int]]:
        ends = [*self.changes, self.minutes + 2000]
        yield from ((*stretch, end) for stretch, end in zip(self.stretches, ends, strict=True))

    def wall(self, minute: int) -> datetime:
        return self.instant(minute).astimezone(self._place).replace(tzinfo=None)

    def first_at(self, wall: datetime) -> int:
        """The first minute at which the wall shows ``wall``, or is past it."""
        wanted = round((wall - self.begin.replace(tzinfo=None)) / timedelta(minutes=1))
        return next(max(begin, wanted - offset) for begin, offset, end in self._runs() if wanted - offset < end)

    def quiet(self, quiet_from: str, quiet_until: str) -> bytes:
        """For each minute 1, where a follower wants to hear nothing, or 0."""
        start, stop = (int(text[:2]) * 60 + int(text[3:]) for text in (quiet_from, quiet_until))
        day, minute = bytearray(1440), start
        while minute != stop:
            day[minute] = 1
            minute = (minute + 1) % 1440
        days, midnight = bytes(day) * (self.minutes // 1440 + 5), (self.begin.hour * 60 + self.begin.minute)
        found = b""
        for begin, offset, end in self._runs():
            at = (midnight + begin + offset) % 1440
            found += days[at : at + end - begin]
        return found


def start_mistakes(schedule: Any, walls: Walls, starts: list[datetime]) -> list[str]:
    """Where a planned start is early or late; the starts ascend, and so must the instants, or one came twice."""
    found, last = [], None
    for wall in starts:
        text = wall.strftime("%Y-%m-%dT%H:%M")
        said, right = schedule.starts_in(text, walls.zone), walls.instant(walls.first_at(wall))
        if said != right:
            found.append(f"{walls.zone} {text} is {'early' if said < right else 'late'}: {said}, not {right}")
        if last is not None and said <= last:
            found.append(f"{walls.zone} {text} comes twice: {said}")
        last = said
    return found


def quiet_mistakes(schedule: Any, walls: Walls, hours: tuple[str, str], minutes: list[int]) -> list[str]:
    """Where something is sent in quiet hours, or held back outside them."""
    flags, found = walls.quiet(*hours), []
    for minute in minutes:
        at, free = walls.instant(minute), walls.instant(flags.index(0, minute))
        begins = walls.instant(flags.index(b"\0\1", minute) + 1)
        for name, right in (
            ("quiet_end", free if flags[minute] else None),
            ("may_start", free),
            ("quiet_begins", begins),
        ):
            if (said := getattr(schedule, name)(at, walls.zone, *hours)) != right:
                found.append(f"{walls.zone} {hours} {name}({at}) is {said}, not {right}")
    return found
