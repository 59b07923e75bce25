"""The API: ``POST /v1/chat/completions`` as OpenAI words it, and ``/control`` to script what goes wrong.

Control, JSON: ``{"times": 1, "delay_ms": 0, "status": 200, "text": "…", "body": "raw bytes instead", "drip_ms": 0,
"endless": false, "cut": false, "location": "…"}``; times 0: until DELETE.  ``GET /control`` tells what was asked.
"""

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from bot.standin.answers import answer

MOST_BYTES = 2 << 20
REMEMBERED = 500
WRONG_KEY = "wrong"  # the one key it does not accept

Start = Callable[..., Any]


class Model:
    """The WSGI application."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._scripts: list[dict[str, Any]] = []
        self._asked: list[dict[str, Any]] = []

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if path == "/health":
            return _json(start, {"ok": True})
        try:
            body = json.loads(
                environ["wsgi.input"].read(min(int(environ.get("CONTENT_LENGTH") or 0), MOST_BYTES)) or b"{}"
            )
        except ValueError:
            return _json(start, {"error": {"message": "not JSON"}}, "400 Bad Request")
        if path == "/control":
            return _json(start, self._control(method, body))
        if path == "/v1/chat/completions" and method == "POST":
            return self._complete(environ, start, body)
        return _json(start, {"error": {"message": "no such address"}}, "404 Not Found")

    def _control(self, method: str, body: Any) -> dict[str, Any]:
        with self._lock:
            if method == "GET":
                return {"asked": list(self._asked)}
            self._scripts = [] if method == "DELETE" else [*self._scripts, {"times": 1, **body}]
            if method == "DELETE":
                self._asked.clear()
            return {"ok": True}

    def _script(self, environ: dict[str, Any], body: Any) -> dict[str, Any]:
        with self._lock:
            self._asked.append({"key": environ.get("HTTP_AUTHORIZATION", ""), "body": body})
            del self._asked[:-REMEMBERED]
            if not self._scripts:
                return {}
            script = self._scripts[0]
            if script["times"]:
                script["times"] -= 1
                if not script["times"]:
                    self._scripts.pop(0)
            return script

    def _complete(self, environ: dict[str, Any], start: Start, body: Any) -> Iterable[bytes]:
        script = self._script(environ, body)
        time.sleep(script.get("delay_ms", 0) / 1000)
        if environ.get("HTTP_AUTHORIZATION") == f"Bearer {WRONG_KEY}":
            return _json(start, {"error": {"message": "Incorrect API key provided"}}, "401 Unauthorized")
        if "location" in script:
            start("302 Found", [("Location", script["location"])])
            return [b""]
        if script.get("status", 200) != 200:
            return _json(start, {"error": {"message": "scripted"}}, f"{script['status']} Scripted")
        if "body" in script:
            start("200 OK", [("Content-Type", script.get("content_type", "application/json"))])
            return [str(script["body"]).encode()]
        messages = body.get("messages") or [{}]
        text = script.get("text") or answer(messages)
        usage = {
            "prompt_tokens": sum(len(str(message.get("content", ""))) for message in messages),
            "completion_tokens": len(text),
        }
        if body.get("stream"):
            start("200 OK", [("Content-Type", "text/event-stream; charset=utf-8")])
            return _stream(text, usage, script)
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return _json(start, {"object": "chat.completion", "choices": [choice], "usage": usage})


def _stream(text: str, usage: dict[str, int], script: dict[str, Any]) -> Iterator[bytes]:
    pause = script.get("drip_ms", 0) / 1000
    while True:
        for at in range(0, len(text), 4):
            yield _event({"choices": [{"index": 0, "delta": {"content": text[at : at + 4]}}]})
            time.sleep(pause)
            if script.get("cut"):
                return
        if not script.get("endless"):
            break
    yield _event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    yield _event({"choices": [], "usage": usage})
    yield b"data: [DONE]\n\n"


def _event(chunk: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n".encode()


def _json(start: Start, body: dict[str, Any], status: str = "200 OK") -> list[bytes]:
    raw = json.dumps(body, ensure_ascii=False).encode()
    start(status, [("Content-Type", "application/json"), ("Content-Length", str(len(raw)))])
    return [raw]
