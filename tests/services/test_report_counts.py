"""What is kept and what is counted make the same report, whatever was done in between; never an old number."""

import random
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from bot import clock
from bot.database import database, reading, transaction
from bot.jobs import reports
from bot.services import inbox_reports, journal, labels, report_counts, sends
from models import Account, Conversation, ReportCount, ReportReading, Role
from tests.flows.phone import wait
from tests.services.test_conversation_states import Inbox


@pytest.fixture
def inbox(create, session, monkeypatch) -> Inbox:
    """Random commands; for months, so the windows stay open."""
    monkeypatch.setattr(sends, "allowance", lambda *_: sends.Allowance(5, None))
    account = create.account(timezone="Australia/Lord_Howe")
    followers = [create.follower(account) for _ in range(6)]
    people = [create.operator(f"agent {n}", role=Role.AGENT, account=account) for n in range(3)]
    for name in ("refund", "delivery"):
        labels.add(session, account, name)
    return Inbox(session, account, followers, people, seed=3)


def go_on(inbox: Inbox, steps: int) -> None:
    """Some of everything that a report counts, over some days."""
    for _ in range(steps):
        inbox.step()
        if inbox.random.random() < 0.2:
            wait(random.Random(inbox.seq).choice([3600, 20_000, 90_000]))
        found = inbox.session.scalars(select(Conversation)).all()
        if found and inbox.random.random() < 0.5:
            label = inbox.random.choice(labels.list_all(inbox.session, inbox.account))
            labels.put(inbox.session, inbox.random.choice(found), label, on=inbox.random.random() < 0.7)
            inbox.now, inbox.seq = inbox.look(), _last(inbox)
    inbox.session.info.clear()
    inbox.session.commit()  # and nothing is read through it until the next step: it would hold SQLite's only pen


def _last(inbox: Inbox) -> int:
    return journal.last(inbox.session, inbox.account.id)


def seen(account_id: int, label: int | None = None) -> inbox_reports.Report:
    with reading() as session:
        account = session.get_one(Account, account_id)
        today = clock.now().date() + timedelta(1)
        return inbox_reports.report(session, account, today - timedelta(365), today, label)


def counted(account_id: int, label: int | None = None) -> inbox_reports.Report:
    """The same without what is kept."""
    with Session(database().write) as session:
        session.execute(delete(ReportReading))
        account = session.get_one(Account, account_id)
        today = clock.now().date() + timedelta(1)
        found = inbox_reports.report(session, account, today - timedelta(365), today, label)
        session.rollback()
    return found


@pytest.mark.databases
def test_a_report_is_the_same_with_and_without_what_is_kept(inbox):
    account_id = inbox.account.id
    refund, delivery = (each.id for each in labels.list_all(inbox.session, inbox.account))
    kept = 0
    for turn in range(12):
        go_on(inbox, 25)
        for label in (None, refund, delivery):
            assert seen(account_id, label) == counted(account_id, label), (turn, label)
        if turn % 2:
            reports.count(account_id)
            with reading() as session:
                account = session.get_one(Account, account_id)
                assert report_counts.changed_days(session, account, *_period()) == []
                kept = session.scalar(select(func.count(ReportCount.id))) or 0
            for label in (None, refund, delivery):
                assert seen(account_id, label) == counted(account_id, label), (turn, label)
    assert kept > 100
    assert seen(account_id).total.opened > 20


def _period():
    today = clock.now().date() + timedelta(1)
    return today - timedelta(365), today


def test_a_change_that_has_no_number_is_not_seen(inbox):
    """Negative control: the comparison above would find it."""
    go_on(inbox, 60)
    reports.count(inbox.account.id)
    with transaction() as session:
        session.execute(update(Conversation).values(assignee_id=None, first_replied_at=None))

    assert seen(inbox.account.id) != counted(inbox.account.id)


def test_another_zone_counts_anew(inbox):
    go_on(inbox, 60)
    reports.count(inbox.account.id)
    inbox.account.timezone = "America/New_York"
    inbox.session.commit()
    assert seen(inbox.account.id) == counted(inbox.account.id)
    reports.count(inbox.account.id)
    with reading() as session:
        assert report_counts.behind(session) == []
    assert seen(inbox.account.id) == counted(inbox.account.id)


def test_a_label_that_is_gone_leaves_nothing_to_the_next_one(inbox):
    go_on(inbox, 60)
    reports.count(inbox.account.id)
    for label in labels.list_all(inbox.session, inbox.account):
        labels.remove(inbox.session, label)
    new = labels.add(inbox.session, inbox.account, "new")  # SQLite gives it the number of one that is gone
    account_id, new_id = inbox.account.id, new.id
    inbox.session.commit()

    assert seen(account_id).labels == []
    assert seen(account_id, new_id) == counted(account_id, new_id)
    assert seen(account_id, new_id).total.opened == 0


@pytest.mark.databases
@pytest.mark.parametrize("is_checked", [True, False])
def test_who_counts_late_does_not_undo_who_counted_after_them(inbox, is_checked, monkeypatch):
    """Unchecked (negative control) the report shows what is no longer so."""
    if not is_checked:
        monkeypatch.setattr(report_counts, "_is_ours", lambda *_: True)
    go_on(inbox, 60)
    account_id = inbox.account.id
    with transaction() as session:
        account = session.get_one(Account, account_id)
        late = report_counts.begin(session, account)
    days = [*late.changed, *late.never]
    with reading() as session:
        rows = {day: report_counts.count(session, account, day) for day in days}
    go_on(inbox, 40)
    reports.count(account_id)
    if not is_checked:
        with transaction() as session:  # as the real check does at the end of a turn
            session.execute(update(ReportReading).values(seq=journal.last(session, account_id), since=None))
    with transaction() as session:
        for day in days:
            assert report_counts.keep(session, account_id, late, day, rows[day]) is not is_checked

    assert (seen(account_id) == counted(account_id)) is is_checked


def test_a_long_first_counting_goes_on_where_it_was(inbox, monkeypatch, redis):
    monkeypatch.setattr(reports, "SLICE_SECONDS", 0)
    go_on(inbox, 150)
    account_id, turns = inbox.account.id, 0
    while _is_behind():
        reports.count(account_id)
        turns += 1
        assert seen(account_id) == counted(account_id)
    assert turns > 5


def _is_behind() -> bool:
    with reading() as session:
        return bool(report_counts.behind(session))
