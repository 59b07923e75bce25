"""The official accounts that exist in the simulator, and what their owners set in WeChat's console."""

import ipaddress
import secrets
import sqlite3
import string
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

LETTERS = string.ascii_letters + string.digits


def _network(entry: str) -> str:
    ipaddress.ip_network(entry, strict=False)
    return entry


class Account(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    account: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    title: str = Field(default="", max_length=64)  # shown on the phone; empty: the account's name
    appid: str = Field(pattern=r"^wx[0-9a-f]{16}$")
    original_id: str = Field(pattern=r"^gh_[\w-]{1,32}$")
    secret: str = Field(min_length=1, max_length=64)
    token: str = Field(min_length=1, max_length=64)
    encoding_aes_key: str = Field(pattern=r"^[A-Za-z0-9]{43}$")
    mode: Literal["plain", "compatible", "safe"] = "plain"
    callback_url: str = Field(default="", pattern=r"^$|^https?://")  # empty: the console's auto-replies answer
    kind: Literal["subscription", "service"] = "service"
    verified: bool = True
    token_seconds: float = Field(default=7200, gt=0, le=7200)
    ip_whitelist: tuple[Annotated[str, AfterValidator(_network)], ...] = ()  # addresses or networks; empty: everyone
    push_timeout_seconds: float = Field(default=5.0, gt=0, le=30)
    push_attempts: int = Field(default=3, ge=1, le=4)
    daily_limits: dict[str, int] = {}  # path: calls a day, instead of WeChat's usual number
    mass_a_minute: int = Field(default=60, ge=0)  # calls of mass messaging; 0: without limit
    moderation_seconds: float = Field(default=0, ge=0)  # from a mass message or publication taken on to its end
    miniprograms: tuple[str, ...] = ()  # appids linked to the account
    # Where web sign-in may lead back to (网页授权域名); empty: nowhere.
    web_domain: str = Field(default="", pattern=r"^[a-z0-9.-]{0,253}$")

    @property
    def shown_title(self) -> str:
        return self.title or self.account


def save(db: sqlite3.Connection, fields: Mapping[str, Any]) -> Account:
    """Make the account, or change the given fields of the one that exists.

    Raises:
        pydantic.ValidationError: a field has a value WeChat would not show.
        sqlite3.IntegrityError: its appid or original id belongs to another account.
    """
    known = find(db, str(fields.get("account", "")))
    account = Account.model_validate((known.model_dump() if known else _generated()) | dict(fields))
    db.execute(
        "INSERT INTO accounts VALUES (?, ?, ?, ?) ON CONFLICT (account) DO UPDATE"
        " SET appid = excluded.appid, original_id = excluded.original_id, data = excluded.data",
        (account.account, account.appid, account.original_id, account.model_dump_json()),
    )
    return account


def find(db: sqlite3.Connection, account: str) -> Account | None:
    return _one(db.execute("SELECT data FROM accounts WHERE account = ?", (account,)))


def find_by_appid(db: sqlite3.Connection, appid: str) -> Account | None:
    return _one(db.execute("SELECT data FROM accounts WHERE appid = ?", (appid,)))


def all_of_them(db: sqlite3.Connection) -> list[Account]:
    return [Account.model_validate_json(row[0]) for row in db.execute("SELECT data FROM accounts ORDER BY rowid")]


def _one(rows: sqlite3.Cursor) -> Account | None:
    row = rows.fetchone()
    return _read(row[0]) if row else None


@lru_cache(maxsize=64)
def _read(data: str) -> Account:
    """The same words make the same account: every call asks for one, and few ever change."""
    return Account.model_validate_json(data)


def _generated() -> dict[str, Any]:
    return {
        "appid": "wx" + secrets.token_hex(8),
        "original_id": "gh_" + secrets.token_hex(6),
        "secret": secrets.token_hex(16),
        "token": "".join(secrets.choice(LETTERS) for _ in range(24)),
        "encoding_aes_key": "".join(secrets.choice(LETTERS) for _ in range(43)),
    }
