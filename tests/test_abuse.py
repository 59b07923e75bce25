"""Whoever means harm, or is only unlucky: floods (T11), and secrets that must not come out with any failure (T12)."""

import base64
import http.client
import json
import random
import threading
import time
import zlib
from contextlib import suppress
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from sqlalchemy import select, update

import handlers
from bot import clock, database, queue, settings, webhook
from bot.database import reading, transaction
from bot.jobs import sends as jobs
from bot.services import accounts, sends, tokens
from bot.wechat.messages import Text
from models import Account, Base, InboundMessage, ReplyWindow, Send, SendStatus
from tests.flows.phone import Phone, Post, by_http
from tests.processes import granian
from tests.wechat.samples import sample

# -- T11


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seconds", [5, pytest.param(60, marks=pytest.mark.campaign)])
def test_t11_a_flood_of_unsigned_requests_does_not_hold_up_wechat(create, redis, database_url, tmp_path, seconds):
    account = create.account()
    create.rule(account, "hello", "Hi!")
    stop, statuses = time.monotonic() + seconds, dict.fromkeys(("403", "400", "other"), 0)
    body = sample("text").encode()

    def flood(address: str, rate: float) -> None:
        connection = http.client.HTTPConnection(address)
        number, began = 0, time.monotonic()
        while time.monotonic() < stop:
            number += 1
            query = f"signature={number:040x}&timestamp={int(time.time())}&nonce={number}"
            with suppress(OSError, http.client.HTTPException):
                connection.request("POST", f"/wechat/{account.slug}?{query}", body, {"Content-Type": "text/xml"})
                answer = connection.getresponse()
                answer.read()
                key = str(answer.status)
                statuses[key if key in statuses else "other"] += 1
            time.sleep(max(0.0, began + number / rate - time.monotonic()))
        connection.close()

    with granian(tmp_path / "web.log") as web:
        phone = Phone(account, by_http(web.address))
        assert phone.say("hello") == "Hi!"
        stop = time.monotonic() + seconds
        floods = [threading.Thread(target=flood, args=(urlsplit(web.address).netloc, 50.0)) for _ in range(4)]
        for thread in floods:
            thread.start()
        took = []
        while time.monotonic() < stop:
            began = time.monotonic()
            assert phone.say("hello") == "Hi!"
            took.append(time.monotonic() - began)
            time.sleep(0.02)
        for thread in floods:
            thread.join()

    p99 = sorted(took)[int(len(took) * 0.99)]
    print(f"{statuses}, {len(took)} probes, p99 {p99 * 1000:.0f} ms")
    assert statuses["403"] > 120 * seconds
    assert statuses["other"] == 0
    assert p99 < 1
    assert all(len(queue.queue(name)) == 0 for name in queue.QUEUES)
    with reading() as session:
        assert len(session.scalars(select(InboundMessage.id)).all()) == len(took) + 1  # nothing else was kept


# -- T12

SECRET = "canarySecret0123456789abcdefghij"
TOKEN = "canaryToken0123456789abcdefghijk"
AES_KEY = "canaryAesKey0123456789abcdefghijklmnopqrstA"
MASTER = "canaryMaster" * 4
CANARIES = (SECRET, TOKEN, AES_KEY, MASTER)


def inside(value: Any) -> list[str]:
    """A value of Redis as text, also what RQ packed in it."""
    raw = value if isinstance(value, bytes) else str(value).encode()
    found = [raw]
    for unpack in (zlib.decompress, lambda packed: zlib.decompress(base64.b64decode(packed)), base64.b64decode):
        with suppress(Exception):
            found.append(unpack(raw))
    return [each.decode("utf-8", "replace") for each in found]


def redis_text(redis: Any) -> str:
    texts: list[str] = []
    for key in redis.keys("*"):
        texts += inside(key)
        match redis.type(key):
            case b"string":
                values: list[Any] = [redis.get(key)]
            case b"hash":
                values = [part for pair in redis.hgetall(key).items() for part in pair]
            case b"list":
                values = redis.lrange(key, 0, -1)
            case b"set":
                values = list(redis.smembers(key))
            case b"zset":
                values = redis.zrange(key, 0, -1)
            case _:
                values = [part for _, entry in redis.xrange(key) for pair in entry.items() for part in pair]
        for value in values:
            texts += inside(value)
    return "\n".join(texts)


def database_text() -> str:
    with reading() as session:
        return "\n".join(str(row) for table in Base.metadata.sorted_tables for row in session.execute(select(table)))


def exploding(*_: Any) -> None:
    local = {"secret": SECRET, "aes_key": AES_KEY}  # in the frame, as real ones are
    raise RuntimeError(f"no answer from https://api.weixin.qq.com/?secret={local['secret']}&token={TOKEN}")


def test_t12_no_failure_shows_a_secret(create, live, sim, redis, session, monkeypatch, capfd, caplog, work):
    monkeypatch.setenv("LOBBY_SECRET_KEY", MASTER)
    settings.settings.cache_clear()
    account = create.account(secret=SECRET, token=TOKEN, aes_key=AES_KEY)
    sim.connect(account, live)
    openid = sim.follower(account)
    sim.say(account, openid, "hello")
    replies: list[str] = []
    slug = account.slug
    follower_id = session.scalars(select(InboundMessage.follower_id)).one()
    session.commit()

    def ask(address: str, body: bytes | str = b"", method: str = "POST", **headers: str) -> None:
        answer = requests.request(method, live + address, data=body, headers=headers, timeout=20)
        replies.append(f"{answer.status_code} {answer.headers} {answer.text}")

    outcomes: set[str] = set()

    def deliver() -> None:
        """With a fresh window and no token: each goes all the way, and fails there."""
        for way in (jobs.deliver, lambda _: work()):
            with transaction() as own:
                own.execute(update(Send).values(status=SendStatus.FAILED))
                own.execute(update(ReplyWindow).values(left=5, expires_at=clock.now() + timedelta(hours=1)))
                tokens.forget(own, account.id)
                send_id = sends.create(own, account.id, follower_id, Text(text="hi")).id
            way(send_id)
            with reading() as own:
                outcomes.add(own.get_one(Send, send_id).error)

    def fault(path: str, **values: Any) -> None:
        assert sim.http.post(f"{sim.address}/sim/faults", json={"path": path, **values}, timeout=10).ok

    # Callbacks: unsigned, wrongly signed, torn, for another account; the address tried in vain.
    post = Post(account)
    address, body = post.sealed(sample("text", to=account.original_id))
    ask(f"/wechat/{slug}", body)
    ask(address.replace("nonce=", "nonce=1"), body)
    ask(address, body[:-40])
    ask(address, body.replace(b"[CDATA[", b"[CDATA[A", 2))
    ask(*post.sealed(sample("text", to="gh_other")))
    ask(*post.sealed("<xml>"))
    ask(f"/wechat/{slug}?signature=1", method="GET")
    # A handler that breaks with a secret in its words.
    monkeypatch.setattr(handlers, "HANDLERS", (exploding,))
    ask(*post.sealed(sample("text", openid, account.original_id, msgid=7)))
    monkeypatch.undo()
    monkeypatch.setenv("LOBBY_WECHAT_URL", sim.address)
    monkeypatch.setenv("LOBBY_SECRET_KEY", MASTER)
    monkeypatch.setenv("LOBBY_WECHAT_TIMEOUT", "0.4")
    settings.settings.cache_clear()
    # WeChat: refusing, broken, slow, silent, away.
    refusals = [{"errcode": code} for code in (40001, 40125, 40164)]
    for values in (*refusals, {"status": 502}, {"delay_ms": 900}, {"cut": "reply"}):
        for path in ("/cgi-bin/stable_token", "/cgi-bin/message/custom/send"):
            fault(path, times=2, **values)
            deliver()
            requests.delete(f"{sim.address}/sim/faults", timeout=10)
    for wechat_url in ("http://127.0.0.1:9", live.replace("http:", "https:"), "http://no-such-host.invalid", live):
        monkeypatch.setenv("LOBBY_WECHAT_URL", wechat_url)  # closed, no TLS, no name, pages that are no JSON
        settings.settings.cache_clear()
        with suppress(Exception):
            tokens.access_token(account.id, stale="x")
        deliver()
    # Pages and the API, by strangers.
    for path in (
        "/api/v1/accounts",
        f"/api/v1/accounts/{slug}",
        f"/console/{slug}/",
        "/readyz",
        "/healthz",
        "/openapi.json",
    ):
        ask(path, method="GET")
        ask(path, b"{", method="PUT", Authorization=f"Bearer {TOKEN}x")
    # A master key that was lost.
    monkeypatch.setenv("LOBBY_SECRET_KEY", "another-key-" * 4)
    settings.settings.cache_clear()
    webhook.forget()
    accounts.vault.unseal.cache_clear()
    ask(*post.sealed(sample("text", openid, account.original_id, msgid=8)))
    deliver()

    captured = capfd.readouterr()
    sinks = {
        "logs": captured.out + captured.err,
        "events": str([record.msg for record in caplog.records]),
        "database": database_text(),
        "redis": redis_text(redis),
        "replies": "\n".join(replies),
    }
    assert "RuntimeError" in sinks["logs"]  # the failure was logged
    assert sum("callback.refused" in record.getMessage() for record in caplog.records) >= 6
    assert len(replies) > 15
    assert len(outcomes - {""}) >= 7, outcomes  # they did fail; a 502 and a cut answer say the same
    hits = {(name, secret) for name, text in sinks.items() for secret in CANARIES if secret in text}
    assert hits == set()


def test_t12_the_search_finds_a_secret_where_one_is(create, redis, session, database_url):
    """Negative control: planted in each place it is found."""
    account = create.account()
    session.execute(update(Account).values(human_reply=SECRET))
    session.commit()
    redis.set("plain", SECRET)
    assert SECRET in database_text()
    assert SECRET in redis_text(redis)
    redis.flushall()
    redis.hset("rq:job:1", "data", zlib.compress(json.dumps([SECRET]).encode()))
    assert SECRET in redis_text(redis)
    redis.flushall()
    redis.xadd("rq:results:1", {"exc_string": base64.b64encode(zlib.compress(SECRET.encode()))})
    assert SECRET in redis_text(redis)
    assert account.sealed_secret not in redis_text(redis)


def test_t12_a_dump_holds_no_secret(create, database_url):
    create.account(secret=SECRET, token=TOKEN, aes_key=AES_KEY)

    text = database_text()

    assert "v1:" in text
    assert [secret for secret in CANARIES if secret in text] == []


def test_random_signatures_never_fit(create, client):
    account = create.account()
    chance = random.Random(7)
    for _ in range(300):
        query = f"signature={chance.getrandbits(160):040x}&timestamp={int(time.time())}&nonce={chance.randrange(10**9)}"
        assert client.post(f"/wechat/{account.slug}?{query}", data=b"<xml/>").status_code == 403
    assert database.database()
