"""Who gets the next conversation: never two people, nobody beyond what they take on, the longest wait first."""

import subprocess
import sys
import time
from collections import Counter
from os import environ

import pytest
from sqlalchemy import select, update

from bot import clock
from bot.database import reading, transaction
from bot.jobs import inbox
from bot.services import assignments, conversations
from models import Account, Agent, Assigning, Conversation, Follower, JournalEntry, Role
from tests.flows.phone import wait
from tests.processes import at_once
from tests.stack import until

AGENTS, ARRIVALS, PROCESSES = 50, 200, 4


def staff(create, account, count: int, capacity: int = 10) -> list[int]:
    people = [create.operator(f"agent {n}", role=Role.AGENT, account=account).id for n in range(count)]
    with transaction() as session:
        for each in people:
            session.add(Agent(account_id=account.id, operator_id=each, capacity=capacity, seen_at=clock.now()))
    return people


def arrive(account_id: int, follower_ids: list[int]) -> None:
    for follower_id in follower_ids:
        with transaction() as session:
            conversations.open_for(session, account_id, follower_id, 60, clock.now(), is_waiting=True)


def arrive_and_assign(number: int, account_id: int, follower_ids: list[int], breaks: str = "") -> None:
    """One of several processes: its share of the followers asks for a person, and it gives away whoever waits."""
    if breaks:  # the agents' rows are looked at, not held
        held = assignments._present

        class Unheld:
            def __init__(self, query) -> None:
                self.query = query

            def with_for_update(self):
                time.sleep(0.01)
                return self.query

        assignments._present = lambda *given: Unheld(held(*given))
    for follower_id in follower_ids[number::PROCESSES]:
        arrive(account_id, [follower_id])
        inbox.assign(account_id)


def rows() -> list[Conversation]:
    with reading() as session:
        return list(session.scalars(select(Conversation).order_by(Conversation.id)))


def given() -> Counter[int]:
    """Conversation → how often it was given to somebody."""
    with reading() as session:
        return Counter(
            session.scalars(select(JournalEntry.conversation_id).where(JournalEntry.kind == "assigned")).all()
        )


@pytest.mark.databases
@pytest.mark.parametrize(
    "rule", [Assigning.ROUND_ROBIN, pytest.param(Assigning.LEAST_LOADED, marks=pytest.mark.campaign)]
)
def test_two_hundred_arrive_at_once(create, redis, session, rule):
    account = create.account()
    session.execute(update(Account).values(assigning=rule))
    session.commit()
    people = staff(create, account, AGENTS, capacity=5)
    followers = [create.follower(account).id for _ in range(ARRIVALS)]

    at_once(PROCESSES, arrive_and_assign, account.id, followers)
    assert until(lambda: inbox.assign(account.id) or len(given()) == ARRIVALS, 20)

    loads = Counter(row.assignee_id for row in rows())
    assert set(given().values()) == {1}
    assert set(loads) == set(people)
    assert max(loads.values()) - min(loads.values()) <= 1


@pytest.mark.databases
def test_nobody_gets_more_than_they_take_on(create, redis, session):
    account = create.account()
    session.execute(update(Account).values(assigning=Assigning.LEAST_LOADED))
    session.commit()
    people = staff(create, account, 3, capacity=4)
    followers = [create.follower(account).id for _ in range(40)]

    at_once(PROCESSES, arrive_and_assign, account.id, followers)
    inbox.assign(account.id)

    loads = Counter(row.assignee_id for row in rows())
    assert {each: loads[each] for each in people} == dict.fromkeys(people, 4)
    assert loads[None] == 28


@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_without_the_agents_lock_somebody_gets_too_many(database_kind, create, redis, session):
    """Negative control: each counts the others' conversations as not there."""
    account = create.account()
    session.execute(update(Account).values(assigning=Assigning.LEAST_LOADED))
    session.commit()
    staff(create, account, 3, capacity=1)
    followers = [create.follower(account).id for _ in range(40)]

    at_once(PROCESSES, arrive_and_assign, account.id, followers, "unheld")

    loads = Counter(row.assignee_id for row in rows())
    del loads[None]
    assert max(loads.values()) > 1


@pytest.mark.databases
def test_whoever_has_gone_gives_back_who_waits_and_the_journal_says_so(create, redis, session):
    account = create.account()
    [person] = staff(create, account, 1)
    for is_waiting in (True, False):
        with transaction() as own:
            follower = own.get_one(Follower, create.follower(account).id)
            talk = conversations.take(own, account, follower, is_waiting=is_waiting)
            conversations.assign(own, account, talk, own.get_one(Agent, 1).operator)

    wait(account.offline_minutes * 60 - 5)
    inbox.look_after()
    assert [row.assignee_id for row in rows()] == [person, person]
    wait(10)
    inbox.look_after()

    assert [row.assignee_id for row in rows()] == [None, person]  # who waits for nothing stays
    [note] = session.scalars(select(JournalEntry).where(JournalEntry.kind == "returned"))
    assert (note.detail, note.who) == ({"was": "agent 0", "why": "offline"}, "")


def test_who_never_opened_the_inbox_gives_back_too(create, redis, session):
    account = create.account()
    person = create.operator("absent", role=Role.AGENT, account=account)
    with transaction() as own:
        follower = own.get_one(Follower, create.follower(account).id)
        talk = conversations.take(own, account, follower, is_waiting=True)
        conversations.assign(own, account, talk, person)
    wait(account.offline_minutes * 60 + 5)

    inbox.look_after()

    assert [row.assignee_id for row in rows()] == [None]


@pytest.mark.databases
def test_the_longest_wait_is_next_as_soon_as_there_is_room(create, redis, session, tmp_path):
    account = create.account()
    session.execute(update(Account).values(assigning=Assigning.ROUND_ROBIN))
    session.commit()
    [person] = staff(create, account, 1, capacity=1)
    followers = [create.follower(account).id for _ in range(4)]
    arrive(account.id, followers)
    with open(tmp_path / "worker.log", "ab") as out:
        worker = subprocess.Popen([sys.executable, "-m", "worker", "replies"], stdout=out, stderr=out, env=environ)
    try:
        assert until(lambda: rows()[0].assignee_id == person, 30)
        for place in range(3):
            assert [row.assignee_id for row in rows()[place:]] == [person] + [None] * (3 - place)
            with transaction() as own:
                conversations.hand_back(own, account, own.get_one(Conversation, rows()[place].id))
            # By its hint, long before the clock comes by; on a quiet machine within a second.
            assert until(lambda at=place + 1: rows()[at].assignee_id == person, 8)
    finally:
        worker.terminate()
        worker.wait(20)
