"""Done 2: WeChat sends each push up to three times; it counts once and is answered the same, whatever dies between."""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from sqlalchemy import func, select

from bot.database import reading
from models import Base, Follower, InboundMessage, ReplyMode, ReplyWindow, SeenSignature, Send
from tests.flows.phone import Phone, Post, Way, by_client, by_http, wait
from tests.processes import Granian, Web
from tests.wechat.samples import SAMPLES, sample

MODES = ("plain", "compatible", "safe")
RECEIPTS = ("mass_sent", "published", "publish_failed")


@pytest.fixture
def answering(create):
    """Accounts that answer, one for each mode: with rules of all kinds, at random, at length, and a person."""

    def answering(*modes: str) -> list[Any]:
        made = []
        for mode in modes:
            account = create.account(mode, mode=mode, human_words=["你好"])
            dice = [{"kind": "text", "text": f"No {number} at {{{{time}}}}"} for number in range(5)]
            create.rule(account, "test", mode="contains", replies=dice[:3])
            create.rule(account, trigger="default", replies=dice, reply_mode=ReplyMode.RANDOM, title="dice")
            create.rule(account, trigger="follow", reply="Welcome!")
            create.rule(account, trigger="scan", keywords=[{"text": "123123"}], reply="字" * 1500)
            create.rule(account, trigger="click", keywords=[{"text": "V1001"}], reply="]]> & <b>")
            made.append(account)
        return made

    return answering


def pushes(account) -> dict[str, str]:
    """All samples to one account, each from a follower of its own."""
    numbered = enumerate(SAMPLES)
    return {name: sample(name, f"oFollower_{at:018d}", account.original_id, msgid=10**16 + at) for at, name in numbered}


def deliver(way: Way, post: Post, document: str) -> str:
    status, body = way(*post.sealed(document))
    assert status == 200, body
    return post.opened(body)


def everything() -> dict[str, list[Any]]:
    """All rows of all tables, but for when a follower was last seen and which signatures came."""
    rows: dict[str, list[Any]] = {}
    with reading() as session:
        for table in Base.metadata.sorted_tables:
            columns = [column for column in table.columns if column.name not in ("seen_at", "wrote_at")]
            if table is not SeenSignature.__table__:
                ordered = select(*columns).order_by(*table.primary_key.columns)
                rows[table.name] = [tuple(row) for row in session.execute(ordered)]
    return rows


def count(model: type[Base]) -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


@pytest.mark.databases
@pytest.mark.parametrize("mode", MODES)
def test_three_deliveries_of_every_push_count_once(answering, client, redis, mode):
    [account] = answering(mode)
    post, way, documents = Post(account), by_client(client), pushes(account)

    first = {name: deliver(way, post, document) for name, document in documents.items()}
    before = everything()
    wait(70)
    second = {name: deliver(way, post, document) for name, document in documents.items()}
    wait(70)
    third = {name: deliver(way, post, document) for name, document in documents.items()}

    assert first == second == third
    assert everything() == before
    assert len(before["messages"]) == len(SAMPLES) >= 40
    assert len(before["followers"]) == len(SAMPLES) - len(RECEIPTS)
    assert len(before["sends"]) == 2 + 2 * 2  # the others of three replies; the rest of a long one, twice
    assert len(before["conversations"]) == 1
    assert len([reply for reply in first.values() if reply]) > 15
    assert {name for name in RECEIPTS if first[name]} == set()


def test_without_its_key_a_repeat_would_count_again(answering, client, redis):
    """The check above notices: here each attempt is another message to us."""
    [account] = answering("safe")
    post, way = Post(account), by_client(client)
    replies = {deliver(way, post, sample("image", to=account.original_id, msgid=number)) for number in range(1, 20)}

    assert len(replies) > 1
    assert count(InboundMessage) == 19


@pytest.mark.databases
def test_every_push_survives_kill_9_between_attempts(answering, redis, database_kind, tmp_path):
    accounts = answering(*MODES)
    posts = {account.slug: Post(account) for account in accounts}
    documents = [(account.slug, each) for account in accounts for each in pushes(account).values()]

    def attempt() -> list[str]:
        web = Granian(tmp_path / "web.log") if database_kind == "sqlite" else Web()  # which starts faster
        try:
            way = by_http(web.address)
            return [deliver(way, posts[slug], document) for slug, document in documents]
        finally:
            web.kill()

    first = attempt()
    before = everything()
    wait(70)
    second = attempt()

    assert second == first
    assert everything() == before
    assert len(before["messages"]) == len(SAMPLES) * len(MODES)


@pytest.mark.databases
@pytest.mark.timeout(400)
@pytest.mark.parametrize("kills", [3, pytest.param(60, marks=pytest.mark.campaign)])
def test_kill_9_under_load_leaves_one_row_and_one_reply_for_each_message(create, redis, database_url, session, kills):
    """Whoever was answered before the kill gets the same answer after it; whoever was not is answered then."""
    seed = random.SystemRandom().randrange(10**6)
    print("seed", seed)
    chance = random.Random(seed)
    account = create.account()
    many = [{"kind": "text", "text": f"No {number}"} for number in range(5)]
    create.rule(account, trigger="default", replies=many, reply_mode=ReplyMode.RANDOM)
    create.rule(account, "two", replies=many[:2])
    post = Post(account)
    answered: dict[str, set[str]] = {}
    lock = threading.Lock()
    numbers = iter(range(10**6))

    def follower(address: str, stop: threading.Event) -> None:
        way = by_http(address)
        while not stop.is_set():
            with lock:
                number = next(numbers)
            text = "two" if number % 3 == 0 else "anything"
            fields = f"<MsgType><![CDATA[text]]></MsgType><Content>{text}</Content><MsgId>{10**17 + number}</MsgId>"
            head = f"<ToUserName>{account.original_id}</ToUserName><FromUserName>o{number % 7:08d}</FromUserName>"
            document = f"<xml>{head}<CreateTime>{int(time.time())}</CreateTime>{fields}</xml>"
            with lock:
                answered[document] = set()
            try:
                reply = deliver(way, post, document)
            except requests.RequestException:
                return  # the process died under it
            with lock:
                answered[document].add(reply)

    for _ in range(kills):
        web, stop = Web(), threading.Event()
        threads = [threading.Thread(target=follower, args=(web.address, stop)) for _ in range(6)]
        for thread in threads:
            thread.start()
        time.sleep(chance.uniform(0.15, 0.6))
        web.kill()
        stop.set()
        for thread in threads:
            thread.join()

    unanswered = [document for document, replies in answered.items() if not replies]
    web = Web()
    try:
        way = by_http(web.address)
        for document, replies in answered.items():
            replies.add(deliver(way, post, document))
    finally:
        web.kill()
    print(f"{len(answered)} messages, {kills} kills, {len(unanswered)} without an answer at first")
    assert unanswered  # the kills did hit
    assert {len(replies) for replies in answered.values()} == {1}
    assert "" not in set.union(*answered.values())
    assert count(InboundMessage) == len(answered)
    twos = sum("two" in document for document in answered)
    assert count(Send) == twos  # one each: effects are neither lost nor doubled
    assert count(Follower) == 7
    assert session.scalar(select(func.count()).where(InboundMessage.flag != "")) == 0


@pytest.mark.databases
def test_a_repeat_waits_for_the_first_attempt_still_running(create, client, database_url, redis, monkeypatch):
    """Attempt 2 arrives while attempt 1 is inside a handler: both carry the one reply."""
    import handlers
    from bot.wechat.messages import Text

    account = create.account()
    inside, calls = threading.Event(), []

    def slow(incoming):
        calls.append(1)
        inside.set()
        time.sleep(0.7)
        return [Text(text=f"answer {len(calls)}")]

    monkeypatch.setattr(handlers, "HANDLERS", (slow,))
    phone = Phone(account, client)
    phone.last = sample("text", phone.openid, account.original_id)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(phone.again)
        assert inside.wait(70)
        others = [pool.submit(Phone.again, phone) for _ in range(2)]
        replies = [each.result() for each in (first, *others)]

    assert replies == ["answer 1"] * 3
    assert len(calls) == 1
    assert (count(InboundMessage), count(Follower), count(ReplyWindow)) == (1, 1, 1)
