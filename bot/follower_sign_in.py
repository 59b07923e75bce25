"""Moments' way to WeChat's web sign-in: the only place that knows both an account's secret and a member.

Nothing here writes on the account's side: whoever works on the account does not learn who came to Moments through it.
"""

import hmac
import json
import secrets
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import clock
from bot.database import reading
from bot.errors import NotFound, Refused
from bot.moments import wechat_links
from bot.services import accounts, vault
from bot.settings import settings
from bot.wechat import web_sign_in
from bot.wechat.errors import OutcomeUnknown, WeChatError
from models import Account

BACK = "/moments/wechat"  # where WeChat sends the browser, below our own address
SECONDS = 600  # from the button to coming back

log = structlog.get_logger()


class Unreachable(Refused):
    status = 503


class Known(NamedTuple):
    """Somebody who has proved to be this openid."""

    account_id: int
    openid: str
    nickname: str  # asked for only if they are new here
    member_id: int | None  # who asked to be linked; None: they sign in
    wanted: str  # the page they were on the way to


def wechats_origin() -> str:
    parts = urlsplit(web_sign_in.pages_url(settings().wechat_url))
    return f"{parts.scheme}://{parts.netloc}"


def offered(session: Session) -> list[Account]:
    """The accounts through which one may sign in."""
    return list(session.scalars(select(Account).where(Account.signs_members_in).order_by(Account.id)))


def begin(session: Session, slug: str, member_id: int | None = None, wanted: str = "") -> tuple[str, str]:
    """Where to send the browser, and what it must remember until it is back.

    Raises:
        NotFound: there is no such account, or it signs nobody in.
    """
    account = _account(session, slug)
    state = secrets.token_hex(16)
    until = clock.timestamp() + SECONDS
    kept = {"state": state, "slug": slug, "member": member_id, "wanted": wanted[:500], "until": until}
    back = settings().base_url + BACK
    address = web_sign_in.address(account.appid, back, state, settings().wechat_url)
    return address, vault.seal(json.dumps(kept), "moments", "wechat")


def who(remembered: str, code: str, state: str) -> Known:
    """Who came back.  WeChat is asked: call it outside of transactions.

    Raises:
        Refused: another browser began it, or too long ago; they did not agree; the code is no good.
        Unreachable: WeChat does not answer.
        NotFound: the account signs nobody in any more.
    """
    kept = _opened(remembered)
    is_same = hmac.compare_digest(kept["state"].encode(), state.encode())
    if not is_same or kept["until"] < clock.timestamp():
        raise Refused("This sign-in began in another browser, or more than ten minutes ago. Begin again.")
    if not code:
        raise Refused("You did not allow WeChat to say who you are, so nothing was done. Begin again if you want to.")
    with reading() as session:
        account = _account(session, kept["slug"])
    try:
        came, nickname = _ask(account, code, asks_name=kept["member"] is None)
    except web_sign_in.CodeRefused:
        raise Refused("WeChat's answer was used before, or came more than five minutes late. Begin again.") from None
    except web_sign_in.NobodyReal:
        raise Refused("WeChat shows only a preview here. Choose its full service, then begin again.") from None
    except WeChatError as error:
        log.warning(
            "moments.wechat_sign_in",
            account=account.slug,
            errcode=error.errcode,
            error=error.errmsg,
            advice=error.advice(),
        )
        if error.retry or isinstance(error, OutcomeUnknown):
            raise Unreachable("WeChat does not answer just now. Nothing is lost; begin again in a minute.") from None
        raise Unreachable(
            "WeChat refuses to say who you are; whoever runs this place finds the reason in the log."
        ) from None
    return Known(account.id, came.openid, nickname, kept["member"], kept["wanted"])


def _ask(account: Account, code: str, *, asks_name: bool) -> tuple[web_sign_in.Came, str]:
    url, timeout = settings().wechat_url, settings().wechat_timeout
    came = web_sign_in.exchange(account.appid, accounts.secret(account), code, url, timeout)
    if asks_name:
        with reading() as session:
            asks_name = wechat_links.find(session, account.id, came.openid) is None
    return came, web_sign_in.nickname(came, url, timeout) if asks_name else ""


def _account(session: Session, slug: str) -> Account:
    found = [account for account in offered(session) if account.slug == slug]
    if not found:
        raise NotFound("Nobody signs in through this account.")
    return found[0]


def _opened(remembered: str) -> dict[str, Any]:
    try:
        kept: dict[str, Any] = json.loads(vault.unseal(remembered, "moments", "wechat") or "{}")
    except vault.Unreadable:
        kept = {}
    return {"state": secrets.token_hex(16), **kept}
