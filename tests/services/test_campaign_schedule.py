import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest

from bot.errors import Refused
from bot.services import campaign_schedule as schedule
from tests.services.schedule_oracle import BEGIN, MINUTES, Walls, quiet_mistakes, start_mistakes

HOURS = [("22:00", "08:00"), ("01:30", "02:30"), ("12:00", "14:00")]
MORE_HOURS = [*HOURS, ("00:00", "03:00"), ("02:45", "02:15"), ("23:59", "00:00"), ("03:00", "23:30")]


@cache
def kinds() -> list[Walls]:
    """All zones of the world, but of those that go alike only the first."""
    found: dict[Any, Walls] = {}
    for zone in sorted(available_timezones()):
        walls = Walls(zone)
        found.setdefault(tuple(walls.stretches), walls)
    return list(found.values())


def around_changes(walls: Walls, seed: int = 1) -> list[int]:
    chance = random.Random(seed)
    near = [change + shift for change in walls.changes for shift in (-1441, -600, -61, -1, 0, 1, 29, 61, 500)]
    return [minute for minute in near if 0 <= minute < MINUTES] + [chance.randrange(MINUTES) for _ in range(5)]


def starts_around_changes(walls: Walls) -> list[datetime]:
    """Within and beside what a change leaves out or shows again."""
    days = {walls.wall(change + shift).replace(hour=0, minute=0) for change in walls.changes for shift in (-200, 200)}
    times = [timedelta(minutes=minutes) for minutes in range(0, 300, 15)]
    return [day + time for day in sorted(days) for time in times]


def all_mistakes(code: Any, zones: list[Walls]) -> list[str]:
    found = []
    for walls in zones:
        wanted = starts_around_changes(walls)
        found += [
            text for text in start_mistakes(code, walls, wanted) if "comes twice" not in text
        ]  # all in a gap: one
        for hours in HOURS:
            found += quiet_mistakes(code, walls, hours, around_changes(walls))
    return found


def test_keeps_to_the_wall_in_every_zone_around_each_change_of_the_clock():
    zones = kinds()
    assert len(zones) > 60
    assert sum(len(walls.changes) for walls in zones) > 100
    assert all_mistakes(schedule, zones) == []


@pytest.mark.campaign
@pytest.mark.timeout(10_000)
def test_keeps_to_the_wall_in_every_zone_every_day_for_two_years(capsys):
    starts = instants = sends = 0
    for zone in sorted(available_timezones()):
        walls = Walls(zone, steps=(15, 1))
        assert all_mistakes(schedule, [walls]) == []
        for time in ("00:00", "01:30", "02:30", "09:00", "23:45"):
            days = [BEGIN.replace(tzinfo=None) + timedelta(days=2 + day) for day in range(728)]
            daily = [day.replace(hour=int(time[:2]), minute=int(time[3:])) for day in days]
            assert start_mistakes(schedule, walls, daily) == []
            starts += len(daily)
        for hours in MORE_HOURS:
            flags, minute = walls.quiet(*hours), 0
            while minute < MINUTES - 3000:  # a campaign that sends each minute it may, for two years
                begin = schedule.may_start(walls.instant(minute), zone, *hours)
                end = schedule.quiet_begins(begin, zone, *hours)
                first, minute = (round((at - BEGIN) / timedelta(minutes=1)) for at in (begin, end))
                assert 1 not in flags[first:minute], f"{zone} {hours}: sent in quiet hours after {begin}"
                assert flags[minute], f"{zone} {hours}: held back at {end}"
                assert first == 0 or flags[first - 1], f"{zone} {hours}: began late, at {begin}"
                instants, sends = instants + 2, sends + minute - first
    with capsys.disabled():
        print(f"\n{len(available_timezones())} zones, {starts} starts, {instants} turns, {sends} minutes of sending")


# Faults planted: the oracle must find each ------------------------------------------------------------------------


def second_of_two(starts: str, zone: str) -> datetime:
    return datetime.fromisoformat(starts).replace(tzinfo=ZoneInfo(zone), fold=1).astimezone(UTC)


def gap_left_to_python(starts: str, zone: str) -> datetime:
    return datetime.fromisoformat(starts).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def todays_offset(starts: str, zone: str) -> datetime:
    return datetime.fromisoformat(starts).replace(tzinfo=UTC) - BEGIN.astimezone(ZoneInfo(zone)).utcoffset()


def end_by_adding_hours(at: datetime, zone: str, begin: str, end: str) -> datetime | None:
    """As if the night had no clock change in it."""
    if schedule.quiet_end(at, zone, begin, end) is None:
        return None
    local = at.astimezone(ZoneInfo(zone))
    minutes = (int(end[:2]) * 60 + int(end[3:]) - local.hour * 60 - local.minute) % 1440
    return at + timedelta(minutes=minutes)


def end_on_the_wall(at: datetime, zone: str, begin: str, end: str) -> datetime | None:
    """As the wall would say it, whichever of two it means."""
    if schedule.quiet_end(at, zone, begin, end) is None:
        return None
    local = at.astimezone(ZoneInfo(zone))
    then = local.replace(hour=int(end[:2]), minute=int(end[3:]))
    return (then if then > local else then + timedelta(days=1)).astimezone(UTC)


def no_wrap(at: datetime, zone: str, begin: str, end: str) -> datetime | None:
    local = at.astimezone(ZoneInfo(zone)).strftime("%H:%M")
    return schedule.quiet_end(at, zone, begin, end) if begin <= local < end else None


def until_counts(at: datetime, zone: str, begin: str, end: str) -> datetime | None:
    found = schedule.quiet_end(at, zone, begin, end)
    return found and found + timedelta(minutes=1)


def next_day_always(at: datetime, zone: str, begin: str, end: str) -> datetime | None:
    found = schedule.quiet_begins(at, zone, begin, end)
    return found and schedule.quiet_begins(at + timedelta(days=1), zone, begin, end)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("starts_in", second_of_two),
        ("starts_in", gap_left_to_python),
        ("starts_in", todays_offset),
        ("quiet_end", end_by_adding_hours),
        ("quiet_end", end_on_the_wall),
        ("quiet_end", no_wrap),
        ("quiet_end", until_counts),
        ("may_start", lambda at, *_: at),
        ("quiet_begins", lambda at, *hours: schedule.quiet_end(at, *hours) or at),
        ("quiet_begins", next_day_always),
    ],
)
def test_finds_a_planted_fault(name: str, fault: Callable[..., Any]):
    broken = SimpleNamespace(**{**vars(schedule), name: fault})
    zones = [Walls(zone) for zone in ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")]
    assert all_mistakes(schedule, zones) == []
    assert all_mistakes(broken, zones)


# Single cases, worked out by hand ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("starts", "zone", "expected"),
    [
        ("2026-11-25T09:00", "Asia/Shanghai", "2026-11-25T01:00"),
        ("2026-11-25T09:00", "Asia/Kathmandu", "2026-11-25T03:15"),
        ("2026-03-29T02:30", "Europe/Berlin", "2026-03-29T01:00"),  # left out
        ("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30"),  # comes twice
        ("2026-10-04T02:15", "Australia/Lord_Howe", "2026-10-03T15:30"),  # half an hour left out
        ("2011-12-30T09:00", "Pacific/Apia", "2011-12-30T10:00"),  # a whole day left out
    ],
)
def test_a_wall_time_is_one_instant(starts: str, zone: str, expected: str):
    assert schedule.starts_in(starts, zone) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_quiet_hours_go_on_over_a_day_that_a_zone_left_out():
    walls = Walls("Pacific/Apia", datetime(2011, 12, 25, tzinfo=UTC), 10 * 1440)
    assert walls.changes == [5 * 1440 + 600]
    for hours in MORE_HOURS:
        assert quiet_mistakes(schedule, walls, hours, list(range(0, 9 * 1440, 41))) == []
    before = [datetime.fromisoformat(f"2011-12-{day}T09:00") for day in (28, 29, 31)]
    assert start_mistakes(schedule, walls, before) == []


@pytest.mark.parametrize("hours", [("", ""), ("22:00", ""), ("", "08:00"), ("08:00", "08:00")])
def test_without_quiet_hours_anything_may_go_at_once(hours: tuple[str, str]):
    assert schedule.quiet_end(BEGIN, "Asia/Shanghai", *hours) is None
    assert schedule.quiet_begins(BEGIN, "Asia/Shanghai", *hours) is None
    assert schedule.may_start(BEGIN, "Asia/Shanghai", *hours) == BEGIN


def test_counts_seconds_too():
    last = datetime(2026, 11, 24, 23, 59, 59, 999999, tzinfo=UTC)  # 07:59:59.999999 in Shanghai
    assert schedule.quiet_end(last, "Asia/Shanghai", "22:00", "08:00") == datetime(2026, 11, 25, tzinfo=UTC)
    assert schedule.quiet_end(last + timedelta(microseconds=1), "Asia/Shanghai", "22:00", "08:00") is None


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: schedule.starts_in("tomorrow", "Asia/Shanghai"), "starts"),
        (lambda: schedule.starts_in("", "Asia/Shanghai"), "starts"),
        (lambda: schedule.starts_in("2026-11-25", "Asia/Shanghai"), "starts"),
        (lambda: schedule.starts_in("2026-11-25T09:00:00", "Asia/Shanghai"), "starts"),
        (lambda: schedule.starts_in("2026-11-25T09:00Z", "Asia/Shanghai"), "starts"),
        (lambda: schedule.starts_in("2026-02-30T09:00", "Asia/Shanghai"), "starts"),
        (lambda: schedule.starts_in("0001-01-01T00:00", "Asia/Shanghai"), "starts"),
        (lambda: schedule.starts_in("2026-11-25T09:00", "Mars/Olympus"), "timezone"),
        (lambda: schedule.starts_in("2026-11-25T09:00", ""), "timezone"),
        (lambda: schedule.quiet_end(BEGIN, "../etc/passwd", "22:00", "08:00"), "timezone"),
        (lambda: schedule.quiet_end(BEGIN, "Asia/Shanghai", "25:00", "08:00"), "quiet_from"),
        (lambda: schedule.quiet_begins(BEGIN, "Asia/Shanghai", "22:00", "T0800"), "quiet_until"),
    ],
)
def test_says_what_it_cannot_read(call: Callable[[], Any], field: str):
    with pytest.raises(Refused) as refused:
        call()
    assert refused.value.field == field
