"""The meter is WeChat's own: whatever a follower does and however agents answer, WeChat never refuses for its quota."""

import random

import pytest
from sqlalchemy import select

from bot import clock
from bot.database import reading, transaction
from bot.errors import Refused
from bot.jobs import sends as jobs
from bot.services import conversations, sends
from bot.wechat.messages import Text
from models import Conversation, Follower, Send, SendStatus

QUOTA = {45015, 45047}
MARGIN_SECONDS = 15  # near a window's end ours is shut a little before WeChat's


@pytest.fixture
def account(create, live, sim):
    account = create.account(handover_minutes=2880)
    sim.connect(account, live)
    return account


def of_wechat(sim, account, openid: str) -> int | None:
    """What the window that closes last still takes; None: too near a window's end to say."""
    windows = sim.get("windows", account=account.slug, openid=openid)["windows"]
    if any(window["seconds"] < MARGIN_SECONDS for window in windows):
        return None
    return next((window["remaining"] for window in reversed(windows) if window["remaining"]), 0)


def schedule(account, create, sim, seed: int) -> int:
    """Some days of one follower and an agent; how often the meter was compared."""
    chance, compared = random.Random(seed), 0
    openid = sim.follower(account, f"follower {seed}")
    follower = create.follower(account, openid=openid)
    with transaction() as session:
        talk_id = conversations.take(session, account, session.get_one(Follower, follower.id)).id
    for _ in range(chance.randint(5, 12)):
        match chance.choice(("say", "tap", "wait", "answer", "answer", "answer", "burst")):
            case "say":
                sim.say(account, openid, "hello")
            case "tap":
                sim.wait(1)  # two taps of one second are one to us: WeChat's repeats look the same
                sim.happen(account, openid, "CLICK", event_key="K")
            case "wait":
                sim.wait(chance.choice((1, 20, 35, 45, 61, 3600, 40_000, 130_000, 172_790)))
            case "answer":
                answer(account, talk_id)
                deliver()
            case "burst":
                for _ in range(6):
                    answer(account, talk_id)
                deliver()
        with reading() as session:
            meter = sends.allowance(session, follower.id).left
        told = of_wechat(sim, account, openid)
        if told is not None:
            assert meter == told
            compared += 1
    return compared


def answer(account, talk_id: int) -> None:
    with transaction() as session:
        talk = session.get_one(Conversation, talk_id)
        if not talk.is_open:
            talk = conversations.take(session, account, talk.follower)
        try:
            conversations.reply(session, account, talk, None, Text(text="Yes"))
        except Refused:
            assert sends.allowance(session, talk.follower_id).left == 0


def deliver() -> None:
    """All that waits, in its order, as the worker would."""
    while True:
        with reading() as session:
            due = sends.due(session, clock.now())
        if not due:
            return
        for send_id in due:
            jobs.deliver(send_id)


def outcomes() -> tuple[set[int | None], int]:
    with reading() as session:
        rows = session.scalars(select(Send)).all()
        return {row.errcode for row in rows}, sum(row.status is SendStatus.SENT for row in rows)


def test_wechat_never_refuses_an_agents_answer_for_its_quota(account, create, sim):
    compared = sum(schedule(account, create, sim, seed) for seed in range(40))

    errors, sent = outcomes()
    assert not errors & QUOTA
    assert sent > 40
    assert compared > 100


@pytest.mark.campaign
@pytest.mark.timeout(0)
@pytest.mark.parametrize("part", range(50))
def test_ten_thousand_schedules(account, create, sim, part):
    for seed in range(part * 200, part * 200 + 200):
        schedule(account, create, sim, seed)

    assert not outcomes()[0] & QUOTA


def test_without_the_meter_it_does(account, create, sim, monkeypatch):
    """Negative control: what is neither counted nor refused is refused by WeChat."""
    monkeypatch.setattr(sends, "allowance", lambda *_: sends.Allowance(9, None))
    monkeypatch.setattr(sends, "_spend", lambda *_: "message")
    openid = sim.follower(account)
    follower = create.follower(account, openid=openid)
    with transaction() as session:
        talk_id = conversations.take(session, account, session.get_one(Follower, follower.id)).id
    sim.say(account, openid, "hello")
    for _ in range(7):
        answer(account, talk_id)
    deliver()

    assert outcomes()[0] & QUOTA
