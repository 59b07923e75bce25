"""Two agents and a follower at once: nobody answers what they have not read, and one press is one message."""

import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from bot import clock
from bot.database import reading, transaction
from bot.errors import Conflict
from bot.jobs import sends as jobs
from bot.services import conversations, sends
from bot.wechat.messages import Text
from models import Account, Conversation, Follower, JournalEntry, Operator, Send, SendStatus
from tests.processes import at_once


@pytest.fixture
def account(create):
    return create.account()


def talk_of(account, follower) -> int:
    with transaction() as session:
        return conversations.take(session, account, session.get_one(Follower, follower.id)).id


# -- INB-2: no blind reply


def agent_answers(talk_id: int, operator_id: int, rounds: int, *, states_it: bool) -> list[tuple[int, int]]:
    """Look, think, answer; for each answer that was taken its send and what its author had seen."""
    taken, chance = [], random.Random(operator_id)
    for _ in range(rounds):
        with reading() as session:
            seen = session.get_one(Conversation, talk_id).seq
        time.sleep(chance.random() / 100)
        try:
            with transaction() as session:
                talk = session.get_one(Conversation, talk_id)
                account, who = session.get_one(Account, talk.account_id), session.get_one(Operator, operator_id)
                told = seen if states_it else None
                taken.append((conversations.reply(session, account, talk, who, Text(text="Yes"), seen=told).id, seen))
        except Conflict:
            continue
    return taken


def follower_writes(follower_id: int, rounds: int) -> None:
    chance = random.Random(follower_id)
    for _ in range(rounds):
        time.sleep(chance.random() / 50)
        with transaction() as session:
            conversations.hold(session, follower_id)  # as the webhook does when it meets them
            conversations.wrote(session, follower_id, clock.now(), "And this?")


def blind(account, create, rounds: int, *, states_it: bool) -> tuple[int, int]:
    """How many answers were taken, and how many of them overlooked something."""
    follower = create.follower(account, may_get=10_000)
    people = [create.operator(f"agent {n}").id for n in range(2)]
    talk_id = talk_of(account, follower)
    with ThreadPoolExecutor(3) as pool:
        agents = [pool.submit(agent_answers, talk_id, each, rounds, states_it=states_it) for each in people]
        writes = pool.submit(follower_writes, follower.id, rounds)
        taken = dict(answer for agent in agents for answer in agent.result(100))
        writes.result(100)
    with reading() as session:
        said = session.scalars(select(JournalEntry).where(JournalEntry.kind.in_(("wrote", "replied")))).all()
    replies = {entry.detail["send"]: entry.seq for entry in said if entry.kind == "replied"}
    overlooked = sum(any(seen < entry.seq < replies[send] for entry in said) for send, seen in taken.items())
    return len(taken), overlooked


@pytest.mark.databases
@pytest.mark.parametrize(
    "rounds", [100, pytest.param(1000, marks=[pytest.mark.campaign, pytest.mark.timeout(600)])], ids=["short", "full"]
)
def test_no_answer_overlooks_what_was_said_meanwhile(account, create, redis, rounds):
    taken, overlooked = blind(account, create, rounds, states_it=True)

    assert taken > rounds / 10
    assert overlooked == 0


@pytest.mark.databases
def test_without_saying_what_was_seen_they_do(account, create, redis):
    """Negative control."""
    taken, overlooked = blind(account, create, 50, states_it=False)

    assert taken == 100
    assert overlooked > 0


# -- INB-3: one send per intention


def press(number: int, account_id: int, talk_ids: list[int]) -> int | str:
    try:
        with transaction() as session:
            talk = session.get_one(Conversation, talk_ids[number % len(talk_ids)])
            account = session.get_one(Account, account_id)
            return conversations.reply(session, account, talk, None, Text(text="Hi"), intent="one-press").id
    except Conflict as refused:
        return str(refused)


@pytest.mark.databases
def test_one_press_makes_one_message_however_often_it_comes(account, create, redis):
    talk_id = talk_of(account, create.follower(account, may_get=5))

    found = at_once(4, press, account.id, [talk_id])

    assert len(set(found)) == 1
    with reading() as session:
        assert session.scalars(select(Send.id)).all() == [found[0]]
        assert session.scalar(select(func.count()).where(JournalEntry.kind == "replied")) == 1


@pytest.mark.databases
def test_one_key_for_two_followers_is_refused_to_whoever_comes_second(account, create, redis):
    talks = [talk_of(account, create.follower(account, may_get=5)) for _ in range(2)]

    found = at_once(4, press, account.id, talks)

    assert set(filter(lambda each: isinstance(each, str), found)) == {conversations.KEY_USED}
    with reading() as session:
        assert session.scalar(select(func.count(Send.id))) == 1


@pytest.fixture
def connected(create, live, sim):
    account = create.account()
    sim.connect(account, live)
    return account


def test_an_unanswered_call_is_not_known_and_pressing_again_repeats_nothing(connected, create, sim, work):
    openid = sim.follower(connected)
    follower = create.follower(connected, openid=openid)
    sim.say(connected, openid, "hello")
    talk_id = talk_of(connected, follower)
    fault = {"path": "/cgi-bin/message/custom/send", "times": 1, "cut": "reply"}
    assert sim.http.post(f"{sim.address}/sim/faults", timeout=10, json=fault).ok

    first = press(0, connected.id, [talk_id])
    work()
    sim.wait(200)
    again = press(0, connected.id, [talk_id])
    work()
    jobs.deliver(first)

    assert again == first
    with reading() as session:
        send = session.get_one(Send, first)
        assert (send.status, send.error) == (SendStatus.UNKNOWN, send.error or sends.NO_ANSWER)
        ended = session.scalars(select(JournalEntry).where(JournalEntry.kind == "settled")).all()
    assert [entry.detail["status"] for entry in ended] == ["unknown"]
    assert [each["text"] for each in sim.inbox(connected, openid) if each["kind"] == "customer"] == ["Hi"]
