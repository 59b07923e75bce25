"""WeChat's access token of each account: one for all processes, fetched by one of them at a time, sealed at rest.

The row is the only place where a token is kept.  Who wants a new one claims the row in a short transaction,
asks WeChat outside of any, and stores the answer under the version it claimed; the others wait for that.
"""

import hmac
import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

import structlog
from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot import clock
from bot.database import reading, transaction
from bot.errors import NotFound
from bot.fault_points import fault_point
from bot.services import accounts, vault
from bot.settings import settings
from bot.wechat.client import Client, fetch_stable_token
from bot.wechat.errors import BadConfiguration, Temporary, TokenRefused, WeChatError
from models import AccessToken, Account

T = TypeVar("T")

AHEAD = timedelta(minutes=5)  # before its end a token is replaced; WeChat has the next one ready from then on
SHORT_LIFE = timedelta(minutes=1)  # shorter ones are used to the end: asking early would return the same one
REFUSALS, MINUTE = 3, timedelta(seconds=60)  # so many refreshes in vain within a minute open the breaker, for one
PAUSE = timedelta(seconds=2)  # after a failed fetch: those who waited for it do not each wait for their own
NOT_ALLOWED = 48001  # this kind of account may not make the call
POLL_SECONDS = 0.05  # at most, between two looks at a refresh that another process makes

log = structlog.get_logger()


KEPT_SECONDS = 2.0


class RefusedTooOften(Temporary):
    """Nobody asks WeChat for a minute, as three fresh tokens in a row were refused."""

    words = (
        "WeChat keeps refusing fresh access tokens; we try again in a minute. "
        "Check the AppSecret, and whether another program fetches tokens too.",
        "微信持续拒绝新的 access_token，一分钟后再试。请检查 AppSecret，以及是否有其他程序也在获取 token。",
    )


class _Row(NamedTuple):
    version: int
    token: str
    expires_at: datetime | None  # when we stop using it, which is before WeChat does
    refused_count: int
    blocked_until: datetime | None  # once past and with refusals counted: when the count began

    def is_blocked(self, now: datetime) -> bool:
        # One that ends much later than any we set was set before the clock was put back.
        return self.blocked_until is not None and now < self.blocked_until <= now + 2 * MINUTE

    def is_usable(self, now: datetime, grace: timedelta = timedelta(0)) -> bool:
        return bool(self.token) and self.expires_at is not None and now < self.expires_at + grace


class AccountClient(Client):
    """The client of one account, which tells the breaker when even a fresh token was refused."""

    def __init__(self, account_id: int, appid: str, keeps_token: bool = False) -> None:
        self.account_id = account_id
        self._keep_seconds = KEPT_SECONDS if keeps_token else 0.0
        known = settings()
        self._kept = ("", 0.0)  # the token, and until when it is not looked up again
        super().__init__(appid, self._access_token, known.wechat_url, known.wechat_timeout)

    def _access_token(self, stale: str | None) -> str:
        """For a broadcast, which would spend more on looking it up and unsealing it than on the call, once in a while.

        An older one is good for five minutes beside its successor; if it is refused all the same, it is asked anew.
        """
        value, until = self._kept
        if stale is not None or time.monotonic() >= until:
            value = access_token(self.account_id, stale)
            self._kept = (value, time.monotonic() + self._keep_seconds)
        return value

    def _ask(self, call: Callable[[], T], *args: Any, **options: Any) -> T:
        try:
            return super()._ask(call, *args, **options)
        except TokenRefused:
            count_refusal(self.account_id)
            raise
        except WeChatError as error:
            if error.errcode == NOT_ALLOWED and error.call:
                with transaction() as session:
                    accounts.note_refused_call(session, self.account_id, error.call)
            raise


def client_for(account: Account, *, keeps_token: bool = False) -> Client:
    """Calls WeChat for one account; never inside a transaction.  ``keeps_token``: for a thousand calls a second."""
    return AccountClient(account.id, account.appid, keeps_token)


def access_token(account_id: int, stale: str | None = None) -> str:
    """The account's token; fetched if there is none, or if it is the ``stale`` one that WeChat just refused.

    May wait for another process's fetch; call it outside any transaction.

    Raises:
        BadConfiguration: AppID, secret, or this server's address is not on WeChat's list (40164).
        RefusedTooOften: the breaker is open, nothing was asked.
        WeChatError: the fetch failed.
    """
    give_up = time.monotonic() + _lease().total_seconds() + 1
    while True:
        row, now = _read(account_id), clock.now()
        if row.is_blocked(now):
            return _in_spite_of(_why_blocked(row), row, stale)
        if row.is_usable(now) and not hmac.compare_digest(row.token, stale or ""):
            return row.token
        if claimed := _claim(account_id, row.version, now):
            try:
                fresh = _fetch(account_id, row.version, *claimed)
            except WeChatError as error:
                log.warning("token.fetch_failed", account_id=account_id, errcode=error.errcode, error=str(error))
                return _in_spite_of(error, row, stale)
            if fresh:
                return fresh
        elif time.monotonic() > give_up:
            raise Temporary("another process has been fetching the access token for too long")
        else:
            time.sleep(random.uniform(0.2, 1) * POLL_SECONDS)  # noqa: S311 - not a secret


def count_refusal(account_id: int) -> None:
    """WeChat refused a token that was fetched a moment before; three within a minute open the breaker."""
    now = clock.now()
    with transaction() as session:
        row = session.scalar(select(AccessToken).where(AccessToken.account_id == account_id).with_for_update())
        if row is None or (row.blocked_until is not None and now < row.blocked_until):
            return
        began = row.blocked_until if row.refused_count else None
        if began is None or now - began > MINUTE:
            row.refused_count, row.blocked_until = 1, now
        elif row.refused_count + 1 < REFUSALS:
            row.refused_count += 1
        else:  # also when it was half-open and the one try was in vain
            row.refused_count, row.blocked_until = row.refused_count + 1, now + MINUTE
            log.error("token.breaker_open", account_id=account_id, refused=row.refused_count)


def forget(session: Session, account_id: int) -> None:
    """The AppID or secret was changed: what the old one got is of no use, nor is a breaker it opened."""
    session.execute(
        update(AccessToken)
        .where(AccessToken.account_id == account_id)
        .values(
            version=AccessToken.version + 1,
            sealed_token="",
            expires_at=None,
            refreshing_until=None,
            refused_count=0,
            blocked_until=None,
        )
    )


def _read(account_id: int) -> _Row:
    columns = (
        AccessToken.version,
        AccessToken.sealed_token,
        AccessToken.expires_at,
        AccessToken.refused_count,
        AccessToken.blocked_until,
    )
    with reading() as session:
        found = session.execute(select(*columns).where(AccessToken.account_id == account_id)).one_or_none()
    if found is None:
        _add_row(account_id)
        return _Row(0, "", None, 0, None)
    return _Row(found[0], vault.unseal(found[1], *_place(account_id)), *found[2:])


def _add_row(account_id: int) -> None:
    try:
        with transaction() as session:
            if session.get(Account, account_id) is None:
                raise NotFound("There is no such account.")
            session.add(AccessToken(account_id=account_id))
    except IntegrityError:
        log.info("token.row_made_twice", account_id=account_id)  # the other one's will do


def _claim(account_id: int, version: int, now: datetime) -> tuple[str, str] | None:
    """Become the one who asks WeChat for the version after this; the AppID and secret to ask with."""
    lease = _lease()
    until, blocked = AccessToken.refreshing_until, AccessToken.blocked_until
    with transaction() as session:
        claimed = session.scalar(
            update(AccessToken)
            .where(
                AccessToken.account_id == account_id,
                AccessToken.version == version,
                # A lease that ends much later than any we give was given before the clock was put back.
                or_(until.is_(None), until <= now, until > now + 2 * lease),
                or_(blocked.is_(None), blocked <= now, blocked > now + 2 * MINUTE),
            )
            .values(refreshing_until=now + lease)
            .returning(AccessToken.id)
            .execution_options(synchronize_session=False)
        )
        if claimed is None:
            return None
        account = session.get_one(Account, account_id)
        appid, secret = account.appid, accounts.secret(account)
    return appid, secret


def _fetch(account_id: int, version: int, appid: str, secret: str) -> str:
    """Ask WeChat and store what it says; "" when somebody else was quicker."""
    known = settings()
    try:
        if not appid or not secret:
            raise BadConfiguration("the account has no AppID or AppSecret yet", 41004 if appid else 41002)
        token, seconds = fetch_stable_token(appid, secret, known.wechat_url, known.wechat_timeout)
    except WeChatError as error:
        # A wrong setting is told to everyone who asks, in WeChat's words; what passes by itself makes all pause.
        _store(
            account_id,
            version,
            refreshing_until=None,
            **({"blocked_until": clock.now() + PAUSE} if error.retry else {}),
        )
        raise
    fault_point("K7 token reply before store")
    life = timedelta(seconds=seconds)
    ahead = min(AHEAD, life / 10) if life >= SHORT_LIFE else timedelta(0)
    stored = _store(
        account_id,
        version,
        version=version + 1,
        sealed_token=vault.seal(token, *_place(account_id)),
        expires_at=clock.now() + life - ahead,
        refreshing_until=None,
    )
    return token if stored else ""


def _store(account_id: int, at_version: int, **values: object) -> bool:
    with transaction() as session:
        stored = session.scalar(
            update(AccessToken)
            .where(AccessToken.account_id == account_id, AccessToken.version == at_version)
            .values(**values)
            .returning(AccessToken.id)
            .execution_options(synchronize_session=False)
        )
    return stored is not None


def _in_spite_of(error: WeChatError, row: _Row, stale: str | None) -> str:
    """The token we have, if it may still be good while a new one cannot be had."""
    if stale is None and error.retry and not isinstance(error, RefusedTooOften) and row.is_usable(clock.now(), AHEAD):
        return row.token
    raise error


def _why_blocked(row: _Row) -> WeChatError:
    if row.refused_count >= REFUSALS:
        return RefusedTooOften("the breaker is open")
    return Temporary("the access token could not be fetched a moment ago")


def _lease() -> timedelta:
    """Longer than a fetch can take: the time limit counts for connecting and again for the answer."""
    return timedelta(seconds=2 * settings().wechat_timeout + 4)


def _place(account_id: int) -> tuple[object, ...]:
    return ("access_tokens", account_id, "token")
