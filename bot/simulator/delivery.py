"""Carries one push to the platform: three attempts, five seconds each, and what the phone shows in the end."""

import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from bot.simulator import envelope, faults, inbox, replies
from bot.simulator.accounts import Account
from bot.simulator.faults import Fault
from bot.simulator.world import World

NOTICE = "该公众号提供的服务出现故障，请稍后再试"

HEADERS = {"User-Agent": "Mozilla/4.0", "Accept": "*/*", "Content-Type": "text/xml", "Pragma": "no-cache"}

MOST_BYTES = 1 << 20  # of a reply; nothing sensible is longer


@dataclass(frozen=True)
class Push:
    openid: str
    xml: str
    news_limit: int = 1
    shows_notice: bool = False  # the follower did it in the chat and awaits something
    shows_reply: bool = True


@dataclass(frozen=True)
class Attempt:
    status: int | None  # None: no usable answer came
    ms: int
    body: bytes = b""
    error: str = ""

    @property
    def is_answer(self) -> bool:
        return self.status is not None and self.status < 500

    def shown(self) -> dict[str, Any]:
        facts = {"status": self.status, "ms": self.ms, "body": self.body.decode("utf-8", "replace")}
        return facts | ({"error": self.error} if self.error else {})


@dataclass
class Outcome:
    attempts: list[Attempt] = field(default_factory=list)
    reply: dict[str, Any] | None = None
    notice: str | None = None
    why: str | None = None  # what was wrong with the reply


def deliver(world: World, account: Account, push: Push, repeat: int = 0, parallel: bool = False) -> Outcome:
    """Send until an answer comes, and show it. `repeat`: exactly so many times, whatever the answers."""
    outcome = Outcome(_attempts(world, account, push, repeat, parallel))
    answer = next((attempt for attempt in outcome.attempts if attempt.is_answer), None)
    at = world.clock.now()
    sender = replies.Sender(account, push.openid, push.news_limit, at)
    shown = None
    try:
        if answer is None:
            raise replies.BadReply("no attempt was answered")
        if answer.status != 200:
            raise replies.BadReply(f"the answer has the HTTP status {answer.status}")
        with world.store.reading() as db:
            shown = replies.judge(db, sender, answer.body)
    except replies.BadReply as error:
        outcome.why = str(error)
        outcome.notice = NOTICE if push.shows_notice else None
    if shown is not None and push.shows_reply:
        outcome.reply = {"kind": shown["type"]} | shown
    if outcome.notice is not None or (outcome.reply is not None and shown is not None):
        with world.store.writing() as db:
            if outcome.notice is not None:
                inbox.add(db, account.account, push.openid, "notice", "text", at, {"text": outcome.notice})
            elif shown is not None and shown["type"] not in replies.HANDED_OVER:
                data = {name: value for name, value in shown.items() if name != "type"}
                inbox.add(db, account.account, push.openid, "passive", shown["type"], at, data)
        world.bell.ring()
    return outcome


def verify(world: World, account: Account) -> dict[str, Any]:
    """The GET that WeChat sends when someone saves the callback's address in its console."""
    echo = str(secrets.randbelow(9 * 10**18) + 10**18)
    query = _signed(world, account) | {"echostr": echo}
    attempt = _request(world, account, "GET", query, b"")
    ok = attempt.status == 200 and attempt.body == echo.encode()
    return {"ok": ok} | attempt.shown()


def _attempts(world: World, account: Account, push: Push, repeat: int, parallel: bool) -> list[Attempt]:
    def once(_: int = 0) -> Attempt:
        return _attempt(world, account, push)

    if parallel and repeat > 1:
        with ThreadPoolExecutor(repeat) as pool:
            return list(pool.map(once, range(repeat)))
    attempts = []
    for _ in range(repeat or account.push_attempts):
        attempts.append(once())
        if attempts[-1].is_answer and not repeat:
            break
    return attempts


def _attempt(world: World, account: Account, push: Push) -> Attempt:
    fault = faults.take(world, faults.CALLBACK, account.account) or Fault()
    if fault.delay_ms:
        time.sleep(fault.delay_ms / 1000)
    if fault.cut == "push":
        return Attempt(None, 0, error="lost on the way (fault)")
    if fault.status is not None:
        return Attempt(fault.status, 0, error="answered by a gateway (fault)")
    query = _signed(world, account) | {"openid": push.openid}
    body = push.xml
    if account.mode != "plain":
        sealed = envelope.encrypt(account.encoding_aes_key, account.appid, push.xml.encode())
        signature = envelope.sign(account.token, query["timestamp"], query["nonce"], sealed)
        query |= {"encrypt_type": "aes", "msg_signature": signature}
        if account.mode == "safe":
            body = envelope.to_xml({"ToUserName": account.original_id, "Encrypt": sealed})
        else:
            body = push.xml.removesuffix("</xml>") + f"<Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
    attempt = _request(world, account, "POST", query, body.encode())
    if fault.cut == "reply":
        return Attempt(None, attempt.ms, error="the reply was lost (fault)")
    return attempt


def _signed(world: World, account: Account) -> dict[str, str]:
    timestamp, nonce = str(int(world.clock.now())), str(secrets.randbelow(2**31))
    return {
        "signature": envelope.sign(account.token, timestamp, nonce),
        "timestamp": timestamp,
        "nonce": nonce,
    }


def _request(world: World, account: Account, method: str, query: dict[str, str], body: bytes) -> Attempt:
    """One request within the time WeChat grants, counted from its first byte to the answer's last."""
    started = time.monotonic()
    deadline = started + account.push_timeout_seconds
    joint = "&" if "?" in account.callback_url else "?"
    try:
        with world.http.request(
            method,
            account.callback_url + joint + urlencode(query),
            data=body or None,
            headers=HEADERS,
            timeout=account.push_timeout_seconds,
            allow_redirects=False,
            stream=True,
        ) as response:
            received = b""
            # What has come so far, not whole blocks: a reply that drips is cut at the deadline too.
            while chunk := response.raw.read1(65536, decode_content=True):
                received += chunk
                if time.monotonic() > deadline or len(received) > MOST_BYTES:
                    return Attempt(None, _ms(started), error="the reply took too long")
            return Attempt(response.status_code, _ms(started), received)
    except (requests.Timeout, ReadTimeoutError):
        return Attempt(None, _ms(started), error=f"no reply in {account.push_timeout_seconds:g} seconds")
    except (requests.RequestException, HTTPError) as error:
        return Attempt(None, _ms(started), error=f"no connection ({type(error).__name__})")


def _ms(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
