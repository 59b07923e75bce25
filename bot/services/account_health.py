"""One account's connection to WeChat: can we read its secrets, does WeChat know us, does it write to us?"""

import time
from collections.abc import Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime

import requests
from sqlalchemy import func, select

from bot import clock
from bot.database import reading
from bot.services import accounts, assistant, assistant_answers, assistant_limits, tokens
from bot.services.checks import Check, fail, ok, warn
from bot.services.vault import Unreadable
from bot.settings import Settings, settings
from bot.wechat.client import Client
from bot.wechat.errors import WeChatError
from models import Account, InboundMessage

CHECK = "connection_check"  # the task that looks line by line
LINES = 7  # of ``connection``
RECENTLY = timedelta(hours=1)
SKEW_SECONDS = 60  # the callback refuses signatures 300 s off; this is the time to say so


def report(account: Account) -> list[Check]:
    """Asks WeChat: call it outside any transaction."""
    known = settings()
    checks = [_secrets(account)]
    if not checks[0].is_failure:
        checks.append(_token(account))
    return [*checks, *_skew(known), _callback(known, account), *_assistant(account)]


def connection(account: Account) -> Iterator[Check]:
    """The same looks, line by line, for somebody who connects the account.  Asks WeChat: outside any transaction."""
    known = settings()
    url = f"{known.base_url}/wechat/{account.slug}"
    secrets = _secrets(account)
    yield secrets
    if secrets.is_failure:
        yield warn("Access token", "Not asked for: the AppID and AppSecret come first.", "")
        yield warn("IP whitelist", "Not known before WeChat was asked.", "")
        yield warn("Rights", "Not known before WeChat was asked.", "")
    else:
        yield from _asked(account)
    skew = next(_skew(known), None)
    yield skew or warn("Time", "WeChat did not answer, so the clocks could not be compared.", "")
    yield _verified(account, url)
    yield _callback(known, account)


def _asked(account: Account) -> Iterator[Check]:
    """Token, whitelist, rights: three answers to two calls."""
    client = tokens.client_for(account)
    try:
        client.callback_ips()
    except WeChatError as error:
        if error.errcode == 40164:
            yield warn("Access token", "WeChat gives none before this server's address is on the whitelist.", "")
            yield fail(
                "IP whitelist",
                "{advice}",
                "Add the address under “IP whitelist” in WeChat's console.",
                advice=error,
                address=error.address,
            )
        else:
            yield _refused("Access token", error)
            yield warn("IP whitelist", "Not known before WeChat was asked.", "")
        yield warn("Rights", "Not known before WeChat was asked.", "")
    else:
        yield ok("Access token", "WeChat gave one.")
        yield ok("IP whitelist", "This server's address is on it, or there is none.")
        yield _rights(client)
    finally:
        client.close()


def _rights(client: Client) -> Check:
    try:
        client.get_menu()
    except WeChatError as error:
        if error.errcode == 48001:
            return warn(
                "Rights",
                "This account may not set its menu from a server (48001).",
                "Only verified accounts may. Its menu stays as WeChat's console has it.",
            )
        return _refused("Rights", error)
    return ok("Rights", "This account may set its menu from here.")


def _verified(account: Account, url: str) -> Check:
    if account.verified_at is None:
        return warn(
            "Verification",
            "WeChat has not tried our address yet. Whether it can be reached from outside cannot be known from here.",
            "Enter {url}, the token and the key in WeChat's console; WeChat tries it when you save.",
            url=url,
        )
    minutes = max(0, int((clock.now() - account.verified_at).total_seconds() // 60))
    return ok("Verification", "WeChat reached us and knew the token {minutes} minutes ago.", minutes=minutes)


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
        return _refused("WeChat", error)
    return ok("WeChat", "It knows us: a call with our access token went through.")


def _refused(subject: str, error: WeChatError) -> Check:
    """With WeChat's code, where WeChat answered at all."""
    if error.errcode:
        return fail(subject, "{advice} ({code})", "", advice=error, code=error.errcode)
    return fail(subject, "{advice}", "", advice=error)


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


def _assistant(account: Account) -> Iterator[Check]:
    """How its last answers went; nothing while it is off."""
    now = clock.now()
    with reading() as session:
        settings = assistant.get(session, account)
        recent = assistant_answers.latest_ended(session, account.id, now - RECENTLY) if settings.is_enabled else []
        spent = assistant_limits.spent(session, account, now)
    if not settings.is_enabled:
        return
    if settings.account_messages and spent.messages >= settings.account_messages:
        yield warn(
            "Assistant",
            "Today's limit of questions is used up: followers get the fallback sentence.",
            "Raise the limit under “Assistant”, or wait for tomorrow.",
        )
        return
    troubles = [each.trouble for each in recent if each.trouble not in ("person", "words")]
    if not any(troubles):
        yield ok("Assistant", "Its answers of the last hour came through: {count}.", count=len(recent))
        return
    why = assistant_answers.WHY[next(filter(None, troubles))]
    make = fail if all(troubles[:3]) else warn
    count = sum(map(bool, troubles))
    yield make(
        "Assistant",
        why,
        "Of the last {total} answers {count} failed. Try it under “Assistant”.",
        total=len(recent),
        count=count,
    )


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
