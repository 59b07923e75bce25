"""Asks a language model over an OpenAI-compatible API, and never waits or reads without end.

``http.client``, not requests: no redirect is followed, no proxy or netrc is believed, and a watchdog can shut the
socket under a server that drips.  The address was typed by an operator; whoever guards addresses does so in ``_open``.
"""

import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

import certifi

SECONDS = 50.0  # for one answer, from the connection to the last byte
CONNECT_SECONDS = 5.0
ANSWER_BYTES = 512 * 1024
LINE_BYTES = 64 * 1024  # of a stream; a chunk holds a few words
TEXT_CHARACTERS = 20_000  # more is no answer any more


class ModelTrouble(Exception):
    """``code``: a key of services.assistant_answers.WHY; the text is for the log and holds nothing of either side."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code} {detail}".strip())
        self.code = code


@dataclass(frozen=True, slots=True)
class Completion:
    text: str
    tokens_in: int | None  # None: the model did not tell
    tokens_out: int | None


class Question(Protocol):
    """What is asked of whom: services.assistant_work.Work is one."""

    @property
    def url(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def is_streamed(self) -> bool: ...
    @property
    def max_tokens(self) -> int: ...
    @property
    def messages(self) -> Sequence[dict[str, str]]: ...


def complete(question: Question, seconds: float = SECONDS) -> Completion:
    """
    Raises:
        ModelTrouble: no answer, or none that can be used.
    """
    parts = urlsplit(question.url)
    deadline = time.monotonic() + seconds
    connection = _open(parts.scheme, parts.hostname or "", parts.port)
    sockets: list[socket.socket] = []  # the connection forgets its own as soon as the headers are there
    watchdog = threading.Timer(seconds, _shut, [sockets])
    watchdog.daemon = True
    watchdog.start()
    try:
        connection.connect()
        assert connection.sock is not None
        sockets.append(connection.sock)
        connection.sock.settimeout(seconds)
        connection.request("POST", parts.path or "/", _body(question), _headers(question))
        response = connection.getresponse()
        _check(response)
        kind = response.headers.get_content_type()
        return _streamed(response) if kind == "text/event-stream" else _whole(response)
    except ModelTrouble:
        if time.monotonic() >= deadline:  # the watchdog shut it, which reads like an end
            raise ModelTrouble("timeout", "in all") from None
        raise
    except (TimeoutError, socket.gaierror, ConnectionRefusedError, ssl.SSLError) as error:
        code = "timeout" if isinstance(error, TimeoutError) and sockets else "unreachable"
        raise ModelTrouble(code, type(error).__name__) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        is_late = time.monotonic() >= deadline  # the watchdog shut it
        raise ModelTrouble("timeout" if is_late else "broken", type(error).__name__) from None
    finally:
        watchdog.cancel()
        connection.close()


def _open(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    if scheme == "http":  # the stand-in's; services.assistant lets no other through
        return http.client.HTTPConnection(host, port, timeout=CONNECT_SECONDS)
    if scheme != "https" or not host:
        raise ModelTrouble("unreachable", "no address")
    context = ssl.create_default_context(cafile=certifi.where())
    return http.client.HTTPSConnection(host, port, timeout=CONNECT_SECONDS, context=context)


def _shut(sockets: list[socket.socket]) -> None:
    for each in sockets:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def _headers(question: Question) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    if question.key:
        headers["Authorization"] = f"Bearer {question.key}"
    return headers


def _body(question: Question) -> bytes:
    body: dict[str, Any] = {
        "model": question.model,
        "messages": question.messages,
        "max_tokens": question.max_tokens,
        "stream": question.is_streamed,
    }
    if question.is_streamed:
        body["stream_options"] = {"include_usage": True}
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


def _check(response: http.client.HTTPResponse) -> None:
    status = response.status
    if status == 200:
        return
    code = {401: "key", 403: "key", 429: "busy"}.get(status, "redirect" if 300 <= status < 400 else "broken")
    raise ModelTrouble(code, f"HTTP {status}")


def _whole(response: http.client.HTTPResponse) -> Completion:
    raw = response.read(ANSWER_BYTES + 1)
    if len(raw) > ANSWER_BYTES:
        raise ModelTrouble("endless", "bytes")
    try:
        answer = json.loads(raw)
        text = answer["choices"][0]["message"]["content"] or ""
        usage = answer.get("usage") or {}
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        raise ModelTrouble("garbage") from None
    return _completion(text, usage)


def _streamed(response: http.client.HTTPResponse) -> Completion:
    pieces: list[str] = []
    usage: Any = {}
    length, is_done = 0, False
    for data in _events(response):
        if data == "[DONE]":
            is_done = True
            break
        try:
            chunk = json.loads(data)
            usage = chunk.get("usage") or usage
            for choice in chunk.get("choices") or []:
                piece = (choice.get("delta") or {}).get("content") or ""
                is_done = is_done or bool(choice.get("finish_reason"))
                pieces.append(piece)
                length += len(piece)
        except (ValueError, TypeError, AttributeError, RecursionError):
            raise ModelTrouble("garbage") from None
        if length > TEXT_CHARACTERS:
            raise ModelTrouble("endless", "characters")
    if not is_done:
        raise ModelTrouble("broken", "the stream was cut")
    return _completion("".join(pieces), usage)


def _events(response: http.client.HTTPResponse) -> Iterator[str]:
    """What the stream's data lines hold."""
    taken = 0
    while line := response.readline(LINE_BYTES):
        taken += len(line)
        if taken > ANSWER_BYTES or (len(line) == LINE_BYTES and not line.endswith(b"\n")):
            raise ModelTrouble("endless", "bytes")
        if line.startswith(b"data:"):
            yield line[5:].strip().decode("utf-8", "replace")


def _completion(text: Any, usage: Any) -> Completion:
    if not isinstance(text, str):
        raise ModelTrouble("garbage")
    told = [usage.get(name) if isinstance(usage, dict) else None for name in ("prompt_tokens", "completion_tokens")]
    # Whatever a model claims, a limit is no place for nonsense.
    counts = [each if type(each) is int and 0 <= each <= 10_000_000 else None for each in told]
    return Completion(text, counts[0], counts[1])
