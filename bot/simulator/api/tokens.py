"""Access tokens: the classic one that each fetch replaces, and the stable one that stays."""

import ipaddress
import re
import secrets
import sqlite3
from dataclasses import dataclass

from bot.simulator import accounts
from bot.simulator.accounts import Account
from bot.simulator.errors import Refusal
from bot.simulator.world import World

GRACE_SECONDS = 300  # a replaced classic token still works so long
FORCED_A_DAY = 20
FORCED_APART_SECONDS = 30
CLASSIC_A_DAY = 2000
STABLE_A_DAY = 500_000

WELL_FORMED = re.compile(r"^[\w-]{20,512}$", re.ASCII)


@dataclass(frozen=True)
class Token:
    text: str
    expires_in: int


def account_of(world: World, token: str | None) -> tuple[Account | None, Refusal | None]:
    """Whose token it is, if anyone's, and why it cannot be used, if so."""
    if not token:
        return None, Refusal(41001)
    if not WELL_FORMED.match(token):
        return None, Refusal(40014)
    now = world.clock.now()
    with world.store.reading() as db:
        row = db.execute("SELECT * FROM tokens WHERE token = ?", (token,)).fetchone()
        account = accounts.find(db, row["account"]) if row else None
    if row is None or account is None:
        return None, Refusal(40014)
    if row["dies_at"] is not None and now >= row["dies_at"]:
        return account, Refusal(40001)
    if now >= row["expires_at"]:
        return account, Refusal(42001)
    return account, None


def check_caller(account: Account | None, secret: str | None, ip: str) -> Account:
    """The owner of appid and secret, calling from an address on the whitelist.

    Raises:
        Refusal: 41004, 40013, 40125 or 40164.
    """
    if account is None:
        raise Refusal(40013)
    if not secret:
        raise Refusal(41004)
    if not secrets.compare_digest(secret.encode(), account.secret.encode()):
        raise Refusal(40125)
    if account.ip_whitelist and not _is_listed(ip, account.ip_whitelist):
        raise Refusal(40164, f"invalid ip {ip} ipv6 ::ffff:{ip}, not in whitelist")
    return account


def fetch_classic(db: sqlite3.Connection, account: Account, now: float) -> Token:
    """A new token; the one before works for some minutes more."""
    db.execute(
        "UPDATE tokens SET dies_at = ? WHERE account = ? AND flow = 'classic' AND dies_at IS NULL",
        (now + GRACE_SECONDS, account.account),
    )
    return _issue(db, account, "classic", now)


def fetch_stable(db: sqlite3.Connection, account: Account, now: float) -> Token:
    """The token of before while it has time left, else the next; both live until their end."""
    # 5 minutes before the end of two hours; in proportion when a test shortens the life.
    spare = account.token_seconds / 24
    row = db.execute(
        "SELECT * FROM tokens WHERE account = ? AND flow = 'stable' AND dies_at IS NULL AND expires_at > ?"
        " ORDER BY issued_at DESC LIMIT 1",
        (account.account, now + spare),
    ).fetchone()
    if row:
        return Token(row["token"], max(1, int(row["expires_at"] - now)))
    return _issue(db, account, "stable", now)


def force_stable(db: sqlite3.Connection, account: Account, now: float, midnight: float) -> Token:
    """A new stable token now; the one before is dead.

    Raises:
        Refusal: 45011 less than 30 seconds after the last time, 45009 more than 20 times since midnight.
    """
    last, today = db.execute(
        "SELECT max(at), count(*) FILTER (WHERE at >= ?) FROM forced_refreshes WHERE account = ?",
        (midnight, account.account),
    ).fetchone()
    if today >= FORCED_A_DAY:
        raise Refusal(45009)
    if last is not None and now - last < FORCED_APART_SECONDS:
        raise Refusal(45011)
    db.execute("INSERT INTO forced_refreshes VALUES (?, ?)", (account.account, now))
    db.execute(
        "UPDATE tokens SET dies_at = ? WHERE account = ? AND flow = 'stable' AND dies_at IS NULL",
        (now, account.account),
    )
    return _issue(db, account, "stable", now)


def _issue(db: sqlite3.Connection, account: Account, flow: str, now: float) -> Token:
    text = f"{secrets.randbelow(90) + 10}_{secrets.token_urlsafe(96)}"
    db.execute(
        "INSERT INTO tokens VALUES (?, ?, ?, ?, ?, NULL)",
        (text, account.account, flow, now, now + account.token_seconds),
    )
    return Token(text, max(1, int(account.token_seconds)))


def _is_listed(ip: str, whitelist: tuple[str, ...]) -> bool:
    address = ipaddress.ip_address(ip)
    return any(address in ipaddress.ip_network(entry, strict=False) for entry in whitelist)
