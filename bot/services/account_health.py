"""One account's connection to WeChat: can we read its secrets, does WeChat know us, does it write to us?"""

import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

import requests
from sqlalchemy import func, select

from bot import clock
from bot.database import reading
from bot.services import accounts, tokens
from bot.services.checks import Check, fail, ok, warn
from bot.services.vault import Unreadable
from bot.settings import Settings, settings
from bot.wechat.errors import WeChatError
from models import Account, InboundMessage

SKEW_SECONDS = 60  # the callback refuses signatures 300 s off; this is the time to say so


def report(account: Account) -> list[Check]:
    """Asks WeChat: call it outside any transaction."""
    known = settings()
    checks = [_secrets(account)]
    if not checks[0].is_failure:
        checks.append(_token(account))
    return [*checks, *_skew(known), _callback(known, account)]


def _secrets(account: Account) -> Check:
    try:
        secret = accounts.secret(account)
        accounts.credentials(account)
    except Unreadable:
        return fail(
            "Secrets",
            "They cannot be read: they were sealed with another key.",
            "Put the former LOBBY_SECRET_KEY into LOBBY_OLD_SECRET_KEYS, then run: lobby account reseal",
        )
    if not account.appid or not secret:
        return fail(
            "Secrets",
            "The AppID or AppSecret is missing.",
            "Copy both from WeChat's console, then run: lobby account edit {slug} --appid … --ask-secret",
            slug=account.slug,
        )
    return ok("Secrets", "They are there and can be read.")


def _token(account: Account) -> Check:
    try:
        client = tokens.client_for(account)
        try:
            client.callback_ips()  # the cheapest call that needs a token and a place on the whitelist
        finally:
            client.close()
    except WeChatError as error:
        if error.errcode == 40164:
            return fail("WeChat", "{advice}", "Add the address under “IP whitelist” in WeChat's console.", advice=error)
        return fail("WeChat", "{advice} ({code})", "", advice=error, code=error.errcode or "no answer")
    return ok("WeChat", "It knows us: a call with our access token went through.")


def _skew(known: Settings) -> Iterator[Check]:
    """Compare the machine's own clock, as the signatures' time is WeChat's."""
    try:
        before = time.time()
        with requests.Session() as http:
            http.trust_env = not known.is_practice
            answer = http.head(known.wechat_url, timeout=known.wechat_timeout, allow_redirects=False)
        there = parsedate_to_datetime(answer.headers["Date"]).timestamp() + 0.5  # it shows whole seconds
        seconds = round((before + time.time()) / 2 - there)
    except (requests.RequestException, KeyError, ValueError, TypeError):
        return  # that WeChat does not answer is told by the check before
    if abs(seconds) > SKEW_SECONDS:
        yield warn(
            "Time",
            "This machine's clock differs from WeChat's by {seconds} seconds; at 300 all messages are refused.",
            "Switch on time synchronisation (NTP).",
            seconds=seconds,
        )
    else:
        yield ok("Time", "The clock agrees with WeChat's.")


def _callback(known: Settings, account: Account) -> Check:
    with reading() as session:
        last = session.scalar(
            select(func.max(InboundMessage.received_at)).where(InboundMessage.account_id == account.id)
        )
    if last is None:
        return warn(
            "Messages",
            "None has arrived yet.",
            "Enter {url} with the account's token and key in WeChat's console, then write to the account.",
            url=f"{known.base_url}/wechat/{account.slug}",
        )
    minutes = max(0, int((clock.now() - last).total_seconds() // 60))
    return ok("Messages", "The last one arrived {minutes} minutes ago.", minutes=minutes)
