"""A reader with a cursor sees every number once, in order, whatever order the writers commit in."""

import random
import time

import pytest
from sqlalchemy import select, text

from bot.database import reading, transaction
from bot.services import conversations, journal
from models import Conversation, Follower, JournalEntry, JournalHead
from tests.processes import at_once

EACH = 40
WRITERS = 8
only_postgresql = pytest.mark.parametrize("database_kind", ["postgresql"])  # SQLite's writers go one by one


def write(number: int, talk_ids: list[int]) -> list[int]:
    chance = random.Random(number)
    for _ in range(EACH):
        with transaction() as session:
            talk = session.get_one(Conversation, talk_ids[number])
            conversations.hold(session, talk.follower_id)
            time.sleep(chance.random() / 200)
            journal.append(session, talk, journal.NOTED)
            time.sleep(chance.random() / 200)  # the commit comes later, in any order
    return []


def write_loosely(number: int, talk_ids: list[int]) -> list[int]:
    """With a plain sequence: nobody waits for who has a lower number and has not committed."""
    chance = random.Random(number)
    for _ in range(EACH):
        with transaction() as session:
            talk = session.get_one(Conversation, talk_ids[number])
            seq = session.scalar(text("SELECT nextval('loose')"))
            session.add(JournalEntry(account_id=talk.account_id, seq=seq, kind="noted", conversation_id=talk.id))
            session.flush()
            time.sleep(chance.random() / 100)
    return []


def work(number: int, talk_ids: list[int], name: str) -> list[int]:
    """The last process reads; the others write."""
    if number < WRITERS:
        return (write if name == "write" else write_loosely)(number, talk_ids)
    seen: list[int] = []
    last_news = time.monotonic()
    while time.monotonic() - last_news < 3 and len(seen) < WRITERS * (EACH + 1):
        with reading() as session:
            cursor = seen[-1] if seen else 0
            found = session.scalars(
                select(JournalEntry.seq).where(JournalEntry.seq > cursor).order_by(JournalEntry.seq)
            ).all()
        if found:
            seen += found
            last_news = time.monotonic()
    return seen


@pytest.fixture
def talks(create, redis) -> list[int]:
    account = create.account()
    followers = [create.follower(account).id for _ in range(WRITERS)]
    with transaction() as session:
        return [conversations.take(session, account, session.get_one(Follower, each)).id for each in followers]


@only_postgresql
def test_eight_writers_leave_no_gap_for_a_reader(database_kind, talks):
    *_, seen = at_once(WRITERS + 1, work, talks, "write")

    assert seen == list(range(1, WRITERS * (EACH + 1) + 1))  # each "opened" too


@only_postgresql
def test_a_plain_sequence_would(database_kind, talks, session):
    """Negative control: numbers taken without the head's lock are committed in another order, and the reader misses
    those that come late."""
    session.execute(text(f"CREATE SEQUENCE loose START {WRITERS + 1}"))
    session.commit()

    *_, seen = at_once(WRITERS + 1, work, talks, "loose")

    assert len(seen) < WRITERS * (EACH + 1)


@pytest.mark.databases
def test_what_is_rolled_back_leaves_no_number(talks, session):
    def fails() -> None:
        with transaction() as own:
            journal.append(own, own.get_one(Conversation, talks[0]), journal.NOTED)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()

    assert session.scalars(select(JournalHead.last)).one() == WRITERS
    assert len(session.scalars(select(JournalEntry)).all()) == WRITERS
