"""Handover is a lease: once a person's takeover is committed, no message of the bot's starts."""

import threading

import pytest
from sqlalchemy import select

from bot import clock
from bot.database import inbound, reading, transaction
from bot.jobs import sends as jobs
from bot.services import conversations, journal, messages, sends
from bot.wechat.messages import Message, Text
from models import Follower, JournalEntry, Send, SendStatus
from tests.stack import until

PARTS = 5  # of the bot's answer, beyond the one that is the direct reply


@pytest.fixture
def account(create, live, sim):
    account = create.account()
    sim.connect(account, live)
    replies = [{"kind": "text", "text": f"bot {n}"} for n in range(5)]
    create.rule(account, "story", mode="exact", replies=replies)
    return account


@pytest.fixture
def follower(account, create, sim):
    return create.follower(account, openid=sim.follower(account))


def take_over(account, follower) -> int:
    with transaction() as session:
        return conversations.take(session, account, session.get_one(Follower, follower.id)).id


def waiting() -> list[int]:
    with reading() as session:
        return list(session.scalars(select(Send.id).where(Send.status == SendStatus.READY).order_by(Send.id)))


def from_bot(sim, account, follower) -> list[str]:
    return [each["text"] for each in sim.inbox(account, follower.openid) if each["kind"] == "customer"]


def thread(account, follower) -> dict[str, str]:
    with reading() as session:
        turns = messages.timeline(session, account, session.get_one(Follower, follower.id))
        return {turn.text: turn.status for turn in turns if turn.side == "bot"}


@pytest.mark.databases
@pytest.mark.parametrize("sent", range(5))
def test_taking_over_at_any_part_of_an_answer_stops_the_rest(account, follower, sim, work, redis, sent):
    sim.say(account, follower.openid, "story")
    parts = waiting()
    assert len(parts) == 4
    for send_id in parts[:sent]:
        jobs.deliver(send_id)
    arrived = from_bot(sim, account, follower)
    assert len(arrived) == min(sent, 4)

    take_over(account, follower)
    work()
    for send_id in parts:
        jobs.deliver(send_id)
    sim.wait(3600 + 60)  # nor afterwards, when the bot answers again
    for send_id in parts:
        jobs.deliver(send_id)

    assert from_bot(sim, account, follower) == arrived
    told = thread(account, follower)
    assert [told[f"bot {n}"] for n in range(1, 5)] == ["sent"] * len(arrived) + ["failed"] * (4 - len(arrived))


def test_without_the_checks_the_rest_arrives(account, follower, sim, work, monkeypatch):
    """Negative control."""
    sim.say(account, follower.openid, "story")
    monkeypatch.setattr(sends, "_why_not", lambda *_: "")
    monkeypatch.setattr(sends, "cancel", lambda *_, **__: None)

    take_over(account, follower)
    work()

    assert len(from_bot(sim, account, follower)) == 4


@pytest.mark.parametrize("safeguard", ["_why_not", "cancel"])
def test_each_of_the_two_checks_is_enough(account, follower, sim, work, monkeypatch, safeguard):
    sim.say(account, follower.openid, "story")
    off = {"_why_not": lambda *_: "", "cancel": lambda *_, **__: None}
    monkeypatch.setattr(sends, safeguard, off[safeguard])

    take_over(account, follower)
    work()

    assert from_bot(sim, account, follower) == []


def test_what_is_put_off_for_a_busy_wechat_is_not_sent_after_it(account, follower, sim):
    sim.say(account, follower.openid, "story")
    fault = {"path": "/cgi-bin/message/custom/send", "times": 1, "errcode": -1}
    assert sim.http.post(f"{sim.address}/sim/faults", timeout=10, json=fault).ok
    [first, *_] = waiting()
    jobs.deliver(first)

    take_over(account, follower)
    sim.wait(60)
    jobs.deliver(first)

    assert from_bot(sim, account, follower) == []


def test_a_call_under_way_arrives_and_is_seen_in_the_thread(account, follower, sim):
    sim.say(account, follower.openid, "story")
    fault = {"path": "/cgi-bin/message/custom/send", "times": 1, "delay_ms": 1500}
    assert sim.http.post(f"{sim.address}/sim/faults", timeout=10, json=fault).ok
    [first, *_] = waiting()
    call = threading.Thread(target=jobs.deliver, args=(first,))
    call.start()
    assert until(lambda: thread(account, follower)["bot 1"] == "sending", 10)

    take_over(account, follower)

    assert thread(account, follower) == {
        "bot 0": "sent", "bot 1": "sending", "bot 2": "failed", "bot 3": "failed", "bot 4": "failed",
    }  # fmt: skip
    call.join(10)
    assert thread(account, follower)["bot 1"] == "sent"
    assert from_bot(sim, account, follower) == ["bot 1"]


@pytest.mark.parametrize("database_kind", ["postgresql"])  # on SQLite it would wait for the webhook to end
def test_taking_over_waits_for_a_message_that_is_being_answered_and_stops_its_later_parts(
    database_kind, account, follower, sim, redis
):
    taken = threading.Thread(target=take_over, args=(account, follower))
    with inbound() as connection:  # the webhook, between what it decides and its commit
        writer = messages.meet(connection, account.id, Message(openid=follower.openid, kind="text"), clock.now())
        taken.start()
        taken.join(0.5)
        assert taken.is_alive()
        from sqlalchemy.orm import Session

        with Session(connection, join_transaction_mode="rollback_only") as session:
            message_id = messages.enter(
                connection, account.id, Message(openid=follower.openid, kind="text"), clock.now(),
                follower_id=writer.id, trace=[],
            )  # fmt: skip
            send_id = sends.create(session, account.id, writer.id, Text(text="late"), message_id=message_id).id
            session.flush()
    taken.join(10)
    jobs.deliver(send_id)

    assert from_bot(sim, account, follower) == []
    assert thread(account, follower)["late"] == "failed"


@pytest.mark.parametrize("end", ["handed_back", "timed_out"])
def test_the_end_of_the_human_stretch_is_told_and_the_bot_answers(account, follower, sim, session, work, end):
    talk_id = take_over(account, follower)
    if end == "handed_back":
        with transaction() as own:
            conversations.hand_back(own, account, conversations.get(own, account, talk_id))
    else:
        sim.wait(account.handover_minutes * 60 + 5)

    sim.say(account, follower.openid, "story")
    work()

    entries = session.scalars(select(JournalEntry).order_by(JournalEntry.seq)).all()
    assert [entry.kind for entry in entries] == [journal.OPENED, journal.CLOSED]
    assert entries[-1].detail["why"] == end
    assert len(from_bot(sim, account, follower)) == 4
