"""WeChat as a test needs it: a phone that seals pushes with wechatpy, and a server that answers as told."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from wechatpy.crypto import WeChatCrypto
from wechatpy.utils import WeChatSigner

from bot.wechat.envelope import Credentials, Mode

TOKEN = "simtoken"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
APPID = "wx1234567890abcdef"
NOW = 1714112445
NONCE = "415670741"


def credentials(mode: Mode = "plain", **changes: Any) -> Credentials:
    fields = {"token": TOKEN, "encoding_aes_key": AES_KEY, "appid": APPID, "original_id": "gh_sim"} | changes
    return Credentials(**fields, mode=mode)


def signature(*parts: str) -> str:
    signer = WeChatSigner()
    signer.add_data(*parts)
    return signer.signature


def push(document: str | bytes, mode: Mode = "plain", appid: str = APPID, to: str = "gh_sim") -> tuple[dict, bytes]:
    """The query and body with which WeChat would send this XML; wechatpy does the sealing."""
    query = {"timestamp": str(NOW), "nonce": NONCE, "signature": signature(TOKEN, str(NOW), NONCE)}
    body = document if isinstance(document, bytes) else document.encode()
    if mode == "plain":
        return query, body
    sealed = WeChatCrypto(TOKEN, AES_KEY, appid).encrypt_message(body, NONCE, str(NOW))
    encrypted = sealed.partition("<Encrypt><![CDATA[")[2].partition("]]>")[0]
    return sealed_push(
        encrypted, f"<ToUserName><![CDATA[{to}]]></ToUserName>" if mode == "safe" else body.decode()[5:-6]
    )


def sealed_push(encrypted: str, plain_fields: str = "") -> tuple[dict, bytes]:
    query, _ = push("")
    query |= {"encrypt_type": "aes", "msg_signature": signature(TOKEN, str(NOW), NONCE, encrypted)}
    return query, f"<xml>{plain_fields}<Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>".encode()


@dataclass
class Call:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Answer = dict[str, Any] | Callable[[BaseHTTPRequestHandler], None]


@dataclass
class WeChat:
    """Answers each path with what ``answers`` holds for it, and remembers the calls."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    otherwise: Answer = field(default_factory=lambda: {"errcode": 0, "errmsg": "ok"})

    @property
    def last(self) -> Call:
        return self.calls[-1]


def raw(status: int, body: bytes = b"", **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """Answer with exactly this."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@pytest.fixture
def wechat() -> Iterator[WeChat]:
    state = WeChat()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def answer(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            state.calls.append(Call(self.command, parts.path, query, dict(self.headers), body))
            answer = state.answers.get(parts.path, state.otherwise)
            if isinstance(answer, dict):
                # WeChat's type is not to be relied on.
                answer = raw(200, json.dumps(answer, ensure_ascii=False).encode(), Content_Type="text/plain")
            with contextlib.suppress(OSError):  # the client gave up
                answer(self)

        do_GET = do_POST = answer

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield state
    server.shutdown()
    server.server_close()
    thread.join()
