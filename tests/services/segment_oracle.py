"""Segments in plain Python, and random followers and conditions to compare with what the database finds."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from bot.services.folding import fold

FIELDS = {1: "text", 2: "number", 3: "date", 4: "choice", 5: "yes_no"}  # id → kind
TEXTS = ("成都", "上海", "Café", "CAFE", "a_b", "a%b")
CHOICES = ("red", "blue", "green")
NAMES = ("林晓雨", "王小雨", "Emma", "emma z", "雨")
KEYS = ("TODAY", "WHERE", "today")
LANGUAGES = ("zh_CN", "en", "")
SOURCES = ("ADD_SCENE_SEARCH", "shop-1", "Shop-2", "")


@dataclass
class Person:
    """A follower, with all that conditions ask about."""

    follows: bool
    blocked_at: datetime | None
    opted_out_at: datetime | None
    followed: datetime | None
    unfollowed: datetime | None
    wrote: datetime | None
    seen: datetime
    name: str
    language: str
    source: str
    tags: set[int]
    stage: int | None
    owner: int | None
    fields: dict[int, Any]
    talks: list[tuple[datetime, bool]]  # opened, is open
    messages: list[tuple[str, str, int | None, datetime]] = field(default_factory=list)  # event, key, rule, when


def holds(tree: dict[str, Any], person: Person, now: datetime, zone: ZoneInfo) -> bool:
    if "all" in tree:
        return all(holds(each, person, now, zone) for each in tree["all"])
    if "any" in tree:
        return any(holds(each, person, now, zone) for each in tree["any"])
    if "not" in tree:
        return not holds(tree["not"], person, now, zone)
    op = tree["op"]
    opposite = {"is_not": "is", "has_not": "has", "none_of": "one_of", "not_last_days": "last_days",
                "not_empty": "empty", "not_open": "open"}.get(op)  # fmt: skip
    if opposite:
        return not holds({**tree, "op": opposite}, person, now, zone)
    return _asked(tree["field"], op, tree.get("of"), tree.get("value"), person, now, zone)


def _asked(name: str, op: str, of: Any, value: Any, person: Person, now: datetime, zone: ZoneInfo) -> bool:
    today = now.astimezone(zone).date()

    def recent(at: datetime) -> bool:
        return (today - at.astimezone(zone).date()).days <= value

    if name in ("followed", "unfollowed", "wrote", "seen"):
        at = getattr(person, name)
        if op == "empty":
            return at is None
        if at is None:
            return False
        if op == "last_days":
            return recent(at)
        return _days(op, at.astimezone(zone).date(), date.fromisoformat(value))
    if name == "field":
        return _field(op, person.fields.get(of), value, today, FIELDS[of])
    if name in ("tapped", "scanned"):
        events = {"tapped": ("click", "view"), "scanned": ("scan", "subscribe")}[name]
        return any(e in events and key == of and recent(at) for e, key, _rule, at in person.messages)
    if name == "answered":
        return any(rule == of and recent(at) for _event, _key, rule, at in person.messages)
    if name == "conversation":
        return any(is_open if op == "open" else recent(at) for at, is_open in person.talks)
    if op == "empty":
        return getattr(person, name) is None
    if op == "begins":
        return person.source.lower().startswith(value.lower())
    return {
        "follows": lambda: person.follows == value,
        "blocked": lambda: (person.blocked_at is not None) == value,
        "opted_out": lambda: (person.opted_out_at is not None) == value,
        "name": lambda: fold(value) in fold(person.name),
        "tag": lambda: value in person.tags,
    }.get(name, lambda: getattr(person, name) == value)()


def _field(op: str, has: Any, value: Any, today: date, kind: str) -> bool:
    if has is None:
        return op == "empty"
    if op == "empty":
        return False
    if kind == "date" and op in ("on", "before", "after"):
        return _days(op, has, date.fromisoformat(value))
    if kind == "text":
        has, value = _small(has), _small(value)
    return {
        "is": lambda: has == value,
        "contains": lambda: value in has,
        "begins": lambda: has.startswith(value),
        "less": lambda: has < value,
        "more": lambda: has > value,
        "between": lambda: value[0] <= has <= value[1],
        "one_of": lambda: has in value,
        "last_days": lambda: 0 <= (today - has).days <= value,
        "next_days": lambda: 0 <= (has - today).days <= value,
        "birthday": lambda: any(_kept_on(has, today + timedelta(days=at)) for at in range(value + 1)),
    }[op]()


def _kept_on(birthday: date, day: date) -> bool:
    try:
        return birthday.replace(year=day.year) == day
    except ValueError:  # 29 February
        return (day.month, day.day) == (2, 28)


def _days(op: str, day: date, other: date) -> bool:
    return {"on": day == other, "before": day < other, "after": day > other}[op]


def _small(text: str) -> str:
    return "".join(char.lower() if char.isascii() else char for char in text)


# Random ones ----------------------------------------------------------------------------------------------------------


def people(now: datetime, zone: ZoneInfo) -> st.SearchStrategy[Person]:
    """Most times lie close around a midnight there, where mistakes are made."""
    today = now.astimezone(zone).date()

    def around_midnight(days: int, minutes: int) -> datetime:
        midnight = datetime.combine(today - timedelta(days=days), time(), zone).astimezone(UTC)
        return min(midnight + timedelta(minutes=minutes), now)

    any_time = st.builds(lambda minutes: now - timedelta(minutes=minutes), st.integers(0, 60 * 24 * 40))
    near = st.builds(around_midnight, st.integers(0, 8), st.integers(-90, 90))
    instants = st.one_of(near, near, any_time)
    days = st.one_of(
        st.dates(date(1960, 1, 1), date(2030, 12, 31)),
        st.integers(-40, 40).map(lambda days: now.date() + timedelta(days=days)),
        st.just(date(2000, 2, 29)),
    )
    values = st.fixed_dictionaries(
        {},
        optional={
            1: st.sampled_from(TEXTS),
            2: st.integers(-3, 3) | st.floats(-3, 3),
            3: days,
            4: st.sampled_from(CHOICES),
            5: st.booleans(),
        },
    )
    messages = st.tuples(
        st.sampled_from(("", "click", "view", "scan", "subscribe")),
        st.sampled_from(KEYS),
        st.sampled_from((None, 1, 2)),
        instants,
    )  # fmt: skip
    maybe = st.none() | instants
    return st.builds(
        Person,
        follows=st.booleans(),
        blocked_at=maybe,
        opted_out_at=maybe,
        followed=maybe,
        unfollowed=maybe,
        wrote=maybe,
        seen=instants,
        name=st.sampled_from(NAMES),
        language=st.sampled_from(LANGUAGES),
        source=st.sampled_from(SOURCES),
        tags=st.sets(st.sampled_from((1, 2))),
        stage=st.sampled_from((None, 1, 2)),
        owner=st.sampled_from((None, 1)),
        fields=values,
        talks=st.lists(st.tuples(instants, st.just(False)), max_size=2),
        messages=st.lists(messages, max_size=3),
    )


def conditions(now: datetime, fields: Collection[str] = ()) -> st.SearchStrategy[dict[str, Any]]:
    """About these fields, or any."""
    days = st.integers(1, 8) | st.integers(1, 45)
    dates = (st.integers(-8, 1) | st.integers(-40, 5)).map(
        lambda at: (now.astimezone(UTC).date() + timedelta(days=at)).isoformat()
    )
    numbers = st.integers(-3, 3) | st.floats(-3, 3)

    def leaf(field: str, ops: dict[str, st.SearchStrategy[Any]], of: st.SearchStrategy[Any] | None = None) -> Any:
        if fields and field not in fields:
            return st.nothing()

        def made(op: str, value: Any, of: Any) -> dict[str, Any]:
            named = {"field": field, "op": op, "value": value, "of": of}
            return {key: each for key, each in named.items() if each is not None}

        each = [st.builds(made, st.just(op), value, st.none() if of is None else of) for op, value in ops.items()]
        return st.one_of(each)

    nothing = st.none()
    empty = {"empty": nothing, "not_empty": nothing}
    ago = {"last_days": days, "not_last_days": days}
    instant = {**ago, "on": dates, "before": dates, "after": dates, **empty}
    texts = st.sampled_from((*TEXTS, "a", "caf", "A_"))
    return st.one_of(
        leaf("follows", {"is": st.booleans()}),
        leaf("blocked", {"is": st.booleans()}),
        leaf("opted_out", {"is": st.booleans()}),
        *(leaf(name, instant) for name in ("followed", "unfollowed", "wrote", "seen")),
        leaf("name", {"contains": st.sampled_from(("雨", "小雨", "EMMA", "mma", "x"))}),
        leaf("language", dict.fromkeys(("is", "is_not"), st.sampled_from(("zh_CN", "en")))),
        leaf("source", dict.fromkeys(("is", "is_not"), st.sampled_from(SOURCES[:3])) | {"begins": st.just("shop")}),
        leaf("tag", dict.fromkeys(("has", "has_not"), st.sampled_from((1, 2)))),
        leaf("stage", dict.fromkeys(("is", "is_not"), st.sampled_from((1, 2))) | empty),
        leaf("owner", dict.fromkeys(("is", "is_not"), st.just(1)) | empty),
        leaf("tapped", ago, st.sampled_from(KEYS)),
        leaf("scanned", ago, st.sampled_from(KEYS)),
        leaf("answered", ago, st.sampled_from((1, 2))),
        leaf("conversation", {"open": nothing, "not_open": nothing, **ago}),
        leaf("field", dict.fromkeys(("is", "is_not", "contains", "begins"), texts) | empty, st.just(1)),
        leaf("field", dict.fromkeys(("is", "is_not", "less", "more"), numbers)
             | {"between": st.lists(numbers, min_size=2, max_size=2).map(sorted)} | empty, st.just(2)),
        leaf("field", {"on": dates, "before": dates, "after": dates, **ago, "next_days": days,
                       "birthday": st.integers(1, 400), **empty}, st.just(3)),
        leaf("field", dict.fromkeys(("one_of", "none_of"), st.lists(st.sampled_from(CHOICES), min_size=1)) | empty,
             st.just(4)),
        leaf("field", {"is": st.booleans(), **empty}, st.just(5)),
    )  # fmt: skip


def trees(now: datetime, fields: Collection[str] = ()) -> st.SearchStrategy[dict[str, Any]]:
    groups = st.sampled_from(("all", "any"))
    return st.recursive(
        conditions(now, fields),
        lambda inner: st.one_of(
            st.builds(lambda key, nodes: {key: nodes}, groups, st.lists(inner, min_size=1, max_size=3)),
            inner.map(lambda node: {"not": node}),
        ),
        max_leaves=6,
    ).filter(lambda tree: str(tree).count("'field':") <= 12)
