"""Opening hours against a clock looked at minute by minute, on days on which it is put forward or back too."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.errors import Refused
from bot.services import opening_hours
from bot.services.opening_hours import DAYS

ZONES = ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Gaza"]
# Days around which those clocks are changed.
BEGINS = [
    "2026-03-06",
    "2026-03-27",
    "2026-04-02",
    "2026-09-04",
    "2026-10-02",
    "2026-10-23",
    "2026-10-30",
    "2026-06-10",
]

minutes = st.integers(0, 96).map(lambda quarter: f"{quarter // 4:02}:{quarter % 4 * 15:02}")


@st.composite
def spans(draw):
    marks = sorted(draw(st.sets(minutes, min_size=2, max_size=4)))
    return [list(pair) for pair in zip(marks[::2], marks[1::2], strict=False)]


def dates(begin: str) -> list[str]:
    first = datetime.fromisoformat(begin)
    return [(first + timedelta(days)).date().isoformat() for days in range(4)]


@st.composite
def calendars(draw):
    begin = draw(st.sampled_from(BEGINS))
    hours = {
        "days": draw(st.dictionaries(st.sampled_from(DAYS), spans())),
        "holidays": draw(st.lists(st.sampled_from(dates(begin)), max_size=2, unique=True)),
        "workdays": draw(st.dictionaries(st.sampled_from(dates(begin)), spans(), max_size=1)),
    }
    return begin, hours, ZoneInfo(draw(st.sampled_from(ZONES)))


def oracle(hours: dict, zone: ZoneInfo, at: datetime) -> bool:
    """What somebody with the calendar on the wall would say."""
    local = at.astimezone(zone)
    day = local.strftime("%Y-%m-%d")
    if day in hours["workdays"]:
        today = hours["workdays"][day]
    elif day in hours["holidays"]:
        today = []
    else:
        today = hours["days"].get(DAYS[local.isoweekday() - 1], [])
    minute = local.hour * 60 + local.minute
    return any(_minute(start) <= minute < _minute(end) for start, end in today)


def _minute(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


# The night before the clock is put forward: the morning's hours begin before its jump.
TWO_EARLY = {"days": {"sun": [["00:00", "02:45"]]}, "holidays": [], "workdays": {"2026-10-03": [["00:00", "00:15"]]}}


@settings(max_examples=50, deadline=None)
@given(calendars())
@example(("2026-10-02", TWO_EARLY, ZoneInfo("Australia/Lord_Howe")))
def test_agrees_with_a_clock_looked_at_every_five_minutes(calendar):
    begin, given_hours, zone = calendar
    hours = opening_hours.checked(given_hours) if given_hours["days"] or given_hours["workdays"] else given_hours
    first = datetime.fromisoformat(begin).replace(tzinfo=UTC)
    next_open: datetime | None = None
    for number in reversed(range(0, 3 * 24 * 60, 5)):  # hours and jumps are at quarters
        at = first + timedelta(minutes=number)
        told = oracle(given_hours, zone, at)
        assert opening_hours.is_open(hours, zone, at) == told
        if told:
            next_open = at
        if next_open is not None and number % 7 == 0:
            assert opening_hours.opens_next(hours, zone, at) == next_open


def test_nothing_said_is_always_open():
    now = datetime(2026, 10, 1, tzinfo=UTC)

    assert opening_hours.is_open({}, ZoneInfo("Asia/Shanghai"), now)
    assert opening_hours.opens_next({}, ZoneInfo("Asia/Shanghai"), now) == now


def test_a_swapped_workday_is_open_and_a_holiday_is_not():
    zone = ZoneInfo("Asia/Shanghai")
    nine = [["09:00", "18:00"]]
    hours = opening_hours.checked(
        {
            "days": dict.fromkeys(DAYS[:5], nine),
            "holidays": ["2026-10-01", "2026-10-02"],
            "workdays": {"2026-10-10": nine},
        }
    )

    def at(day: int, hour: int) -> datetime:
        return datetime(2026, 10, day, hour, tzinfo=zone)

    assert not opening_hours.is_open(hours, zone, at(1, 12))
    assert opening_hours.is_open(hours, zone, at(10, 12))  # a Saturday
    assert opening_hours.opens_next(hours, zone, at(1, 12)) == at(5, 9)
    assert opening_hours.words(at(5, 9), zone, at(1, 12)) == "10-05 09:00"
    assert opening_hours.words(at(5, 9), zone, at(5, 8)) == "09:00"


def test_never_open_has_no_next():
    hours = {"days": {}, "holidays": ["2026-10-01"], "workdays": {}}

    assert opening_hours.opens_next(hours, ZoneInfo("Asia/Shanghai"), datetime(2026, 10, 1, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ([], "days"),
        ({"weeks": {}}, "days"),
        ({"days": {"monday": []}}, "one of mon"),
        ({"days": {"mon": [["9:00", "18:00"]]}}, "Write hours"),
        ({"days": {"mon": [["09:00"]]}}, "Write hours"),
        ({"days": {"mon": "09:00-18:00"}}, "Write hours"),
        ({"days": {"mon": [["18:00", "09:00"]]}}, "end after they begin"),
        ({"days": {"mon": [["09:00", "12:00"], ["11:00", "13:00"]]}}, "overlap"),
        ({"days": {"mon": [["09:00", "18:00"]]}, "holidays": ["2026-02-30"]}, "not a date"),
        ({"holidays": "2026-02-03"}, "dates"),
        ({"workdays": {"soon": []}}, "not a date"),
        ({"holidays": ["2026-10-01"]}, "at least one day"),
        ({"holidays": ["2026-01-01"] * 401}, "at most 400"),
    ],
)
def test_another_shape_is_refused_in_a_sentence(value, sentence):
    with pytest.raises(Refused, match=sentence):
        opening_hours.checked(value)


@pytest.mark.parametrize("text", ["9:00-12:00，13：30–18:00", "09:00 - 12:00, 13:30~18:00"])
def test_people_write_hours_as_they_do(text):
    read = opening_hours.read_spans(text, "hours_mon")

    assert read == [["09:00", "12:00"], ["13:30", "18:00"]]
    assert opening_hours.read_spans(opening_hours.shown_spans(read), "hours_mon") == read
