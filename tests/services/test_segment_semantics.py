"""Done means 5: the database finds exactly those followers for whom a plain reading of the conditions holds."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, note, seed, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from bot.services import segment_sql
from bot.services.folding import fold
from bot.services.segment_conditions import levels
from bot.services.segment_things import check
from models import (
    Account,
    Conversation,
    Field,
    FieldKind,
    FieldValue,
    Follower,
    FollowerTag,
    InboundMessage,
    NameTerm,
    Stage,
    Tag,
)  # fmt: skip
from tests.services.segment_oracle import CHOICES, FIELDS, Person, conditions, holds, people, trees

# Just before and after midnight there, in the week of a change of the clock, and on a leap day.
MOMENTS = {
    "Asia/Shanghai": datetime(2026, 3, 1, 16, 30, tzinfo=UTC),
    "America/New_York": datetime(2026, 3, 9, 3, 59, tzinfo=UTC),  # the day the clock went forward
    "Europe/Berlin": datetime(2026, 10, 25, 23, 10, tzinfo=UTC),  # the day after it went back
    "Africa/Cairo": datetime(2026, 4, 24, 1, 0, tzinfo=UTC),  # that day had no midnight
    "Pacific/Kiritimati": datetime(2028, 2, 28, 10, 5, tzinfo=UTC),  # 29 February
}


def thorough(examples: int) -> settings:
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None)


@pytest.fixture
def account(create, session: Session) -> Account:
    account = create.account("mine")
    other = create.account("other")
    create.operator("owner")
    of = {"account_id": account.id}
    session.add_all([Tag(name=name, **of) for name in ("one", "two")])
    session.add_all([Stage(name=name, **of) for name in ("one", "two")])
    for number, kind in FIELDS.items():
        session.add(
            Field(name=str(number), kind=FieldKind(kind), choices=list(CHOICES) if kind == "choice" else [], **of)
        )
        session.flush()
    for _each in range(2):
        create.rule(account, "price", "99")
    session.commit()
    create.follower(other, wrote_at=datetime.now(UTC), stage_id=1)  # of another account: never found
    return account


def put(session: Session, account: Account, group: list[Person]) -> list[int]:
    """Exactly these followers; their ids in order."""
    of = {"account_id": account.id}
    for table in (InboundMessage, Conversation, NameTerm, Follower):
        session.execute(delete(table).where(table.account_id == account.id))
    rows: dict[Any, list[dict[str, Any]]] = {
        table: [] for table in (FollowerTag, FieldValue, NameTerm, Conversation, InboundMessage)
    }
    ids = []
    for at, person in enumerate(group):
        follower = Follower(
            openid=f"o{at}", nickname=person.name, language=person.language, source=person.source,
            is_subscribed=person.follows, subscribed_at=person.followed, unsubscribed_at=person.unfollowed,
            seen_at=person.seen, wrote_at=person.wrote, blocked_at=person.blocked_at,
            opted_out_at=person.opted_out_at, stage_id=person.stage, owner_id=person.owner, **of,
        )  # fmt: skip
        session.add(follower)
        session.flush()
        ids.append(follower.id)
        mine = {"follower_id": follower.id}
        rows[FollowerTag] += [{**mine, "tag_id": tag} for tag in person.tags]
        for number, value in person.fields.items():
            column = {"number": "number", "yes_no": "number", "date": "day"}.get(FIELDS[number], "text")
            kept = float(value) if column == "number" else value
            rows[FieldValue].append(
                {
                    **mine,
                    "field_id": number,
                    "text": None,
                    "number": None,
                    "day": None,
                    column: kept,
                }
            )
        name = fold(person.name)
        terms = {name[start:][: segment_sql.TERM] for start in range(len(name))}
        rows[NameTerm] += [{**of, **mine, "term": term} for term in terms]
        rows[Conversation] += [
            {**of, **mine, "opened_at": opened, "closed_at": opened, "closed_why": "timed_out"}
            for opened, _ in person.talks
        ]
        if person.follows and person.owner:
            person.talks.append((person.seen, True))
            rows[Conversation].append({**of, **mine, "opened_at": person.seen, "closed_at": None, "closed_why": ""})
        rows[InboundMessage] += [
            {**of, **mine, "openid": f"o{at}", "dedup_key": str(n), "kind": "text", "event": event,
             "key": key if event else "", "rule_id": rule, "received_at": when}
            for n, (event, key, rule, when) in enumerate(person.messages)
        ]  # fmt: skip
    # A report of a broadcast has no follower: NULL in a set of ids is what makes NOT IN lose everybody.
    rows[InboundMessage] += [
        {**of, "follower_id": None, "openid": "gh", "dedup_key": event, "kind": "event", "event": event, "key": "TODAY",
         "rule_id": 1, "received_at": group[0].seen if group else datetime.now(UTC)}
        for event in ("click", "scan")
    ]  # fmt: skip
    for table, each in rows.items():
        if each:
            session.execute(insert(table), each)
    return ids


def differences(
    session: Session, account: Account, tree: dict[str, Any], group: list[Person], now: datetime
) -> set[int]:
    """The places of the followers about whom database and oracle disagree."""
    things = check(session, account, tree)
    ids = put(session, account, group)
    query = segment_sql.compile_tree(account, tree, things, now, session.get_bind().dialect.name)
    found = list(session.scalars(query))
    assert len(found) == len(set(found)), "somebody was found twice"
    zone = ZoneInfo(account.timezone)
    expected = {ids[at] for at, person in enumerate(group) if holds(tree, person, now, zone)}
    return set(found) ^ expected


@pytest.mark.databases
@pytest.mark.parametrize("zone", MOMENTS)
def test_finds_whom_a_plain_reading_finds(session: Session, account: Account, zone: str) -> None:
    now = MOMENTS[zone]
    account.timezone = zone

    @thorough(80)
    @given(tree=trees(now), group=st.lists(people(now, ZoneInfo(zone)), min_size=1, max_size=8))
    def agrees(tree: dict[str, Any], group: list[Person]) -> None:
        if levels(tree) > 6:
            return
        note(str(tree))
        assert not differences(session, account, tree, group, now)

    agrees()


def _unknown(column: Any, compare: Any) -> Any:
    return compare(column)


def _early(self: Any, day: date) -> datetime:
    return datetime.combine(day, time(), self.zone).astimezone(UTC) - timedelta(hours=1)


FAULTS: dict[str, tuple[Any, str, Any, set[str]]] = {  # … and what it shows in
    "nothing known counts as unknown": (segment_sql, "_known", _unknown, {"stage", "owner", "wrote"}),
    "days begin an hour early": (segment_sql._Compiling, "start", _early, {"wrote", "seen", "followed", "answered"}),
    "capitals count": (segment_sql, "_SMALL", {}, {"field", "source"}),
}


@pytest.mark.databases
@pytest.mark.parametrize("fault", FAULTS)
def test_the_comparison_finds_planted_faults(
    session: Session, account: Account, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    zone = "Asia/Shanghai"
    now = MOMENTS[zone]
    place, name, planted, fields = FAULTS[fault]
    monkeypatch.setattr(place, name, planted)

    @seed(8)
    # Which example it is does not matter here, and one is enough.
    @settings(thorough(600), phases=(Phase.generate,), report_multiple_bugs=False)
    @given(tree=conditions(now, fields), group=st.lists(people(now, ZoneInfo(zone)), min_size=6, max_size=10))
    def agrees(tree: dict[str, Any], group: list[Person]) -> None:
        assert not differences(session, account, tree, group, now)

    with pytest.raises(AssertionError):
        agrees()


@pytest.mark.databases
@pytest.mark.parametrize(("today", "is_found"), [("2027-02-27", True), ("2028-02-27", False), ("2028-02-28", True)])
def test_a_leap_days_birthday_is_kept_on_the_28th_where_there_is_none(
    session: Session, account: Account, today: str, is_found: bool
) -> None:
    follower = Follower(openid="leap", account_id=account.id)
    session.add(follower)
    session.flush()
    session.add(FieldValue(follower_id=follower.id, field_id=3, day=date(2000, 2, 29)))
    session.flush()
    tree = {"field": "field", "of": 3, "op": "birthday", "value": 1}
    now = datetime.fromisoformat(f"{today}T04:00:00+00:00")
    query = segment_sql.compile_tree(account, tree, check(session, account, tree), now, session.get_bind().dialect.name)
    assert list(session.scalars(query)) == ([follower.id] if is_found else [])


def test_not_five_includes_those_without_a_value(session: Session, account: Account) -> None:
    of = {"account_id": account.id}
    people = [Follower(openid=name, **of) for name in ("five", "six", "none")]
    session.add_all(people)
    session.flush()
    session.add_all(
        [FieldValue(follower_id=people[at].id, field_id=2, number=number) for at, number in ((0, 5), (1, 6))]
    )
    session.flush()

    def found(tree: dict[str, Any]) -> list[str]:
        query = segment_sql.compile_tree(account, tree, check(session, account, tree), datetime.now(UTC), "sqlite")
        return sorted(session.scalars(select(Follower.openid).where(Follower.id.in_(query))))

    five = {"field": "field", "of": 2, "op": "is", "value": 5}
    assert found(five) == ["five"]
    assert found({"not": five}) == found({**five, "op": "is_not"}) == ["none", "six"]
    assert found({"not": {"field": "field", "of": 2, "op": "less", "value": 9}}) == ["none"]
    assert found({"not": {"field": "stage", "op": "is", "value": 1}}) == ["five", "none", "six"]
    assert found({"not": {"field": "wrote", "op": "last_days", "value": 9}}) == ["five", "none", "six"]
