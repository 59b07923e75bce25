"""The assistant's settings: which model answers, when, and within what bounds."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from bot.errors import Refused
from bot.services import vault
from bot.settings import settings
from bot.wechat import limits
from models import Account, Assistant
from models.prepared import Prepared

PRACTICE = "practice"  # as an address: the stand-in that runs beside the simulator, and needs no key
WORDS = ("words_in", "words_out")
SENTENCES = ("fallback_reply", "link_reply")
LIMITS = tuple(f"{whose}_{what}" for whose in ("follower", "account") for what in ("messages", "tokens", "fen"))
PRICES = ("price_in_fen", "price_out_fen")
PLAIN = ("is_enabled", "url", "model", "is_streamed", "prompt", "prefix", "turns", "max_tokens", "signature")
SHOWN = (*PLAIN, *SENTENCES, *WORDS, *LIMITS, *PRICES)
EDITABLE = {*SHOWN, "key"}

MOST = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What the webhook needs of it."""

    id: int
    prefix: str
    fallback_reply: str
    words_in: list[str]
    follower_messages: int
    account_messages: int


def get(session: Session, account: Account) -> Assistant:
    """The account's own; one that is off, and in no table yet, when it was never touched."""
    found = session.scalar(select(Assistant).where(Assistant.account_id == account.id))
    if found is not None:
        return found
    columns = [column for column in Assistant.__table__.columns if column.default is not None]
    return Assistant(account_id=account.id, **{column.name: _initial(column.default) for column in columns})


def update(session: Session, account: Account, values: dict[str, Any]) -> Assistant:
    """Change some of EDITABLE; nothing is changed when one is refused.

    Raises:
        Refused: a value that cannot be used, with its field; or on without an address and a model.
    """
    unknown = set(values) - EDITABLE
    if unknown:
        raise Refused("There is no field “{name}” to change.", field=sorted(unknown)[0], name=sorted(unknown)[0])
    checked = {name: _checked(name, value) for name, value in values.items()}
    # Two who save first at once both would add a row: the account's row is the lock.
    session.execute(select(Account.id).where(Account.id == account.id).with_for_update())
    assistant = get(session, account)
    will_be = {name: checked.get(name, getattr(assistant, name)) for name in ("is_enabled", "url", "model")}
    if will_be["is_enabled"] and not will_be["url"]:
        raise Refused("Give the address of the model first.", field="url")
    if will_be["is_enabled"] and not will_be["model"]:
        raise Refused("Give the name of the model, as its provider writes it.", field="model")
    if "key" in checked:
        assistant.sealed_key = vault.seal(checked.pop("key"), "assistants", account.slug, "key")
    for name, value in checked.items():
        setattr(assistant, name, value)
    session.add(assistant)
    session.flush()
    return assistant


def key(account: Account, assistant: Assistant) -> str:
    """
    Raises:
        vault.Unreadable: sealed with a key that is gone.
    """
    return vault.unseal(assistant.sealed_key, "assistants", account.slug, "key")


def reseal(session: Session) -> int:
    """Seal all keys anew with the newest master key; returns how many were touched."""
    held = select(Assistant, Account.slug).join(Account, Account.id == Assistant.account_id)
    held = held.where(Assistant.sealed_key != "").with_for_update(of=Assistant)
    stale = [(each, slug) for each, slug in session.execute(held) if not vault.is_current(each.sealed_key)]
    for each, slug in stale:
        place = ("assistants", slug, "key")
        each.sealed_key = vault.seal(vault.unseal(each.sealed_key, *place), *place)
    return len(stale)


def endpoint(url: str) -> str:
    """Where to post: an address may be given with or without the path that all of them have; "": nowhere."""
    base = settings().model_url if url == PRACTICE else url
    return base if not base or base.endswith("/chat/completions") else f"{base.rstrip('/')}/chat/completions"


def find_enabled(connection: Any, account_id: int) -> Asked | None:
    """For the webhook: every text that no rule answers asks this."""
    row = _FIND_ENABLED.first(connection, {"account_id": account_id})
    return Asked(*row) if row else None


def _find_enabled(dialect: str) -> Any:
    columns = (getattr(Assistant, name) for name in Asked.__dataclass_fields__)
    return select(*columns).where(Assistant.account_id == bindparam("account_id"), Assistant.is_enabled)


_FIND_ENABLED = Prepared(_find_enabled)

_NUMBERS = {
    "turns": (0, 20, "Give a number of turns from 0 to 20."),
    "max_tokens": (16, 4000, "Give a number of tokens from 16 to 4,000."),
    **dict.fromkeys((*LIMITS, *PRICES), (0, MOST, "Give a number; 0 means no limit.")),
}


def _checked(name: str, value: Any) -> Any:
    if name in _NUMBERS:
        least, most, sentence = _NUMBERS[name]
        if type(value) is not int or not least <= value <= most:
            raise Refused(sentence, field=name)
        return value
    if name in WORDS:
        words = list(dict.fromkeys(word.strip() for word in value if word.strip()))
        if len(words) > 500 or any(len(word) > 64 for word in words):
            raise Refused("Use at most 500 words of at most 64 characters.", field=name)
        return words
    if isinstance(value, bool):
        return value
    value = str(value).strip()
    if name in SENTENCES and not 1 <= len(value.encode()) <= limits.TEXT_BYTES - 400:
        raise Refused("Write 1 to 500 characters.", field=name)
    if name == "url":
        return _address(value)
    longest = {"model": 100, "key": 500, "prompt": 4000, "prefix": 16, "signature": 64}.get(name)
    if longest and len(value) > longest:
        raise Refused("This is too long: at most {max}.", field=name, max=longest)
    if name == "key" and not value.isascii():
        raise Refused("A key has no Chinese characters; copy it again.", field=name)
    return value


def _address(value: str) -> str:
    if value in ("", PRACTICE):
        if value and not settings().model_url:
            raise Refused("The practice model runs in practice mode only; give a model's address.", field="url")
        return value
    try:
        parts = urlsplit(value)
        is_good = parts.scheme == "https" and bool(parts.hostname) and (parts.port or 443) > 0
    except ValueError:
        is_good = False
        parts = urlsplit("")
    if not is_good or len(value) > 500 or "@" in parts.netloc or parts.query or parts.fragment or " " in value:
        raise Refused("Give an address such as https://api.example.com/v1, with https and without a key.", field="url")
    return value.rstrip("/")


def _initial(default: Any) -> Any:
    return default.arg(None) if default.is_callable else default.arg
