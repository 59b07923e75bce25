from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, text

from bot import clock
from bot.database import reading, transaction
from bot.errors import Conflict, NotFound, Refused
from bot.services import conversation_bulk, conversation_queues, conversation_times, conversations
from bot.services.conversation_bulk import Bulk
from bot.services.conversation_queues import Queue
from bot.wechat.messages import Text
from models import Account, Conversation, Follower, Send
from tests.flows.phone import Phone, wait
from tests.processes import at_once
from tests.stack import until


@pytest.fixture
def account(create):
    return create.account()


@pytest.fixture
def follower(create, account):
    return create.follower(account, may_get=5)


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


def test_an_answer_that_wechat_would_refuse_is_refused_at_once(account, create, session):
    talk = conversations.take(session, account, create.follower(account))

    with pytest.raises(Refused, match="must write first"):
        conversations.reply(session, account, talk, None, Text(text="x"))


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

    assert conversation_times.close_timed_out(session, clock.now()) == 1
    session.commit()
    assert [talk.follower_id for talk in conversation_queues.page(session, account, Queue.OPEN)] == [fresh.id]
    assert [talk.closed_why for talk in conversation_queues.page(session, account, Queue.CLOSED)] == ["timed_out"]


only_postgresql = pytest.mark.parametrize("database_kind", ["postgresql"])  # SQLite's writers go one by one


@only_postgresql
@pytest.mark.parametrize("act", ["take", "reply", "hand_back"])
def test_a_person_waits_for_the_followers_row_and_holds_nothing_meanwhile(
    database_kind, account, follower, redis, session, act
):
    """Otherwise the webhook, which holds that row, and the person would wait for each other."""
    talk = conversations.take(session, account, follower)
    if act == "take":
        conversations.hand_back(session, account, talk)
    session.commit()

    def person() -> None:
        with transaction() as own:
            match act:
                case "take":
                    conversations.take(own, account, follower)
                case "reply":
                    conversations.reply(own, account, own.get_one(Conversation, talk.id), None, Text(text="Here"))
                case "hand_back":
                    conversations.hand_back(own, account, own.get_one(Conversation, talk.id))

    with ThreadPoolExecutor(1) as pool:
        session.execute(select(Follower).with_for_update())
        waiting = pool.submit(person)
        assert until(lambda: session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")), 10)
        conversations.open_for(session, account.id, follower.id, 60, clock.now(), is_waiting=True)  # as a webhook does
        conversations.wrote(session, follower.id, clock.now())
        session.commit()
        waiting.result(10)


@only_postgresql
def test_an_answer_that_comes_too_late_does_not_silence_the_bot(database_kind, account, follower, redis, session):
    talk = conversations.take(session, account, follower)
    session.commit()

    with transaction() as person:
        seen = person.get_one(Conversation, talk.id)
        assert seen.is_open
        conversations.close(session, follower.id, "timed_out", clock.now())
        session.commit()
        with pytest.raises(Conflict):
            conversations.reply(person, account, seen, None, Text(text="Too late"))
        person.rollback()

    session.refresh(follower)
    assert follower.silent_until is None


@only_postgresql
def test_who_is_answered_at_the_last_moment_is_not_timed_out(database_kind, account, follower, redis, session):
    talk = conversations.take(session, account, follower)
    session.commit()
    wait(account.handover_minutes * 60 + 1)

    with transaction() as person:
        conversations.reply(person, account, person.get_one(Conversation, talk.id), None, Text(text="Here"))
        assert conversation_times.close_timed_out(session, clock.now()) == 0
    session.commit()

    assert conversation_times.close_timed_out(session, clock.now()) == 0
    session.refresh(talk)
    assert talk.is_open


def test_those_who_wait_longest_come_first(account, create, session):
    people = [create.follower(account) for _ in range(3)]
    for person, waiting in zip(people, (False, True, True), strict=True):
        conversations.take(session, account, person, is_waiting=waiting)
        session.commit()
        wait(5)

    found = [talk.follower_id for talk in conversation_queues.page(session, account, Queue.OPEN)]
    assert found == [people[1].id, people[2].id, people[0].id]
    assert conversation_queues.count_waiting(session, account) == 2
    conversations.close(session, people[1].id, "answered", clock.now())
    assert conversation_queues.count_waiting(session, account) == 1
    assert conversation_queues.count_waiting(session, create.account("theirs")) == 0


def test_another_accounts_is_not_found(account, follower, create, session):
    talk = conversations.take(session, account, follower)

    with pytest.raises(NotFound):
        conversations.get(session, create.account("theirs"), talk.id)


def test_putting_off_until_a_time_of_another_zone_can_be_taken_back(session, create):
    account = create.account()
    talk = conversations.take(session, account, create.follower(account))
    until = (clock.now() + timedelta(hours=1)).astimezone(ZoneInfo("Asia/Shanghai"))
    press = conversation_bulk.run(session, account, [talk.id], Bulk("snooze", until=until))

    outcome = conversation_bulk.undo(session, account, press.id)

    assert (outcome.done, outcome.refused, talk.snoozed_until) == ([talk.id], {}, None)


def test_whoever_takes_over_sees_what_was_said_before(session, create, client):
    account = create.account()
    phone = Phone(account, client)
    phone.say("请问几点开门")
    follower = session.scalars(select(Follower)).one()

    talk = conversations.take(session, account, follower)

    assert (talk.preview, talk.preview_side) == ("请问几点开门", "follower")
