"""The call to a model ends, whatever the other side does."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from bot import models_api
from bot.models_api import ModelTrouble


@dataclass(frozen=True)
class Question:
    url: str
    key: str = "sk-secret"
    model: str = "m"
    is_streamed: bool = True
    max_tokens: int = 10
    messages: list[dict[str, str]] = field(default_factory=lambda: [{"role": "user", "content": "你好\ud800"}])


Serve = Callable[[Callable[[socket.socket], None]], str]


@pytest.fixture
def server() -> Iterator[Serve]:
    """A server that does with its one connection what it is told."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(act: Callable[[socket.socket], None]) -> str:
        def run() -> None:
            try:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    act(connection)
            except OSError:
                pass

        threading.Thread(target=run, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/v1/chat/completions"

    yield serve
    listener.close()


def drip(*parts: bytes) -> Callable[[socket.socket], None]:
    def act(connection: socket.socket) -> None:
        connection.sendall(parts[0])
        while True:
            connection.sendall(parts[1])
            time.sleep(0.05)

    return act


@pytest.mark.parametrize(
    "act",
    [
        lambda connection: time.sleep(30),
        drip(b"HTTP/1.1 200 OK\r\n", b"X"),
        drip(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n", b" "),
        drip(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", b": hi\n"),
    ],
    ids=["nothing", "headers", "body", "stream"],
)
def test_a_server_that_drips_is_cut_off_in_time(server: Serve, act: Callable[[socket.socket], None]) -> None:
    began = time.monotonic()
    with pytest.raises(ModelTrouble) as trouble:
        models_api.complete(Question(server(act)), seconds=0.6)
    assert time.monotonic() - began < 3
    assert trouble.value.code == "timeout"


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"SSH-2.0-OpenSSH\r\n", "broken"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[[[[[[[[[", "garbage"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull", "garbage"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * 600_000, "endless"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: " + b"a" * 70_000 + b"\n", "endless"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {]\n", "garbage"),
        (b"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:6379/\r\nContent-Length: 0\r\n\r\n", "redirect"),
    ],
)
def test_what_is_no_answer_is_told_apart_and_shows_no_secret(server: Serve, sent: bytes, code: str) -> None:
    with pytest.raises(ModelTrouble) as trouble:
        models_api.complete(Question(server(lambda it: (it.sendall(sent), time.sleep(0.5))[0])), seconds=5)
    assert trouble.value.code == code
    assert "secret" not in str(trouble.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "https://", "ftp://example.com/", ""])
def test_an_address_where_nobody_is(url: str) -> None:
    with pytest.raises(ModelTrouble) as trouble:
        models_api.complete(Question(url), seconds=2)
    assert trouble.value.code == "unreachable"
