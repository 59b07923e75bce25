"""The web process and the worker are killed while an answer is on its way: it comes all the same, once."""

from concurrent.futures import ThreadPoolExecutor

import requests
from redis import Redis
from sqlalchemy import select

from bot.database import reading
from bot.jobs import assistant as job
from bot.jobs import upkeep
from models import Answer, AnswerState, InboundMessage
from tests.factories import Create, StandIn
from tests.flows.phone import Phone, Post
from tests.flows.test_assistant import HOURS, answers, until
from tests.processes import start, web_processes


def attempt(address: str, post: Post, document: str) -> str | None:
    """One of WeChat's: the reply's XML, "" for silence, None for no usable answer."""
    where, body = post.sealed(document)
    try:
        answer = requests.post(address + where, data=body, timeout=5)
    except requests.RequestException:
        return None
    return post.opened(answer.content) if answer.status_code == 200 else None


def test_an_answer_survives_the_web_process_the_worker_and_redis(create: Create, redis: Redis, model: StandIn) -> None:
    account = create.account()
    create.assistant(account, HOURS)
    model.will(delay_ms=60_000)
    with web_processes(2) as (first, second), ThreadPoolExecutor(2) as pool:
        phone = Phone(account, lambda address, body: (200, b"success"))
        phone.say("你们几点开门")
        document = phone.last
        held = pool.submit(attempt, first.address, phone.post, document)
        (answer,) = until(answers)
        worker = start(job.answer, answer.id)
        until(model.asked)
        worker.kill()
        first.kill()
        redis.flushall()
        assert held.result() is None

        found = None
        for _ in range(2):
            held = pool.submit(attempt, second.address, phone.post, document)
            while not held.done():
                upkeep.tend_answers()
                job.answer(answer.id)
            found = found or held.result()
    assert found
    assert "每天上午九点开门" in found
    with reading() as session:
        (kept,) = session.scalars(select(Answer)).all()
        (message,) = session.scalars(select(InboundMessage)).all()
    assert (kept.state, kept.fence, len(model.asked())) == (AnswerState.GIVEN, 2, 2)
    assert message.reply
