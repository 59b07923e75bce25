"""The assistant through WeChat's five seconds: a scripted model, the simulator's three attempts, a worker's threads."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import structlog
from redis import Redis
from sqlalchemy import select

from bot import queue
from bot.database import reading
from bot.jobs import assistant as job
from bot.jobs import upkeep
from models import Account, Answer, AnswerState, InboundMessage, Way
from tests.factories import Create, Sim, StandIn

HOURS = "# 营业时间\n每天上午九点开门，晚上九点关门。\n\n# 停车\n地下二层可以停车。"


@pytest.fixture
def worker(redis: Redis) -> Iterator[None]:
    """What the assistant's worker and the clock do, in threads of this process."""
    ends = threading.Event()
    pool = ThreadPoolExecutor(64)

    def answer(row_id: int) -> None:
        try:
            job.answer(row_id)
        except Exception:
            structlog.get_logger().exception("job.failed")

    def work() -> None:
        name = queue.queue("assistant").key
        while not ends.is_set():
            while (found := redis.rpop(name)) is not None:
                data = queue.queue("assistant").fetch_job(found.decode())
                if data is not None:
                    pool.submit(answer, data.args[0])
            upkeep.tend_answers()
            time.sleep(0.05)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield
    ends.set()
    thread.join()
    pool.shutdown()


@pytest.fixture
def account(live: str, sim: Sim, create: Create, model: StandIn) -> Account:
    account = create.account()
    create.rule(account, "你好", "您好！")
    create.assistant(account, HOURS)
    sim.connect(account, live)
    return account


def answers() -> list[Answer]:
    with reading() as session:
        return list(session.scalars(select(Answer).order_by(Answer.id)))


def said(sim: Sim, account: Account, openid: str) -> list[tuple[str, str]]:
    """What the phone shows of the account's, with how it came."""
    return [(item["kind"], item["text"]) for item in sim.inbox(account, openid) if item["kind"] != "mine"]


def until(reached: Callable[[], Any], seconds: float = 10) -> Any:
    end = time.monotonic() + seconds
    while not (found := reached()):
        assert time.monotonic() < end, "did not happen"
        time.sleep(0.05)
    return found


def test_a_rule_comes_first_and_the_assistant_answers_the_rest(sim: Sim, account: Account, worker: None) -> None:
    openid = sim.follower(account)
    assert sim.say(account, openid, "你好")["reply"]["text"] == "您好！"
    done = sim.say(account, openid, "你们几点开门")
    assert done["reply"]["text"] == "每天上午九点开门，晚上九点关门。"
    assert len(done["attempts"]) == 1
    (answer,) = answers()
    assert (answer.state, answer.way, answer.trouble) == (AnswerState.GIVEN, Way.PASSIVE, "")
    with reading() as session:
        message = session.get_one(InboundMessage, answer.message_id)
    assert "须知 › 营业时间" in [line.get("title") for line in message.trace]


def test_a_slow_answer_comes_with_a_later_attempt(sim: Sim, account: Account, worker: None, model: StandIn) -> None:
    model.will(delay_ms=7000)
    openid = sim.follower(account)
    done = sim.say(account, openid, "你们几点开门")
    assert [attempt["status"] for attempt in done["attempts"]] == [None, 200]
    assert said(sim, account, openid) == [("passive", "每天上午九点开门，晚上九点关门。")]
    assert len(model.asked()) == 1
