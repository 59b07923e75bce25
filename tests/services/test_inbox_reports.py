"""Every number of the report is as long as its list, in any zone, on days on which the clock is changed too."""

import random
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert

from bot.errors import Refused
from bot.services import inbox_reports, report_numbers
from bot.services.inbox_reports import Part, Slice
from models import Conversation, ConversationLabel, Follower, Label

PERIOD = date(2026, 10, 20), date(2026, 11, 5)  # Berlin, New York and Lord Howe change their clocks within or near it


def fill(session, create, zone: str, seed: int, count: int = 300):
    chance = random.Random(seed)
    account, other = create.account(timezone=zone), create.account("theirs")
    people = [create.operator(f"agent {n}").id for n in range(3)]
    labels = [Label(account_id=account.id, name=name) for name in ("refund", "delivery")]
    session.add_all(labels)
    session.flush()
    begin = datetime(2026, 10, 18, tzinfo=ZoneInfo("UTC"))
    for number in range(count):
        owner = chance.choice((account, account, account, other))
        follower = Follower(account_id=owner.id, openid=f"r{number}")
        session.add(follower)
        session.flush()
        opened = begin + timedelta(seconds=chance.randrange(20 * 86_400))
        replied = opened + timedelta(seconds=chance.randrange(4000)) if chance.random() < 0.7 else None
        closed = opened + timedelta(seconds=chance.randrange(4000, 90_000)) if chance.random() < 0.8 else None
        values = {"opened_at": opened, "first_replied_at": replied, "closed_at": closed}
        row = Conversation(
            account_id=owner.id, follower_id=follower.id, assignee_id=chance.choice([None, *people]), **values
        )
        session.add(row)
        session.flush()
        for label in labels:
            if owner is account and chance.random() < 0.3:
                session.execute(insert(ConversationLabel).values(conversation_id=row.id, label_id=label.id))
    session.commit()
    return account


@pytest.mark.databases
@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe"])
def test_every_number_equals_the_list_behind_it(session, create, zone):
    account = fill(session, create, zone, seed=len(zone))
    found = inbox_reports.report(session, account, *PERIOD)

    def check(numbers: report_numbers.Numbers, **what) -> int:
        for part in Part:
            listed = inbox_reports.behind(session, account, *PERIOD, Slice(part, **what), limit=1000)
            assert len(listed) == getattr(numbers, part), (part, what)
        waits = [row.first_replied_at - row.opened_at for row in rows(**what) if row.first_replied_at]
        told = numbers.first_reply
        assert (told is None) == (not waits)
        if told is not None:
            assert abs(told - sum(waits, timedelta()) / len(waits)) <= timedelta(seconds=2)
        return numbers.opened

    def rows(**what):
        return inbox_reports.behind(session, account, *PERIOD, Slice(Part.OPENED, **what), limit=1000)

    total = check(found.total)
    assert total > 100
    assert sum(check(numbers, day=day) for day, numbers in found.days.items()) == total
    assert sum(check(numbers, hour=hour) for hour, numbers in found.hours.items()) == total
    assert sum(check(numbers, person=person or 0) for person, _name, numbers in found.people) == total
    for label, name, numbers in found.labels:
        assert check(numbers, label=label) > 0
        only = inbox_reports.report(session, account, *PERIOD, label)
        assert only.total.opened == sum(each.opened for each in only.days.values()) == check(numbers, label=label)
        assert sum(each.opened for each in only.hours.values()) == only.total.opened
        for who, _name, each in only.people:
            check(each, label=label, person=who or 0)
        assert [each[1] for each in only.labels] == [name]


def test_the_clock_of_the_account_decides_the_day(session, create):
    account = create.account(timezone="America/New_York")
    follower = create.follower(account)
    opened = datetime(2026, 11, 2, 4, 59, tzinfo=ZoneInfo("UTC"))  # 23:59 on the first, there
    session.add(Conversation(account_id=account.id, follower_id=follower.id, opened_at=opened))
    session.commit()

    first, second = (inbox_reports.report(session, account, day, day) for day in (date(2026, 11, 1), date(2026, 11, 2)))

    assert (first.total.opened, second.total.opened) == (1, 0)
    assert [hour for hour, numbers in first.hours.items() if numbers.opened] == [23]


@pytest.mark.parametrize("days", [-1, 366])
def test_a_period_that_is_none_is_refused(session, create, days):
    first = date(2026, 1, 1)

    with pytest.raises(Refused):
        inbox_reports.report(session, create.account(), first, first + timedelta(days))
