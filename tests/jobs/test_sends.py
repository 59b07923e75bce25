from datetime import timedelta

import pytest
from sqlalchemy import select, update

from bot import clock
from bot.database import reading, transaction
from bot.jobs import sends as jobs
from bot.services import sends
from bot.services.tokens import AccountClient
from bot.wechat.messages import Silence, Text
from models import Account, ReplyWindow, Send, SendStatus


@pytest.fixture
def account(create, live, sim):
    account = create.account()
    sim.connect(account, live)
    return account


@pytest.fixture
def follower(account, create, sim):
    """Someone who just wrote, here and at WeChat."""
    openid = sim.follower(account)
    follower = create.follower(account, openid=openid)
    sim.say(account, openid, "hello")
    return follower


@pytest.fixture
def fault(sim):
    def fault(**values) -> None:
        answer = sim.http.post(f"{sim.address}/sim/faults", timeout=10, json={"times": 1, **values})
        assert answer.ok, answer.text

    return lambda **values: fault(path="/cgi-bin/message/custom/send", **values)


def send(account, follower, reply=None) -> int:
    with transaction() as session:
        return sends.create(session, account.id, follower.id, reply or Text(text="Good day")).id


def row(send_id) -> Send:
    with reading() as session:
        return session.get_one(Send, send_id)


def left(follower) -> int:
    with reading() as session:
        return sum(session.scalars(select(ReplyWindow.left).where(ReplyWindow.follower_id == follower.id)))


def received(sim, account, follower) -> list[str]:
    return [each["text"] for each in sim.inbox(account, follower.openid) if each["kind"] == "customer"]


def test_sends_once(account, follower, sim):
    send_id = send(account, follower)

    for _ in range(3):
        jobs.deliver(send_id)

    assert received(sim, account, follower) == ["Good day"]
    assert row(send_id).status is SendStatus.SENT
    assert row(send_id).sent_at
    assert left(follower) == 4


def test_a_busy_wechat_is_asked_again_later(account, follower, sim, fault):
    fault(errcode=-1)
    send_id = send(account, follower)

    jobs.deliver(send_id)
    assert (row(send_id).status, left(follower)) == (SendStatus.READY, 5)
    assert timedelta(seconds=3) < row(send_id).due_at - clock.now() < timedelta(seconds=6)
    jobs.deliver(send_id)  # not yet
    assert received(sim, account, follower) == []

    sim.wait(6)
    jobs.deliver(send_id)
    assert received(sim, account, follower) == ["Good day"]


def test_a_lost_answer_is_never_repeated(account, follower, sim, fault):
    fault(cut="reply")
    send_id = send(account, follower)

    jobs.deliver(send_id)
    assert row(send_id).status is SendStatus.UNKNOWN
    assert row(send_id).error

    sim.wait(3600)
    jobs.deliver(send_id)
    assert received(sim, account, follower) == ["Good day"]  # WeChat had it


@pytest.mark.parametrize(
    ("errcode", "word"), [(45015, "window"), (48001, "function"), (40164, "whitelist"), (45002, "")]
)
def test_a_refusal_ends_it_with_advice(account, follower, sim, fault, errcode, word):
    fault(errcode=errcode)
    send_id = send(account, follower)

    jobs.deliver(send_id)

    told = row(send_id)
    assert (told.status, told.errcode) == (SendStatus.FAILED, errcode)
    assert told.error
    assert word in told.error.lower() or errcode == 45015
    sim.wait(3600)
    jobs.deliver(send_id)
    assert received(sim, account, follower) == []


def test_a_used_up_day_waits_for_the_next(account, follower, fault):
    fault(errcode=45009)
    send_id = send(account, follower)

    jobs.deliver(send_id)

    wait = row(send_id).due_at - clock.now()
    assert row(send_id).status is SendStatus.READY
    assert timedelta(0) < wait <= timedelta(days=1)


def test_a_refused_token_is_replaced_unseen(account, follower, sim, fault):
    fault(errcode=40001)
    send_id = send(account, follower)

    jobs.deliver(send_id)

    assert row(send_id).status is SendStatus.SENT
    assert received(sim, account, follower) == ["Good day"]


def test_what_a_message_cannot_say_ends_before_the_call(account, follower):
    send_id = send(account, follower, Silence())

    jobs.deliver(send_id)

    assert row(send_id).status is SendStatus.FAILED
    assert "direct reply" in row(send_id).error


def test_a_worker_killed_in_the_call_leaves_an_unknown(account, follower, sim, monkeypatch):
    class Killed(BaseException):
        pass

    def die(client, openid, body) -> None:
        raise Killed

    send_id = send(account, follower)
    monkeypatch.setattr(AccountClient, "send", die)
    with pytest.raises(Killed):
        jobs.deliver(send_id)
    assert row(send_id).status is SendStatus.SENDING
    monkeypatch.undo()

    with transaction() as session:
        sends.expire(session, clock.now() + timedelta(seconds=121))
    assert row(send_id).status is SendStatus.UNKNOWN
    jobs.deliver(send_id)
    assert received(sim, account, follower) == []


def test_a_lost_master_key_is_told_and_nothing_is_sent(account, follower, sim):
    with transaction() as session:
        session.execute(update(Account).where(Account.id == account.id).values(sealed_secret="v1:gone:AAAA"))
    send_id = send(account, follower)

    jobs.deliver(send_id)

    assert row(send_id).status is SendStatus.FAILED
    assert "LOBBY_SECRET_KEY" in row(send_id).error
    assert received(sim, account, follower) == []
