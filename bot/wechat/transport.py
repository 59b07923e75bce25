"""The network under wechatpy: one address, no redirects, every call ends in time, our errors."""

import json
import logging
import time
from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import quote, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from bot import settings
from bot.wechat.errors import OutcomeUnknown, WeChatError, bad_status, broken, refusal
from bot.wechat.lines import ANSWER_BYTES, Lines

_IMAGES = "https://mp.weixin.qq.com"
_CHUNK = 64 * 1024  # bytes
_CONNECTIONS = 128  # as many as a broadcast has threads

# At DEBUG it writes each address with its query, and in the query stands the token.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)


class Answer(dict[str, Any]):
    """WeChat's answer to a call that succeeded; wechatpy passes a dict on as it is."""

    call = ""

    def raise_for_status(self) -> None: ...

    def __missing__(self, name: str) -> Any:
        raise unreadable(self.call)  # JSON, but not what this call answers


class Transport:
    """Stands where wechatpy has its requests session: one address, no redirects, our errors."""

    def __init__(self, base_url: str, timeout: float) -> None:
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy or netrc that this program was not told of
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.adapters.clear()  # no other address can be called
        adapter = _Adapter(base_url, timeout)
        self._session.mount(settings.WECHAT + "/", adapter)
        self._session.mount(_IMAGES + "/", adapter)
        self._lines = Lines(base_url.rstrip("/"), timeout)

    def close(self) -> None:
        self._session.close()
        self._lines.close()

    def post(self, path: str, token: str, body: Mapping[str, Any]) -> Answer:
        """The same as ``request`` for a POST of JSON, at a fifth of its CPU."""
        return self._parsed(self._lines.post(path, token, body), path, {"access_token": token})

    def request(self, method: str, url: str, **options: Any) -> Answer:
        """Call, and return the JSON of a success."""
        hidden = {**(options.get("params") or {}), **(options.get("json") or {})}
        return self.read(self.fetch(method, url, **options), urlsplit(url).path, hidden)

    def fetch(self, method: str, url: str, **options: Any) -> requests.Response:
        """Call, and return whatever came with status 200."""
        call = urlsplit(url).path
        failure: WeChatError
        try:
            response = self._session.request(method, url, **options, allow_redirects=False)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            failure = broken(error, call)
        else:
            if response.status_code == 200:
                return response
            failure = bad_status(response.status_code, call)
        # Raised out here so that the library's error, which holds the address, is not chained to ours.
        raise failure

    def read(self, response: requests.Response, call: str, hidden: Mapping[str, Any]) -> Answer:
        """Read the JSON; ``hidden`` holds the parameters of the call, of which none may show in an error."""
        return self._parsed(response.content, call, hidden)

    def _parsed(self, content: bytes, call: str, hidden: Mapping[str, Any]) -> Answer:
        try:
            # Names that followers chose may carry broken characters.
            answer = json.loads(content.decode("utf-8", "replace"), strict=False)
            errcode = int(answer.get("errcode", 0))
        except (ValueError, TypeError, AttributeError, RecursionError):
            answer = None
        if answer is None:
            raise unreadable(call)
        if errcode:
            errmsg = str(answer.get("errmsg", ""))
            for name in ("access_token", "secret"):
                if value := hidden.get(name):
                    errmsg = errmsg.replace(str(value), "…").replace(quote(str(value), safe=""), "…")
            refused = refusal(errcode, errmsg, call)
            refused.openids = [str(openid) for openid in answer.get("fail_openid_list") or []]
            refused.msg_id = msg_id if isinstance(msg_id := answer.get("msg_id"), int) else None
            raise refused
        result = Answer(answer)
        result.call = call
        return result


class _Adapter(HTTPAdapter):
    """Sends to ``base_url`` what is meant for WeChat, and ends every call in time."""

    def __init__(self, base_url: str, timeout: float) -> None:
        super().__init__(pool_maxsize=_CONNECTIONS)
        self._base_url = base_url.rstrip("/")
        self._timeout = timeout

    def send(
        self, request: requests.PreparedRequest, stream: bool = False, timeout: Any = None, *rest: Any, **options: Any
    ) -> requests.Response:
        if self._base_url != settings.WECHAT:
            parts = urlsplit(request.url or "")
            request.url = f"{self._base_url}{parts.path}" + (f"?{parts.query}" if parts.query else "")
        deadline = time.monotonic() + 2 * self._timeout
        response = super().send(request, True, self._timeout, *rest, **options)
        content = bytearray()
        try:
            # A server that sends a byte now and then would never run into the socket's own timeout.
            while chunk := response.raw.read1(_CHUNK, decode_content=True):
                content += chunk
                if time.monotonic() > deadline:
                    raise requests.ReadTimeout("the answer takes too long")
                if len(content) > ANSWER_BYTES:
                    raise requests.exceptions.ContentDecodingError("the answer is too long")
        except BaseException:
            response.close()
            raise
        response._content = bytes(content)
        return response


def unreadable(call: str) -> OutcomeUnknown:
    return OutcomeUnknown("the answer is not one of WeChat's", call=call)
