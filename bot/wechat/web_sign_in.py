"""WeChat's web sign-in: who opened a page of ours inside WeChat, once they agreed."""

from typing import NamedTuple
from urllib.parse import quote

from bot import settings
from bot.wechat.errors import WeChatError
from bot.wechat.transport import Answer, Transport, unreadable

PAGES = "https://open.weixin.qq.com"
_TOKEN, _USERINFO = "/sns/oauth2/access_token", "/sns/userinfo"
_CODE = (40029, 40163, 42003)  # another's or made up, used before, older than five minutes


class CodeRefused(WeChatError):
    """Only a new one will help: the person begins again."""


class NobodyReal(WeChatError):
    """WeChat shows a preview of the page, in which the person is invented."""


class Came(NamedTuple):
    openid: str
    token: str  # for what they agreed to tell; the account's API does not take it


def pages_url(base_url: str) -> str:
    """Where the consent page is: WeChat's own host for pages, or the simulator."""
    return PAGES if base_url == settings.WECHAT else base_url


def address(appid: str, redirect_uri: str, state: str, base_url: str) -> str:
    """Where to send the browser; it comes back to ``redirect_uri`` with ``state``, and a ``code`` if they agreed.

    Args:
        redirect_uri: its host must be registered at WeChat for web sign-in.
        state: at most 128 letters and digits.
    """
    # In this order, and with this end: WeChat refuses others.
    return (
        f"{pages_url(base_url)}/connect/oauth2/authorize?appid={appid}&redirect_uri={quote(redirect_uri, safe='')}"
        f"&response_type=code&scope=snsapi_userinfo&state={state}#wechat_redirect"
    )


def exchange(appid: str, secret: str, code: str, base_url: str, timeout: float) -> Came:
    """Who came back with this code.  Good once.

    Raises:
        CodeRefused, NobodyReal: as they say.
        WeChatError: as for ``Client``; after an OutcomeUnknown the code may be used up.
    """
    params = {"appid": appid, "secret": secret, "code": code, "grant_type": "authorization_code"}
    try:
        answer = _get(_TOKEN, params, base_url, timeout)
    except WeChatError as error:
        if error.errcode not in _CODE:
            raise
        refused = error
    else:
        if answer.get("is_snapshotuser"):
            raise NobodyReal("a preview of the page", call=_TOKEN)
        return Came(_text(answer, "openid"), _text(answer, "access_token"))
    raise CodeRefused(refused.errmsg, refused.errcode, refused.rid, _TOKEN)


def nickname(came: Came, base_url: str, timeout: float) -> str:
    """What they call themselves in WeChat; "" where WeChat does not say.

    Raises:
        WeChatError: as for ``Client``.
    """
    params = {"access_token": came.token, "openid": came.openid, "lang": "zh_CN"}
    answer = _get(_USERINFO, params, base_url, timeout)
    return str(answer.get("nickname") or "")


def _get(call: str, params: dict[str, str], base_url: str, timeout: float) -> Answer:
    http = Transport(base_url, timeout)
    try:
        return http.request("GET", settings.WECHAT + call, params=params)
    finally:
        http.close()


def _text(answer: Answer, name: str) -> str:
    value = answer[name]
    if not isinstance(value, str) or not value:
        raise unreadable(answer.call)
    return value
