"""/moments/api/v1/sign-in/wechat and /me/wechat: signing in through WeChat, and being linked to it."""

from datetime import datetime
from typing import Annotated, Any

from flask import after_this_request, g, request
from pydantic import Field
from sqlalchemy.orm import Session

import models
from bot import follower_sign_in
from bot.errors import Refused
from bot.follower_sign_in import Known
from bot.moments import addresses, members, wechat_links
from bot.moments.api.contract import COOKIE, OPEN, In, Out, by_browser, endpoint
from bot.moments.api.members import Me, shown_to_me
from bot.settings import settings

REMEMBERED = "lobby_moments_wechat"  # what this browser began, until it is back


class WechatAccount(Out):
    account: str
    title: str


class WechatAccounts(Out):
    items: list[WechatAccount]


class Through(In):
    account: Annotated[str, Field(max_length=32, description="one of GET /sign-in/wechat")]


class Began(Out):
    address: Annotated[str, Field(description="open it inside WeChat; a cookie remembers that this browser asked")]


class CameBack(In):
    """What WeChat put into the address that it sent the browser to."""

    code: Annotated[str, Field(max_length=512)] = ""
    state: Annotated[str, Field(max_length=128)]


class Link(Out):
    id: str
    account: str
    title: str
    at: datetime


class Links(Out):
    items: list[Link]


@endpoint("GET", "/sign-in/wechat", scope=OPEN, summary="Accounts to sign in through", returns=WechatAccounts)
def list_wechat_accounts(session: Session) -> dict[str, Any]:
    return {"items": [{"account": each.slug, "title": each.title} for each in follower_sign_in.offered(session)]}


@endpoint("POST", "/sign-in/wechat", scope=OPEN, summary="Begin to sign in", body=Through, returns=Began)
def begin_sign_in(session: Session, body: Through) -> dict[str, Any]:
    return {"address": begin(session, body.account)}


@endpoint(
    "POST",
    "/sign-in/wechat/finish",
    scope=OPEN,
    summary="Finish what this browser began, signing in or linking; the page does it by itself",
    body=CameBack,
    returns=Me,
)
def finish(session: Session, body: CameBack) -> dict[str, Any]:
    known = came_back(body.code, body.state)  # before the first statement: this transaction has not begun yet
    return shown_to_me(settle(session, known)[0])


@endpoint("GET", "/me/wechat", scope="profile:read", summary="How WeChat knows you here", returns=Links)
def list_links(session: Session, me: models.Member) -> dict[str, Any]:
    return {"items": links(session, me)}


@endpoint("POST", "/me/wechat", scope="profile:write", summary="Begin to link", body=Through, returns=Began)
def begin_link(session: Session, me: models.Member, body: Through) -> dict[str, Any]:
    return {"address": begin(session, body.account, me)}


@endpoint("DELETE", "/me/wechat/<link>", scope="profile:write", summary="Unlink", status=204)
def unlink(session: Session, me: models.Member, link_id: int) -> None:
    wechat_links.unlink(session, me, link_id)


def begin(session: Session, slug: str, me: models.Member | None = None, wanted: str = "") -> str:
    """Where to send the browser; with ``me``, to link them."""
    address, sealed = follower_sign_in.begin(session, slug, me.id if me else None, wanted)

    @after_this_request
    def remember(response: Any) -> Any:
        response.set_cookie(REMEMBERED, sealed, follower_sign_in.SECONDS, **_ours())
        return response

    return address


def came_back(code: str, state: str) -> Known:
    """Who WeChat says came back.  Call it outside of transactions."""
    return follower_sign_in.who(request.cookies.get(REMEMBERED, ""), code, state)


def settle(session: Session, known: Known) -> tuple[models.Member, bool]:
    """Sign them in or link them; returns them, and whether they are new.

    What the browser remembers is forgotten only now: after a failure of WeChat's it may try again.
    """
    if known.member_id is None:
        member, is_new = wechat_links.enter(session, known.account_id, known.openid, known.nickname)
        g.moments_cookie = members.sign_in(session, member, request.user_agent.string)
    else:
        member, is_new = members.get(session, known.member_id), False
        if request.cookies.get(COOKIE) and by_browser(session, also_off=True).id != member.id:
            raise Refused("Somebody else signed in here meanwhile. Begin again.")
        wechat_links.link(session, member, known.account_id, known.openid)

    @after_this_request
    def forget(response: Any) -> Any:
        response.delete_cookie(REMEMBERED, **_ours())
        return response

    return member, is_new


def links(session: Session, me: models.Member) -> list[dict[str, Any]]:
    return [
        {"id": addresses.of("link", link.id), "account": account.slug, "title": account.title, "at": link.created_at}
        for link, account in wechat_links.of(session, me)
    ]


def _ours() -> dict[str, Any]:
    is_https = settings().base_url.startswith("https://")
    # Lax, not Strict: WeChat sends the browser back from its own site.
    return {"path": "/moments", "secure": is_https, "httponly": True, "samesite": "Lax"}
