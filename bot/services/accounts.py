"""Official accounts: making, changing, and their secrets."""

import re
import secrets
import string
from collections.abc import Container
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select
from sqlalchemy import update as update_row
from sqlalchemy.orm import Session

from bot import clock
from bot.errors import Conflict, NotFound, Refused
from bot.fault_points import fault_point
from bot.services import opening_hours, vault, zones
from bot.services.folding import fold
from bot.wechat import limits
from bot.wechat.envelope import Credentials
from models import AccessToken, Account, AccountKind, Assigning, CallbackMode, Desk

SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
HUMAN_WORDS = ["人工", "人工客服", "转人工", "客服", "human", "agent"]
TAKEN = frozenset({"accounts", "moments", "preferences", "profile", "sign-in", "sign-out", "static"})  # the console's
SEALED = ("secret", "token", "aes_key")  # columns sealed_secret, …
PLAIN = ("title", "appid", "original_id", "kind", "is_verified", "mode", "timezone")
CAMPAIGNS = ("cap_messages", "cap_days", "approval_above")
WORDS = ("human_words", "opt_out_words", "opt_in_words")  # a text that is one of these means something by itself
REPLIES = ("human_reply", "opt_out_reply", "opt_in_reply")
DESK = ("desk", "assigning", "offline_minutes", "opening_hours", "away_reply", "handover_minutes")
MEMBERS = ("signs_members_in",)
EDITABLE = {*PLAIN, *MEMBERS, *WORDS, *REPLIES, *CAMPAIGNS, *DESK, *SEALED}
_CHOICES: dict[str, type[StrEnum]] = {"kind": AccountKind, "mode": CallbackMode, "desk": Desk, "assigning": Assigning}


@dataclass(frozen=True, slots=True)
class CallbackAccount:
    """What the webhook needs of an account, decrypted."""

    id: int
    slug: str
    title: str
    timezone: str
    human_words: frozenset[str]  # folded
    human_reply: str
    handover_minutes: int
    desk: str
    opening_hours: dict[str, Any]
    away_reply: str
    opt_out_words: frozenset[str]  # folded
    opt_out_reply: str
    opt_in_words: frozenset[str]  # folded
    opt_in_reply: str
    credentials: Credentials


def get(session: Session, slug: str) -> Account:
    # Asked first: PostgreSQL would not even look for one with U+0000 in it.
    account = session.scalar(select(Account).where(Account.slug == slug)) if SLUG.fullmatch(slug) else None
    if account is None:
        raise NotFound("There is no account “{slug}”.", slug=slug)
    return account


def list_all(session: Session) -> list[Account]:
    return list(session.scalars(select(Account).order_by(Account.id)))


def create(session: Session, slug: str, title: str = "", **values: Any) -> Account:
    """Add an account; a callback token and an AES key are made when not given.

    ``values``: any of EDITABLE.

    Raises:
        Refused: a value WeChat or we would not take, with the field's name.
        Conflict: the address is taken.
    """
    if not SLUG.fullmatch(slug):
        raise Refused(
            "Use 1 to 32 small letters, digits, “-” or “_” for the account's address, starting with a letter or digit.",
            field="slug",
        )
    if slug in TAKEN:
        raise Refused("This address is one of ours; choose another.", field="slug")
    if session.scalar(select(func.count()).select_from(Account).where(Account.slug == slug)):
        raise Conflict("There is an account “{slug}” already; choose another address.", field="slug", slug=slug)
    account = Account(slug=slug, title=title or slug, human_words=list(HUMAN_WORDS))
    alphabet = string.ascii_letters + string.digits
    made = {
        "token": "".join(secrets.choice(alphabet) for _ in range(32)),
        # 43 characters of base64 hold 258 bits: the last one's low two must be zero, or strict decoders refuse it.
        "aes_key": "".join(secrets.choice(alphabet) for _ in range(42)) + secrets.choice("AEIMQUYcgkosw048"),
    }
    session.add(account)
    session.flush()  # with the defaults that an update looks at
    update(session, account, {**made, **{name: value for name, value in values.items() if value not in ("", None)}})
    session.flush()
    session.add(AccessToken(account_id=account.id))
    return account


def update(session: Session, account: Account, values: dict[str, Any]) -> None:
    """Change some of EDITABLE; nothing is changed when one is refused."""
    unknown = set(values) - EDITABLE
    if unknown:
        raise Refused("There is no field “{name}” to change.", field=sorted(unknown)[0], name=sorted(unknown)[0])
    checked = {name: _checked(name, value) for name, value in values.items()}
    _check_words({name: checked.get(name, getattr(account, name)) for name in (*WORDS, *REPLIES)}, checked)
    is_verified = checked.get("is_verified", account.is_verified)
    if checked.keys() & {"desk", "is_verified"} and not is_verified and checked.get("desk", account.desk) != Desk.LOBBY:
        raise Refused("Only accounts that WeChat has verified have its service desk; let Lobby answer.", field="desk")
    signs_in = checked.get("signs_members_in", account.signs_members_in)
    is_service = checked.get("kind", account.kind) == AccountKind.SERVICE
    if signs_in and checked.keys() & {"signs_members_in", "kind", "is_verified"} and not (is_service and is_verified):
        raise Refused(
            "Only a verified service account may ask WeChat who somebody is; leave this off.", field="signs_members_in"
        )
    for name, value in checked.items():
        if name in SEALED:
            setattr(account, f"sealed_{name}", vault.seal(value, "accounts", account.slug, name))
        else:
            setattr(account, name, value)
    if checked.keys() & {"appid", "kind", "is_verified"}:
        account.refused_calls = {}  # it may be allowed more now


def note_verified(session: Session, slug: str) -> None:
    """WeChat tried our address, and signed with this account's token."""
    session.execute(update_row(Account).where(Account.slug == slug).values(verified_at=clock.now()))


def note_refused_call(session: Session, account_id: int, call: str) -> None:
    """WeChat said that this account may not make this call (48001)."""
    account = session.get(Account, account_id, with_for_update=True)
    if account is not None:
        account.refused_calls = {**account.refused_calls, call: clock.now().isoformat()}


def secret(account: Account) -> str:
    """The AppSecret."""
    return vault.unseal(account.sealed_secret, "accounts", account.slug, "secret")


def credentials(account: Account) -> Credentials:
    """What is needed to open and seal envelopes."""
    return Credentials(
        token=vault.unseal(account.sealed_token, "accounts", account.slug, "token"),
        encoding_aes_key=vault.unseal(account.sealed_aes_key, "accounts", account.slug, "aes_key"),
        appid=account.appid,
        original_id=account.original_id,
        mode=account.mode.value,
    )


def for_callback(session: Session, slug: str) -> CallbackAccount:
    account = get(session, slug)
    return CallbackAccount(
        id=account.id,
        slug=account.slug,
        title=account.title,
        timezone=account.timezone,
        human_words=frozenset(map(fold, account.human_words)),
        human_reply=account.human_reply,
        handover_minutes=account.handover_minutes,
        desk=account.desk.value,
        opening_hours=account.opening_hours,
        away_reply=account.away_reply,
        opt_out_words=frozenset(map(fold, account.opt_out_words)),
        opt_out_reply=account.opt_out_reply,
        opt_in_words=frozenset(map(fold, account.opt_in_words)),
        opt_in_reply=account.opt_in_reply,
        credentials=credentials(account),
    )


def reseal(session: Session, limit: int = 500) -> int:
    """Seal up to ``limit`` accounts' secrets anew with the newest key; returns how many were touched.

    Each call is one short transaction of its own, so that readers and a crash in between see whole rows only.
    """
    touched = 0
    # Held, but not against messages: what an operator saves meanwhile waits, or it would be undone.
    held = select(Account).order_by(Account.id).with_for_update(key_share=True)
    for account in session.scalars(held):
        stale = [name for name in SEALED if not vault.is_current(getattr(account, f"sealed_{name}"))]
        for name in stale:
            place = ("accounts", account.slug, name)
            value = vault.unseal(getattr(account, f"sealed_{name}"), *place)
            setattr(account, f"sealed_{name}", vault.seal(value, *place))
            session.flush()
            fault_point("K20 in key rotation")
        touched += bool(stale)
        if touched == limit:
            break
    for row in session.scalars(select(AccessToken).where(AccessToken.sealed_token != "")):
        if not vault.is_current(row.sealed_token):
            row.sealed_token, row.expires_at = "", None  # fetched again when it is next needed
    return touched


_RANGES = {
    "cap_messages": (0, 1_000, "Give a number of messages from 0 (any number) to 1,000."),
    "cap_days": (1, 90, "Give a number of days from 1 to 90."),
    "offline_minutes": (1, 1_440, "Give a number of minutes from 1 to 1,440 (a day)."),
    "approval_above": (0, 100_000_000, "Give a number of followers, or nothing where nobody must approve."),
}


def _check_words(found: dict[str, Any], changed: Container[str]) -> None:
    """``found``: all WORDS and REPLIES as they will be; only what is changed is found fault with."""
    for words, reply in zip(WORDS, REPLIES, strict=True):
        if found[reply] or not (words in changed or reply in changed):
            continue
        if words == "human_words":
            raise Refused("Write 1 to 600 characters that tell the follower to wait for a person.", field=reply)
        if found[words]:
            raise Refused("Write what is answered to these words.", field=reply)
    taken: dict[str, str] = {}
    for name in sorted(WORDS, key=lambda name: name in changed):
        for word in found[name]:
            if taken.setdefault(fold(word), name) != name and name in changed:
                raise Refused("“{word}” stands in another list of words already.", field=name, word=word)


def _checked(name: str, value: Any) -> Any:
    if name == "title":
        if not 1 <= len(str(value).strip()) <= 64:
            raise Refused("Give the account a name of 1 to 64 characters.", field=name)
        return str(value).strip()
    if name == "appid" and not re.fullmatch(r"(wx[0-9a-zA-Z]{8,30})?", value):
        raise Refused("An AppID begins with “wx” and has 18 characters; copy it from WeChat's console.", field=name)
    if name == "original_id" and not re.fullmatch(r"(gh_[0-9a-zA-Z_-]{1,28})?", value):
        raise Refused("The original id begins with “gh_”; copy it from WeChat's account settings.", field=name)
    if name == "token" and not re.fullmatch(r"[0-9A-Za-z]{3,32}", value):
        raise Refused("The callback token takes 3 to 32 letters and digits.", field=name)
    if name == "aes_key" and not re.fullmatch(r"[0-9A-Za-z]{43}", value):
        raise Refused("The EncodingAESKey has exactly 43 letters and digits.", field=name)
    if name == "secret" and not re.fullmatch(r"[!-~]{0,64}", value):
        raise Refused("The AppSecret has no spaces or Chinese characters; copy it again.", field=name)
    if name in _CHOICES:
        try:
            return _CHOICES[name](value)
        except ValueError:
            choices = ", ".join(item.value for item in _CHOICES[name])
            raise Refused("“{value}” is not one of {choices}.", field=name, value=value, choices=choices) from None
    if name == "timezone":
        zones.named(value)
    if name in WORDS:
        words = [word.strip() for word in value if word.strip()]
        if len(words) > 50 or any(len(word) > 32 for word in words):
            raise Refused("Use at most 50 words of at most 32 characters.", field=name)
        return words
    if name == "opening_hours":
        return opening_hours.checked(value)
    if name == "away_reply" and not value.strip():
        raise Refused("Write what followers read while nobody is there.", field=name)
    if name in (*REPLIES, "away_reply"):
        if len(value.strip().encode()) > limits.TEXT_BYTES:
            raise Refused("This is longer than WeChat takes; write at most 600 Chinese characters.", field=name)
        return value.strip()
    if name in _RANGES and not (value is None and name == "approval_above"):
        least, most, sentence = _RANGES[name]
        if type(value) is not int or not least <= value <= most:
            raise Refused(sentence, field=name)
    if name == "handover_minutes" and not 1 <= value <= 2880:
        raise Refused("A hand-over lasts 1 to 2,880 minutes (48 hours, WeChat's own window).", field=name)
    return value
