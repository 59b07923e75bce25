"""A follower's phone with WeChat behind it: signed and sealed pushes over HTTP, without the simulator's process."""

import itertools
import os
import re
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import requests
from flask.testing import FlaskClient

from bot import clock
from bot.services import accounts
from bot.simulator import envelope
from models import Account

Way = Callable[[str, bytes], tuple[int, bytes]]  # address and body of a POST to status and body of its answer

_numbers = itertools.count(24_300_000_000_000_001)
_marks = itertools.count(1)
_CREATED = re.compile(r"<CreateTime>\d+</CreateTime>")


def by_client(client: FlaskClient) -> Way:
    """Through the application in this process."""

    def post(address: str, body: bytes) -> tuple[int, bytes]:
        answer = client.post(address, data=body, content_type="text/xml")
        return answer.status_code, answer.data

    return post


def by_http(base: str) -> Way:
    """To a server."""
    session = requests.Session()

    def post(address: str, body: bytes) -> tuple[int, bytes]:
        answer = session.post(base + address, data=body, timeout=20)
        return answer.status_code, answer.content

    return post


class Post:
    """WeChat's side of one account's callback: seals what goes there, opens what comes back."""

    def __init__(self, account: Account) -> None:
        self.slug = account.slug
        self.original_id = account.original_id
        self.credentials = accounts.credentials(account)

    def sealed(self, document: str, nonce: str = "", at: float | None = None) -> tuple[str, bytes]:
        """The address and the body of one push."""
        known = self.credentials
        timestamp = str(int(at if at is not None else clock.timestamp()))
        nonce = nonce or str(next(_numbers))
        query = {"timestamp": timestamp, "nonce": nonce, "signature": envelope.sign(known.token, timestamp, nonce)}
        body = document
        if known.mode != "plain":
            encrypted = envelope.encrypt(known.encoding_aes_key, known.appid, document.encode())
            signature = envelope.sign(known.token, timestamp, nonce, encrypted)
            query |= {"encrypt_type": "aes", "msg_signature": signature}
            body = envelope.to_xml({"ToUserName": self.original_id, "Encrypt": encrypted})
            if known.mode == "compatible":
                body = document.removesuffix("</xml>") + f"<Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
        return f"/wechat/{self.slug}?{urlencode(query)}", body.encode()

    def opened(self, body: bytes) -> str:
        """The reply's own XML, without its time; "" for silence."""
        if body == b"success":
            return ""
        if self.credentials.mode == "plain":
            return _CREATED.sub("", body.decode())
        fields = envelope.from_xml(body)
        signed = envelope.sign(self.credentials.token, fields["TimeStamp"], fields["Nonce"], fields["Encrypt"])
        assert fields["MsgSignature"] == signed
        document = envelope.decrypt(self.credentials.encoding_aes_key, self.credentials.appid, fields["Encrypt"])
        return _CREATED.sub("", document.decode())


class Phone:
    """Each act is one push, answered with the text that shows on the phone ("" for none) or with the reply's fields."""

    def __init__(self, account: Account, way: Way | FlaskClient, openid: str = "") -> None:
        self.post = Post(account)
        self.way = by_client(way) if isinstance(way, FlaskClient) else way
        self.openid = openid or f"o{next(_numbers):027d}"
        self.last = ""  # the document of the last push

    def say(self, text: str, **fields: Any) -> Any:
        return self.push(MsgType="text", Content=text, **{"MsgId": next(_numbers), **fields})

    def send(self, kind: str, **fields: Any) -> Any:
        return self.push(MsgType=kind, **fields, MsgId=next(_numbers))

    def happen(self, event: str, key: str | None = None, **fields: Any) -> Any:
        return self.push(MsgType="event", Event=event, **({} if key is None else {"EventKey": key}), **fields)

    def push(self, **fields: Any) -> Any:
        head = {"ToUserName": self.post.original_id, "FromUserName": self.openid, "CreateTime": int(clock.timestamp())}
        self.last = envelope.to_xml(head | fields)
        return self.again()

    def again(self) -> Any:
        """WeChat repeats the last push."""
        status, body = self.way(*self.post.sealed(self.last))
        assert status == 200, body
        if body == b"success":
            return ""
        shown = envelope.from_xml(self.post.opened(body).encode())
        assert (shown["ToUserName"], shown["FromUserName"]) == (self.openid, self.post.original_id)
        return shown["Content"] if shown["MsgType"] == "text" else shown


def wait(seconds: float) -> None:
    """Move the clock that the application follows."""
    file = Path(os.environ["LOBBY_CLOCK_FILE"])
    _set(file, (float(file.read_text()) if file.exists() else 0.0) + seconds)


def set_clock(local: str, zone: str = "Asia/Shanghai") -> None:
    """Make it this time, as "2026-11-24 23:30", in a zone."""
    there = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone))
    _set(Path(os.environ["LOBBY_CLOCK_FILE"]), there.timestamp() - time.time())


def _set(file: Path, offset: float) -> None:
    draft = file.with_name("clock.draft")
    draft.write_text(str(offset))
    changed = time.time_ns() + next(_marks)  # two changes within one tick of the file system differ too
    os.utime(draft, ns=(changed, changed))
    draft.replace(file)
