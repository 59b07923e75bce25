"""Calls WeChat's API for one account: wechatpy knows the calls, we (here and in transport) the network and tokens.

wechatpy alone would wait for ever, fetch tokens from a fixed address, repeat a refused token without end
and show the secret in its tracebacks.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from email.message import Message as Headers
from typing import Any, NamedTuple, TypeVar

from wechatpy.client import WeChatClient

from bot import settings
from bot.wechat import limits
from bot.wechat.errors import BadConfiguration, OutcomeUnknown, TokenRefused, WeChatError
from bot.wechat.transport import Transport, unreadable

T = TypeVar("T")

_API = settings.WECHAT + "/cgi-bin/"


class Media(NamedTuple):
    """A follower's file; a video comes as the address to fetch it from, and no data."""

    data: bytes
    content_type: str
    filename: str
    video_url: str = ""


class Client:
    """One account's calls; safe to share between threads.

    Every call may raise:
        WindowClosed, QuotaReached, BadConfiguration, Temporary, NotSent: as they say.
        TokenRefused: the token, and after one refresh the newer one.
        OutcomeUnknown: no readable answer; ``retry`` is False only where repeating could do harm.
        WeChatError: any other refusal.
    """

    def __init__(self, appid: str, token: Callable[[str | None], str], base_url: str, timeout: float) -> None:
        """Args:
        token: returns the access token; called with the one just refused it must get a newer one.
        base_url: WeChat's address or the simulator's.
        timeout: seconds, for connecting and again for the whole answer.
        """
        self._token = token
        self._current = _CurrentToken()
        self._http = Transport(base_url, timeout)
        self._sdk = WeChatClient(appid, "", session=self._current, timeout=timeout, auto_retry=False)
        self._sdk.fetch_access_token = _never_fetch
        self._sdk._http.close()
        self._sdk._http = self._http

    def close(self) -> None:
        self._http.close()

    # -- Messages

    def send(self, openid: str, body: dict[str, Any]) -> None:
        """Send one customer-service message: what ``replies.as_customer_message`` made.

        Not repeated after a lost answer: WeChat does not notice doubles.

        Args:
            body: text of at most ``limits.TEXT_BYTES`` bytes, one article.
        """
        _ = self.call("message/custom/send", {"touser": openid, **body}, repeatable=False)["errcode"]  # or not WeChat's

    def typing(self, openid: str, on: bool = True) -> None:
        """Show "typing…" for 15 seconds, or take it back; needs a message in the last 30 seconds (45080)."""
        data = {"touser": openid, "command": "Typing" if on else "CancelTyping"}
        self._ask(lambda: self._sdk.post("message/custom/typing", data=data)["errcode"])

    # -- Menus

    def create_menu(self, menu: dict[str, Any]) -> None:
        """Replace the whole usual menu; phones show it within some five minutes."""
        self._ask(lambda: self._sdk.menu.create(menu)["errcode"])

    def get_menu(self) -> dict[str, Any] | None:
        """The menus made through the API, as WeChat words them; None: there is none (46003)."""
        try:
            menus: dict[str, Any] = self._ask(lambda: self._sdk.get("menu/get"))
        except WeChatError as error:
            if error.errcode != 46003:
                raise
            return None
        return menus

    def delete_menu(self) -> None:
        """Delete the usual menu and all conditional ones."""
        self._ask(lambda: self._sdk.menu.delete()["errcode"])

    def add_conditional_menu(self, menu: dict[str, Any]) -> str:
        """Add a menu for some followers, which comes before those that are there; returns its menuid."""
        return self._ask(lambda: str(self._sdk.post("menu/addconditional", data=menu)["menuid"]))

    def delete_conditional_menu(self, menuid: str) -> None:
        self._ask(lambda: self._sdk.post("menu/delconditional", data={"menuid": menuid})["errcode"])

    def try_match(self, openid: str) -> list[dict[str, Any]]:
        """The buttons that a follower sees; none where no menu was made through the API (46003)."""
        try:
            buttons: list[dict[str, Any]] = self._ask(
                lambda: self._sdk.post("menu/trymatch", data={"user_id": openid})["button"]
            )
        except WeChatError as error:
            if error.errcode != 46003:
                raise
            return []
        return buttons

    def current_menu(self) -> dict[str, Any]:
        """The menu in force, also one made in WeChat's console: ``is_menu_open``, ``selfmenu_info``."""
        return self._ask(lambda: self._sdk.menu.get_menu_info())

    def current_autoreplies(self) -> dict[str, Any]:
        """The automatic replies set in WeChat's console; they rest while our address is in force."""
        return self._ask(lambda: self._sdk.message.get_autoreply_info())

    # -- Followers

    def follower_page(self, next_openid: str = "") -> tuple[list[str], str, int]:
        """Some of the followers, at most ``limits.USER_PAGE``.

        Returns:
            Openids, where the next page starts, and how many followers there are in all.  The last page
            too names a next one, which is empty: stop at no openids.
        """
        page = self._ask(lambda: self._sdk.user.get_followers(next_openid or None))
        openids = page["data"]["openid"] if "data" in page else []
        return openids, str(page.get("next_openid", "")), int(page["total"])

    def follower_infos(self, openids: Sequence[str]) -> list[dict[str, Any]]:
        """What WeChat tells about followers: at most ``limits.USER_BATCH``, perhaps fewer and in another order.

        For somebody who does not follow only ``subscribe`` 0 and ``openid``; never a name or picture.
        """
        if len(openids) > limits.USER_BATCH:
            raise ValueError(f"at most {limits.USER_BATCH} followers in one call")
        return self._ask(lambda: self._sdk.user.get_batch(list(openids))) if openids else []

    def tags(self) -> list[dict[str, Any]]:
        """The account's tags: ``id``, ``name``, ``count``."""
        return self._ask(lambda: self._sdk.tag.get())

    def create_tag(self, name: str) -> int:
        """Make a tag of at most ``limits.TAG_NAME_BYTES``; returns WeChat's number for it."""

        def create() -> int:
            tag: dict[str, Any] = self._sdk.post("tags/create", data={"tag": {"name": name}})["tag"]
            return int(tag["id"])

        return self._ask(create)

    def rename_tag(self, wechat_id: int, name: str) -> None:
        self._ask(lambda: self._sdk.post("tags/update", data={"tag": {"id": wechat_id, "name": name}})["errcode"])

    def delete_tag(self, wechat_id: int) -> None:
        self._ask(lambda: self._sdk.post("tags/delete", data={"tag": {"id": wechat_id}})["errcode"])

    def tag_followers(self, wechat_id: int, openids: Sequence[str], on: bool = True) -> None:
        """Give a tag to at most ``limits.TAG_BATCH`` followers, or take it from them.

        Raises:
            WeChatError: 45171 when some were refused: ``openids`` names them.
        """
        call = f"tags/members/batch{'tagging' if on else 'untagging'}"
        data = {"openid_list": list(openids), "tagid": wechat_id}
        self._ask(lambda: self._sdk.post(call, data=data)["errcode"])

    def block(self, openids: Sequence[str], on: bool = True) -> None:
        """Put at most ``limits.BLOCKLIST_BATCH`` people on the blocklist, or take them off."""
        call = f"tags/members/batch{'black' if on else 'unblack'}list"
        self._ask(lambda: self._sdk.post(call, data={"openid_list": list(openids)})["errcode"])

    def blocked_page(self, begin_openid: str = "") -> tuple[list[str], str]:
        """Some of those on the blocklist, and where the next page starts; stop at no openids."""
        page: dict[str, Any] = self._ask(
            lambda: self._sdk.post("tags/members/getblacklist", data={"begin_openid": begin_openid})
        )
        return list(page["data"]["openid"]) if "data" in page else [], str(page.get("next_openid", ""))

    # -- QR codes and media

    def create_qrcode(self, scene: int | str, expires: timedelta | None) -> dict[str, Any]:
        """Make a QR code.

        Args:
            scene: text of 1 to 64 characters, or a number (1 to 100,000 for a permanent code).
            expires: at most 30 days; None: permanent, of which an account may have 100,000.

        Returns:
            ``ticket``, ``url`` to draw the code from, and ``expire_seconds`` unless it is permanent.
        """
        name, value = ("SCENE", "scene_id") if isinstance(scene, int) else ("STR_SCENE", "scene_str")
        data: dict[str, Any] = {
            "action_name": f"QR_{name}" if expires else f"QR_LIMIT_{name}",
            "action_info": {"scene": {value: scene}},
        }
        if expires:
            data["expire_seconds"] = int(expires.total_seconds())

        def create() -> dict[str, Any]:
            code: dict[str, Any] = self._sdk.qrcode.create(data)
            return {"ticket": code["ticket"], "url": code["url"], **code}

        return self._ask(create)

    def upload_media(self, kind: str, filename: str, data: bytes, content_type: str) -> str:
        """Upload a temporary file, kept for three days, and return its media_id.

        Args:
            kind: image, voice, video or thumb.
        """

        def upload() -> str:
            answer = self._sdk.media.upload(kind, (filename, data, content_type))
            return str(answer.get("thumb_media_id") or answer["media_id"])

        return self._ask(upload)

    def download_media(self, media_id: str) -> Media:
        """Fetch a file that a follower sent or we uploaded."""

        def fetch() -> Media:
            # Not through wechatpy: it would try to read every picture as JSON.
            params = {"access_token": self._current.value, "media_id": media_id}
            response = self._http.fetch("GET", _API + "media/get", params=params)
            kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            if not kind or kind.startswith("text/") or kind.endswith("json"):
                answer = self._http.read(response, "/cgi-bin/media/get", params)
                return Media(b"", "", "", str(answer["video_url"]))
            return Media(response.content, kind, _filename(response.headers))

        return self._ask(fetch)

    def callback_ips(self) -> list[str]:
        """Addresses and networks that WeChat posts to us from; they change, so ask daily."""
        return self._ask(lambda: self._sdk.misc.get_wechat_ips())

    # -- How a call is made

    def call(self, path: str, data: dict[str, Any] | None = None, repeatable: bool = True) -> dict[str, Any]:
        """Any other call, for the modules beside this one.

        Args:
            path: below /cgi-bin/ unless it begins with a slash.
            data: the body of a POST; None: a GET.
            repeatable: False where doing it twice does harm and WeChat would not notice.
        """
        where = path if path.startswith("/") else f"/cgi-bin/{path}"

        def make() -> dict[str, Any]:
            if data is not None:
                return self._http.post(where, self._current.value, data)
            answer: dict[str, Any] = self._sdk.get(settings.WECHAT + where)
            return answer

        return self._ask(make, repeatable)

    def _ask(self, call: Callable[[], T], repeatable: bool = True) -> T:
        """Make the call; once more, with a newer token, if the token was refused."""
        stale = self._current.value = self._token(None)
        try:
            return _checked(call, repeatable)
        except TokenRefused:
            pass
        # Outside the except: what happens from here on is not chained to the first refusal.
        self._current.value = self._token(stale)
        return _checked(call, repeatable)


def fetch_stable_token(appid: str, secret: str, base_url: str, timeout: float, force: bool = False) -> tuple[str, int]:
    """Get the account's access token, the same for everyone until some five minutes before its end.

    Args:
        timeout: seconds, for connecting and again for the whole answer.
        force: make a new one and end the current one at once: 20 times a day, 30 seconds apart.

    Returns:
        The token, and for how many seconds it is good.

    Raises:
        BadConfiguration: AppID, secret or IP whitelist: do not repeat.
        WeChatError: as for ``Client``.
    """
    call = "/cgi-bin/stable_token"
    body = {"grant_type": "client_credential", "appid": appid, "secret": secret, "force_refresh": force}
    http = Transport(base_url, timeout)
    try:
        answer = http.request("POST", settings.WECHAT + call, json=body)
        value, seconds = answer["access_token"], answer["expires_in"]
        if not isinstance(value, str) or not value or not isinstance(seconds, int):
            raise unreadable(call)
        return value, seconds
    except TokenRefused as error:
        refused = error  # no token was sent: here it means the secret
    except OutcomeUnknown as error:
        error.retry = not force
        raise
    finally:
        http.close()
    raise BadConfiguration(refused.errmsg, refused.errcode, refused.rid, call)


def _checked(call: Callable[[], T], repeatable: bool) -> T:
    try:
        return call()
    except OutcomeUnknown as error:
        error.retry = repeatable
        raise


def _never_fetch() -> None:
    raise BadConfiguration("there is no access token")


class _CurrentToken(threading.local):
    """The token of the call this thread is making; stands where wechatpy keeps its own."""

    value = ""

    def get(self, key: str, default: object = None) -> str:
        return self.value


def _filename(headers: Mapping[str, str]) -> str:
    parsed = Headers()
    parsed["Content-Disposition"] = headers.get("Content-Disposition", "attachment")
    return parsed.get_filename() or ""
