"""The assistant through WeChat's five seconds: a scripted model, the simulator's three attempts, a worker's threads."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from redis import Redis
from sqlalchemy import event, select

from bot import clock, database, waiting
from bot.database import reading, transaction
from bot.jobs import assistant as job
from bot.jobs import upkeep
from bot.services import account_health, assistant_work, conversations
from bot.services.assistant_work import Written
from models import Account, Answer, AnswerState, Follower, InboundMessage, Send, Way
from tests.factories import Create, Sim, StandIn

HOURS = "# 营业时间\n每天上午九点开门，晚上九点关门。\n\n# 停车\n地下二层可以停车。"


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


def test_after_three_attempts_it_comes_as_a_customer_service_message(
    sim: Sim, account: Account, worker: None, work: Callable[[], None], model: StandIn
) -> None:
    model.will(delay_ms=16_000)
    openid = sim.follower(account)
    done = sim.say(account, openid, "你们几点开门")
    assert [attempt["status"] for attempt in done["attempts"]] == [None, None, 200]
    assert (done["reply"], done["notice"]) == (None, None)
    until(lambda: answers()[0].way is Way.CUSTOMER and answers()[0].state is AnswerState.GIVEN)
    work()
    (item,) = [item for item in sim.inbox(account, openid) if item["kind"] != "mine"]
    assert (item["kind"], item["text"], item["is_ai"]) == ("customer", "每天上午九点开门，晚上九点关门。", True)


def test_an_account_without_customer_service_messages_gives_a_link(
    live: str, sim: Sim, create: Create, model: StandIn, worker: None
) -> None:
    account = create.account(kind="subscription", is_verified=False)
    create.assistant(account, HOURS)
    sim.connect(account, live)
    model.will(delay_ms=18_000)
    openid = sim.follower(account)
    text = sim.say(account, openid, "你们几点开门")["reply"]["text"]
    assert "正在为您整理答案" in text
    page = text.splitlines()[-1].replace("http://127.0.0.1:8000", live)
    seen = requests.get(page, timeout=5)
    assert "正在整理答案" in seen.text
    assert seen.headers["X-Robots-Tag"] == "noindex, nofollow"
    until(lambda: "晚上九点关门" in requests.get(page, timeout=5).text)
    assert requests.get(page[:-3] + "xyz", timeout=5).status_code == 404
    sim.wait(49 * 3600)
    assert requests.get(page, timeout=5).status_code == 404
    assert len(said(sim, account, openid)) == 1


def test_a_follow_under_a_slow_model_then_a_text(
    sim: Sim, account: Account, worker: None, model: StandIn, create: Create
) -> None:
    create.rule(account, reply="欢迎！", trigger="follow")
    model.will(delay_ms=1500)
    openid = sim.follower(account)
    assert sim.happen(account, openid, "subscribe")["reply"]["text"] == "欢迎！"
    assert model.asked() == []
    assert sim.say(account, openid, "哪里停车")["reply"]["text"] == "地下二层可以停车。"
    assert sim.say(account, openid, "几点开门")["reply"]["text"] == "每天上午九点开门，晚上九点关门。"


def test_each_of_two_questions_gets_its_own_answer(sim: Sim, account: Account, worker: None, model: StandIn) -> None:
    model.will(delay_ms=6500)
    openid = sim.follower(account)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(sim.say, account, openid, "你们几点开门")
        until(lambda: len(model.asked()) == 1)
        second = sim.say(account, openid, "哪里停车")
    assert second["reply"]["text"] == "地下二层可以停车。"
    assert first.result()["reply"]["text"] == "每天上午九点开门，晚上九点关门。"


def test_what_comes_after_a_newer_question_says_to_which_it_belongs(
    sim: Sim, account: Account, worker: None, work: Callable[[], None], model: StandIn
) -> None:
    model.will(delay_ms=16_500)
    openid = sim.follower(account)
    sim.say(account, openid, "你们几点开门")
    sim.say(account, openid, "你好")
    until(lambda: answers()[0].state is AnswerState.GIVEN)
    work()
    assert said(sim, account, openid)[-1] == ("customer", "「你们几点开门」\n每天上午九点开门，晚上九点关门。")


@pytest.mark.parametrize(
    ("script", "trouble"),
    [
        ({"status": 500}, "broken"),
        ({"status": 429}, "busy"),
        ({"status": 401}, "key"),
        ({"location": "http://127.0.0.1:1/"}, "redirect"),
        ({"body": "<html>"}, "garbage"),
        ({"body": '{"choices": []}'}, "garbage"),
        ({"text": "   "}, "empty"),
        ({"text": "<think>hm</think>"}, "empty"),
        ({"text": "一直写" * 50, "endless": True}, "endless"),
        ({"text": "一段话", "cut": True}, "broken"),
        ({"text": "我们保 证 最低价"}, "words"),
    ],
)
def test_a_model_in_trouble_gives_the_fallback_sentence(
    sim: Sim,
    account: Account,
    worker: None,
    model: StandIn,
    create: Create,
    script: dict[str, Any],
    trouble: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    create.assistant(account, words_out=["保证"], key="sk-never-in-a-log", fallback_reply="请找真人。")
    model.will(**script)
    openid = sim.follower(account)
    assert sim.say(account, openid, "你们几点开门")["reply"]["text"] == "请找真人。"
    assert answers()[0].trouble == trouble
    assert model.asked()[0]["key"] == "Bearer sk-never-in-a-log"
    assert "sk-never" not in caplog.text
    [line] = [check for check in account_health.report(account) if check.subject == "Assistant"]
    assert line.is_failure is (trouble != "words")


def test_the_days_limits_hold(sim: Sim, account: Account, worker: None, create: Create, model: StandIn) -> None:
    create.assistant(account, follower_messages=2, fallback_reply="明天再聊。")
    one, two = sim.follower(account, "小一"), sim.follower(account, "小二")
    said_to = [sim.say(account, openid, "几点开门")["reply"]["text"] for openid in (one, one, one, two)]
    hours = "每天上午九点开门，晚上九点关门。"
    assert said_to == [hours, hours, "明天再聊。", hours]
    create.assistant(account, account_messages=3)
    assert sim.say(account, two, "几点开门")["reply"]["text"] == "明天再聊。"
    create.assistant(account, account_messages=0, account_tokens=100)
    assert sim.say(account, two, "几点开门")["reply"]["text"] == "明天再聊。"
    assert (len(model.asked()), answers()[-1].trouble) == (3, "limit")


def test_a_question_with_a_forbidden_word_is_not_asked(
    sim: Sim, account: Account, create: Create, model: StandIn
) -> None:
    create.assistant(account, words_in=["赌博"], fallback_reply="不聊这个。")
    assert sim.say(account, sim.follower(account), "教我賭 博")["reply"]["text"] == "不聊这个。"
    assert model.asked() == []


def test_with_a_prefix_only_those_texts_are_asked(
    sim: Sim, account: Account, worker: None, create: Create, model: StandIn
) -> None:
    create.assistant(account, prefix="问")
    create.rule(account, reply="没听懂。", trigger="default")
    openid = sim.follower(account)
    assert sim.say(account, openid, "几点开门")["reply"]["text"] == "没听懂。"
    assert sim.say(account, openid, "问：几点开门")["reply"]["text"] == "每天上午九点开门，晚上九点关门。"
    assert answers()[0].question == "几点开门"


def test_twenty_at_once_each_get_their_own(sim: Sim, account: Account, worker: None, model: StandIn) -> None:
    model.will(delay_ms=1000, times=0)
    people = [sim.follower(account, f"客{number}") for number in range(20)]
    with ThreadPoolExecutor(20) as pool:
        done = list(pool.map(lambda openid: sim.say(account, openid, "哪里停车"), people))
    assert [each["reply"]["text"] for each in done] == ["地下二层可以停车。"] * 20
    assert len(model.asked()) == 20


def test_past_the_seats_nobody_waits(
    sim: Sim, account: Account, worker: None, work: Callable[[], None], model: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "_seats", threading.BoundedSemaphore(1))
    model.will(delay_ms=2000, times=0)
    one, two = sim.follower(account, "小一"), sim.follower(account, "小二")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(sim.say, account, one, "哪里停车")
        until(lambda: len(answers()) == 1)
        began = time.monotonic()
        assert sim.say(account, two, "哪里停车")["reply"] is None
        assert time.monotonic() - began < 1.5
        assert first.result()["reply"]["text"] == "地下二层可以停车。"
    until(lambda: all(answer.state is AnswerState.GIVEN for answer in answers()))
    work()
    assert said(sim, account, two) == [("customer", "地下二层可以停车。")]


@pytest.mark.databases
def test_a_message_without_a_seat_costs_one_transaction(
    sim: Sim, account: Account, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    openid = sim.follower(account)
    sim.say(account, openid, "你好")  # whoever is new costs a second one
    monkeypatch.setattr(waiting, "_seats", threading.Semaphore(0))
    commits: list[object] = []
    for engine in {database.database().write, database.database().inbound}:
        event.listen(engine, "commit", commits.append)

    done = sim.say(account, openid, "哪里停车")

    assert [attempt["status"] for attempt in done["attempts"]] == [200]
    assert (len(commits), answers()[0].way) == (1, Way.CUSTOMER)


@pytest.mark.databases
def test_many_more_than_seats_are_all_answered_with_200(
    sim: Sim,
    account: Account,
    worker: None,
    work: Callable[[], None],
    model: StandIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Over real HTTP: those with a seat get it at once, the others a little later."""
    people, seats = 30, 8
    monkeypatch.setattr(waiting, "_seats", threading.BoundedSemaphore(seats))
    model.will(delay_ms=800, times=0)
    openids = [sim.follower(account, f"客{number}") for number in range(people)]
    with ThreadPoolExecutor(people) as pool:
        done = list(pool.map(lambda openid: sim.say(account, openid, "哪里停车"), openids))

    assert [each["attempts"][-1]["status"] for each in done] == [200] * people
    until(lambda: all(answer.state is AnswerState.GIVEN for answer in answers()), 60)
    work()
    assert [[text for _, text in said(sim, account, openid)] for openid in openids] == [["地下二层可以停车。"]] * people
    assert waiting._seats._value == seats


def test_nothing_stays_pending_for_ever(sim: Sim, account: Account, redis: Redis) -> None:
    """Without any worker: the clock ends it, and the follower reads the fallback sentence."""
    openid = sim.follower(account)
    sim.say(account, openid, "你们几点开门")
    redis.flushall()
    sim.wait(80)
    upkeep.tend_answers()
    assert (answers()[0].state, answers()[0].trouble) == (AnswerState.GIVEN, "late")
    upkeep.hint_sends()


@pytest.mark.parametrize("step", ["before the model", "at the model", "answered", "as customer message"])
@pytest.mark.parametrize("takes_over", [True, False])
def test_after_a_takeover_the_assistant_is_silent(
    sim: Sim, account: Account, redis: Redis, model: StandIn, step: str, takes_over: bool
) -> None:
    """With ``takes_over`` False the same way gives an answer: so the silence is the takeover's doing."""
    openid = sim.follower(account)
    with ThreadPoolExecutor(2) as pool:
        saying = pool.submit(sim.say, account, openid, "你们几点开门")
        (answer,) = until(answers)

        def take_over() -> None:
            if takes_over:
                with transaction() as session:
                    follower = session.get_one(Follower, answer.follower_id)
                    conversations.take(session, session.get_one(Account, account.id), follower)

        if step == "before the model":
            take_over()
            job.answer(answer.id)
            assert len(model.asked()) == (0 if takes_over else 1)
        elif step == "at the model":
            model.will(delay_ms=1500)
            asking = pool.submit(job.answer, answer.id)
            until(lambda: model.asked())
            take_over()
            asking.result()
        elif step == "answered":
            with transaction() as session:
                prepared = assistant_work.prepare(session, answer.id, clock.now())
                assert prepared
                work = assistant_work.claim(session, prepared, clock.now())
            assert work
            if takes_over:  # both in one transaction: the answer is there, and nobody can have given it yet
                with transaction() as session:
                    assistant_work.finish(session, work, Written(text="九点"), clock.now())
                    conversations.take(
                        session,
                        session.get_one(Account, account.id),
                        session.get_one(Follower, answer.follower_id),
                    )
            else:
                with transaction() as session:
                    assistant_work.finish(session, work, Written(text="九点"), clock.now())
        else:
            until(lambda: answers()[0].way is Way.CUSTOMER, 40)
            take_over()
            job.answer(answer.id)
        saying.result()
    with reading() as session:
        sent = session.scalars(select(Send)).all()
    given = len(said(sim, account, openid)) + len(sent)
    assert given == (0 if takes_over else 1)
    assert answers()[0].state is (AnswerState.DROPPED if takes_over else AnswerState.GIVEN)
