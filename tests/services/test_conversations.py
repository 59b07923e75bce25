from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from bot import clock
from bot.database import reading, transaction
from bot.errors import Conflict, NotFound
from bot.services import conversations
from bot.wechat.messages import Text
from models import Account, Conversation, Follower, Send
from tests.flows.phone import wait
from tests.processes import at_once


@pytest.fixture
def account(create):
    return create.account()


@pytest.fixture
def follower(create, account):
    return create.follower(account)


def take_it(number: int, account_id: int, follower_id: int) -> int:
    with transaction() as session:
        account, follower = session.get_one(Account, account_id), session.get_one(Follower, follower_id)
        return conversations.take(session, account, follower).id


def count() -> int:
    with reading() as session:
        return session.scalar(select(func.count(Conversation.id))) or 0


@pytest.mark.databases
def test_two_people_who_take_it_at_once_share_one(account, follower, redis):
    ids = at_once(3, take_it, account.id, follower.id)

    assert len(set(ids)) == 1
    assert count() == 1


@pytest.mark.databases
def test_the_index_is_what_makes_it_one(account, follower, redis, session):
    """Negative control: without it there are two open ones."""
    session.execute(text("DROP INDEX uq_conversations_open"))
    session.commit()

    with pytest.raises(RuntimeError, match="MultipleResultsFound"):
        at_once(2, take_it, account.id, follower.id)
    assert count() >= 1


def test_an_answer_keeps_the_bot_silent_and_ends_the_wait(account, follower, session, redis):
    talk = conversations.take(session, account, follower, is_waiting=True)
    wait(100)

    conversations.reply(session, account, talk, None, Text(text="Here"))
    session.commit()

    session.refresh(follower)
    assert talk.waiting_since is None
    assert follower.silent_until > clock.now() + timedelta(minutes=account.handover_minutes - 1)
    assert session.scalars(select(Send.reply)).one()["text"] == "Here"


def test_a_closed_one_takes_no_answer(account, follower, session, redis):
    talk = conversations.take(session, account, follower)
    conversations.hand_back(session, account, talk)

    with pytest.raises(Conflict):
        conversations.reply(session, account, talk, None, Text(text="Too late"))

    assert session.scalar(select(func.count(Send.id))) == 0


def test_handing_back_twice_changes_nothing(account, follower, session):
    talk = conversations.take(session, account, follower)
    conversations.hand_back(session, account, talk)
    closed = talk.closed_at
    wait(10)

    conversations.hand_back(session, account, talk)

    assert (talk.closed_at, talk.closed_why) == (closed, "handed_back")


def test_what_nobody_answered_ends_by_itself(account, create, session):
    late, fresh = create.follower(account), create.follower(account)
    conversations.take(session, account, late)
    session.commit()
    wait(account.handover_minutes * 60 - 10)
    conversations.take(session, account, fresh)
    session.commit()
    wait(20)

    assert conversations.close_timed_out(session, clock.now()) == 1
    session.commit()
    assert [talk.follower_id for talk in conversations.list_open(session, account)] == [fresh.id]
    assert [talk.closed_why for talk in conversations.list_closed(session, account)] == ["timed_out"]


def test_those_who_wait_longest_come_first(account, create, session):
    people = [create.follower(account) for _ in range(3)]
    for person, waiting in zip(people, (False, True, True), strict=True):
        conversations.take(session, account, person, is_waiting=waiting)
        session.commit()
        wait(5)

    found = [talk.follower_id for talk in conversations.list_open(session, account)]
    assert found == [people[1].id, people[2].id, people[0].id]


def test_another_accounts_is_not_found(account, follower, create, session):
    talk = conversations.take(session, account, follower)

    with pytest.raises(NotFound):
        conversations.get(session, create.account("theirs"), talk.id)
