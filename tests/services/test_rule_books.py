"""Compiled rules: a few at once, many behind the back of the messages."""

import threading
import time

import pytest
from sqlalchemy.orm import Session

from bot.database import database, reading, transaction
from bot.services import rule_books, rule_versions
from models import Account, Rule, Trigger


def publish(account: Account, count: int, word: str) -> int:
    with transaction() as session:
        session.query(Rule).filter(Rule.account_id == account.id).delete()
        session.add_all(
            Rule(
                account_id=account.id,
                title=f"{word}{at}",
                trigger=Trigger.KEYWORD,
                position=at,
                keywords=[{"mode": "exact", "text": f"{word}{at}"}],
                replies=[{"kind": "text", "text": "yes"}],
            )
            for at in range(count)
        )
        version = rule_versions.publish(session, session.get_one(Account, account.id), None, word)
        assert version
        return version.number


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the threads that compiled a book."""
    seen: list[str] = []
    whole = rule_books.RuleBook

    def noted(*given: object) -> object:
        seen.append(threading.current_thread().name)
        return whole(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(rule_books, "RuleBook", noted)
    return seen


def current(account: Account, version: int) -> rule_books.RuleBook:
    with database().read.connect() as connection:
        return rule_books.current(connection, account.id, version)


@pytest.mark.databases
def test_a_few_rules_answer_from_the_next_message_on(create, built) -> None:
    account = create.account()
    current(account, publish(account, 3, "a"))
    assert current(account, publish(account, 3, "b")).for_text("b1")
    assert set(built) == {threading.current_thread().name}


@pytest.mark.databases
def test_no_message_waits_for_many_rules(create, built, monkeypatch) -> None:
    monkeypatch.setattr(rule_books, "LARGE", 200)
    account = create.account()
    first = current(account, publish(account, 3, "a"))
    built.clear()

    newest = publish(account, 300, "b")
    assert current(account, newest) is first  # answered by the one before, at once
    until(lambda: current(account, newest).version == newest)
    assert current(account, newest).for_text("b299")
    assert set(built) == {"rule-books"}


def test_many_rules_are_picked_up_without_any_message(create, built, monkeypatch, session: Session) -> None:
    monkeypatch.setattr(rule_books, "LARGE", 200)
    account = create.account()
    with reading() as look:
        rule_books.exact(look.connection(), account.id, publish(account, 300, "a"))
    newest = publish(account, 300, "b")
    until(lambda: rule_books._books[account.id].version == newest)


def until(holds) -> None:
    ends = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.02)
