"""A simulator over real HTTP, and a callback server that answers as a test tells it."""

import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask, Response, request
from PIL import Image
from werkzeug.serving import BaseWSGIServer, make_server

from bot.simulator.app import create_app


@dataclass
class Sim:
    """Says what a test does, and sends it."""

    url: str
    http: requests.Session = field(default_factory=requests.Session)

    def get(self, path: str, /, **query: Any) -> Any:
        return read(self.http.get(self.url + path, params=query, timeout=30))

    def post(self, path: str, /, **body: Any) -> Any:
        return read(self.http.post(self.url + path, json=body, timeout=30))

    def account(self, account: str = "tea", **fields: Any) -> dict[str, Any]:
        made = self.post("/sim/accounts", account=account, **fields)
        assert "error" not in made, made
        return made

    def follower(self, account: str = "tea", name: str = "mei") -> str:
        return self.post("/sim/followers", account=account, name=name)["openid"]

    def say(self, openid: str, text: str = "hello", **more: Any) -> Any:
        return self.post("/sim/messages", **({"account": "tea", "openid": openid, "text": text} | more))

    def event(self, openid: str, event: str, **more: Any) -> Any:
        return self.post("/sim/events", account="tea", openid=openid, event=event, **more)

    def inbox(self, openid: str) -> list[dict[str, Any]]:
        return self.get(f"/sim/followers/{openid}/inbox", account="tea")

    def advance(self, seconds: float) -> None:
        self.post("/sim/clock", advance_seconds=seconds)

    def settle(self, seconds: float = 20) -> None:
        """Wait until nothing that is due is still to be sent, published or pushed."""
        end = time.monotonic() + seconds
        while any(self.get("/sim/jobs", account="tea")["waiting"].values()):
            assert time.monotonic() < end, self.get("/sim/jobs", account="tea")
            time.sleep(0.02)

    def fetch_token(self, account: dict[str, Any]) -> Any:
        query = {"grant_type": "client_credential", "appid": account["appid"], "secret": account["secret"]}
        return self.get("/cgi-bin/token", **query)

    def stable(self, account: dict[str, Any], **more: Any) -> Any:
        body = {"grant_type": "client_credential", "appid": account["appid"], "secret": account["secret"]}
        return self.post("/cgi-bin/stable_token", **body, **more)

    def api(self, account: dict[str, Any], token: str = "") -> "Api":
        return Api(self, token or self.fetch_token(account)["access_token"])


@dataclass
class Api:
    """The platform's side: calls with a token, JSON as WeChat wants it."""

    sim: Sim
    token: str

    def get(self, path: str, /, **query: Any) -> Any:
        return self.sim.get("/cgi-bin/" + path, access_token=self.token, **query)

    def post(self, path: str, body: Any) -> Any:
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        url = f"{self.sim.url}/cgi-bin/{path}"
        return read(self.sim.http.post(url, params={"access_token": self.token}, data=raw, timeout=30))

    def upload(self, type_: str, content: bytes, name: str = "file.jpg") -> Any:
        url = f"{self.sim.url}/cgi-bin/media/upload"
        query = {"access_token": self.token, "type": type_}
        return self.sim.http.post(url, params=query, files={"media": (name, content)}, timeout=30).json()

    def material(self, type_: str = "image", content: bytes = b"", description: str = "") -> str:
        """Keep a file for ever; its media_id."""
        return self.add_material(type_, content or picture(), description)["media_id"]

    def add_material(self, type_: str, content: bytes, description: str = "") -> Any:
        answer = self.sim.http.post(
            f"{self.sim.url}/cgi-bin/material/add_material",
            params={"access_token": self.token, "type": type_},
            files={"media": ("file", content)},
            data={"description": description},
            timeout=30,
        )
        return read(answer)

    def draft(self, titles: tuple[str, ...] = ("Spring",)) -> str:
        thumb = self.material("thumb")
        articles = [{"title": title, "content": "<p>tea</p>", "thumb_media_id": thumb} for title in titles]
        return self.post("draft/add", {"articles": articles})["media_id"]

    def wxaapi(self, path: str, body: Any = None) -> Any:
        """The few calls that stand outside /cgi-bin; a GET without a body."""
        url, query = f"{self.sim.url}/wxaapi/{path}", {"access_token": self.token}
        if body is None:
            return read(self.sim.http.get(url, params=query, timeout=30))
        return read(
            self.sim.http.post(url, params=query, data=json.dumps(body, ensure_ascii=False).encode(), timeout=30)
        )

    def send(self, openid: str, text: str = "hi") -> int:
        body = {"touser": openid, "msgtype": "text", "text": {"content": text}}
        return self.post("message/custom/send", body)["errcode"]


@dataclass
class Callback:
    """The platform, reduced to what it was sent and what it answers."""

    url: str = ""
    received: list[dict[str, Any]] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)  # one each; the last again and again

    def answer_with(self, *answers: bytes | str | Response | float | Callable[[dict[str, Any]], Any]) -> None:
        self.answers = list(answers)

    def take(self) -> Response:
        seen = {"query": request.args.to_dict(), "body": request.get_data(), "headers": dict(request.headers)}
        self.received.append(seen)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0] if self.answers else b"success"
        if isinstance(answer, float):  # too slow
            time.sleep(answer)
            answer = b"success"
        if callable(answer) and not isinstance(answer, Response):
            answer = answer(seen)
        return answer if isinstance(answer, Response) else Response(answer, content_type="text/xml")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Sim]]:
    servers: list[BaseWSGIServer] = []

    def serve(folder: str = "sim", clock_file: Path | None = None) -> Sim:
        servers.append(_serve(create_app(tmp_path / folder, clock_file)))
        return Sim(f"http://127.0.0.1:{servers[-1].port}")

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def sim(start: Callable[..., Sim]) -> Sim:
    return start()


@pytest.fixture
def callback() -> Iterator[Callback]:
    taken = Callback()
    app = Flask("callback")
    app.add_url_rule("/wx", view_func=taken.take, methods=["GET", "POST"])
    server = _serve(app)
    taken.url = f"http://127.0.0.1:{server.port}/wx"
    yield taken
    server.shutdown()
    server.server_close()


def read(answer: requests.Response) -> Any:
    """UTF-8 whatever the answer's type says: it says text/plain now and then, as WeChat's does."""
    return json.loads(answer.content)


def picture(kind: str = "JPEG") -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (8, 8), "green").save(data, kind)
    return data.getvalue()


def _serve(app: Flask) -> BaseWSGIServer:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server
