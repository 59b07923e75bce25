"""The practice account: an official account in the simulator, wired to us as a real one would be, with samples."""

import time
from typing import Any
from urllib.parse import urlsplit

import requests

from bot import practice_samples as samples
from bot.database import reading, transaction
from bot.errors import NotFound, Refused
from bot.services import accounts, assistant, knowledge, menus, rules, tokens
from bot.settings import Settings
from models import Account, SourceKind

SLUG = "practice"
TITLE = "大厅练习号 Lobby Practice"
PATIENCE_SECONDS = 30  # for the simulator to start


def prepare(settings: Settings, callback_url: str, *, demo: bool = True) -> None:
    """Make the account on both sides and tie them together; what is there already stays as it is.

    ``demo``: with sample rules and a menu, unless the account has rules.

    Raises:
        Refused: the simulator does not take it.
    """
    with transaction() as session:
        account = _found_or_made(session)
        ours = _as_in_wechats_console(account, callback_url)
        ours["web_domain"] = urlsplit(settings.base_url).hostname or ""
    theirs = _tell_simulator(settings.wechat_url, ours)
    with transaction() as session:
        account = accounts.get(session, SLUG)
        _take_over(session, account, theirs)
        if demo and not rules.list_all(session, account):
            for draft in samples.RULES:
                rules.save(session, account, draft)
            if not menus.get(session, account).buttons:
                menus.save(session, account, samples.menu(callback_url))
                menus.publish(session, account)
            if settings.model_url and not knowledge.list_all(session, account):
                name, content = samples.KNOWLEDGE
                knowledge.save(session, account, name, SourceKind.MARKDOWN, content)
                assistant.update(session, account, samples.ASSISTANT)


def is_prepared() -> bool:
    with reading() as session:
        try:
            return bool(accounts.get(session, SLUG).appid)
        except NotFound:
            return False


def _found_or_made(session: Any) -> Account:
    try:
        return accounts.get(session, SLUG)
    except NotFound:
        return accounts.create(
            session, SLUG, TITLE, kind="service", is_verified=True, mode="safe", signs_members_in=True
        )


def _as_in_wechats_console(account: Account, callback_url: str) -> dict[str, Any]:
    credentials = accounts.credentials(account)
    fields = {
        "account": SLUG,
        "title": account.title,
        "callback_url": callback_url,
        "kind": account.kind.value,
        "verified": account.is_verified,
        "mode": account.mode.value,
        "token": credentials.token,
        "encoding_aes_key": credentials.encoding_aes_key,
        # WeChat gives these; the simulator keeps what it gave before, unless its folder was emptied.
        "appid": account.appid,
        "original_id": account.original_id,
        "secret": accounts.secret(account),
    }
    return {name: value for name, value in fields.items() if value != ""}


def _tell_simulator(url: str, fields: dict[str, Any]) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with requests.Session() as http:
                http.trust_env = False  # no proxy stands between us and this machine
                answer = http.post(f"{url}/sim/accounts", json=fields, timeout=5)
            break
        except requests.ConnectionError:
            if time.monotonic() > deadline:
                raise Refused("The simulator does not answer at {url}.", url=url) from None
            time.sleep(0.05)
    if not answer.ok:
        raise Refused("The simulator does not take the practice account: {why}", why=answer.json().get("error", ""))
    known: dict[str, Any] = answer.json()
    return known


def _take_over(session: Any, account: Account, theirs: dict[str, Any]) -> None:
    """Our copy of what WeChat's console shows, where it differs."""
    known = {"appid": account.appid, "original_id": account.original_id, "secret": accounts.secret(account)}
    changed = {name: theirs[name] for name, value in known.items() if theirs[name] != value}
    if changed:
        accounts.update(session, account, changed)
        tokens.forget(session, account.id)
