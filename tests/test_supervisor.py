"""``lobby up`` with real processes: what it says, what it starts again, and that nothing of it is left."""

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.supervisor import children, running
from bot.supervisor.addresses import address
from tests.stack import LOBBY, Stack, free_ports, until

pytestmark = [
    pytest.mark.xdist_group("stack"),
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
]

Start = Callable[..., Stack]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    stacks: list[Stack] = []

    def make(*options: str, **environment: str) -> Stack:
        stacks.append(Stack(tmp_path / "data", *options, **environment))
        return stacks[-1]

    yield make
    for stack in stacks:
        stack.end()


def test_starts_again_what_dies_and_ends_with_nothing_left(start: Start) -> None:
    stack = start()
    stack.until_ready()
    told = stack.run_json()
    assert told["pid"] == stack.process.pid
    assert told["url"] == f"http://127.0.0.1:{stack.port}"
    assert stat.S_IMODE((stack.data_dir / "run.json").stat().st_mode) == 0o600
    assert "/console/sign-in/" in stack.said

    said = stack.run("say", "hello")
    assert said.returncode == 0, said.stderr
    assert "Hello!" in said.stdout
    said = stack.run("say", "你们几点开门")  # no rule answers it: the assistant does, without any key
    assert "上午 9:00 开门" in said.stdout, said.stderr

    (worker,) = stack.children("worker", "broadcasts")
    before = len(stack.said)
    os.kill(worker, signal.SIGKILL)
    stack.until_said("worker broadcasts was ended by SIGKILL; starting it again in 0.5 s", after=before)
    assert until(lambda: stack.children("worker", "broadcasts") not in ([], [worker]), 10)

    redis = stack.redis_pid()
    assert redis is not None
    os.kill(redis, signal.SIGKILL)
    stack.until_said("Redis ended; starting it again", after=before)
    assert until(lambda: stack.redis_pid() not in (None, redis), 15)

    second = stack.run("up")
    assert second.returncode == 2
    assert second.stderr.startswith(f"Lobby is already running in {stack.data_dir}")

    os.killpg(stack.process.pid, signal.SIGINT)  # as a terminal does, and by an impatient person
    assert stack.stop(signal.SIGINT) == 0, stack.told()
    assert "Traceback" not in stack.said
    assert stack.left() == []
    assert stack.locks_left() == []
    assert not list(stack.data_dir.glob("run.json")) + list(stack.data_dir.glob("*.pid"))
    assert not (stack.data_dir / "redis.sock").exists()


def test_after_a_kill_nothing_but_redis_lives_and_the_next_start_joins_it(start: Start) -> None:
    first = start()
    first.until_ready()
    redis = first.redis_pid()

    first.process.kill()
    first.process.wait()
    assert until(lambda: first.left() == [redis], 10), [first.children(), first.told()]
    assert running.find(first.data_dir) is None  # run.json is still there, and does not count
    assert first.run("say", "hello").returncode == 2

    second = start()
    second.until_ready()
    assert second.redis_pid() == redis
    assert "Hello!" in second.run("say", "hello", "--as", "Someone").stdout
    assert second.stop(signal.SIGTERM) == 0
    assert until(lambda: second.left() == [], 2)


def test_can_be_stopped_while_it_starts(start: Start) -> None:
    stack = start("--no-sim")
    stack.until_said("Starting Lobby")

    assert stack.stop(signal.SIGTERM) == 0, stack.told()
    assert until(lambda: stack.left() == [], 2), [stack.left()]


def refused(*options: str, **environment: str) -> str:
    """The sentence that it ends with, at once and with exit code 2."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("LOBBY_")}
    done = subprocess.run(
        [LOBBY, "up", *options], env=known | environment, capture_output=True, text=True, timeout=20, check=False
    )
    assert (done.returncode, done.stdout) == (2, ""), done
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr.strip()


@pytest.mark.parametrize("option", ["--port", "--sim-port"])
def test_a_taken_port_is_a_sentence(tmp_path: Path, option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ports = dict(zip(("--port", "--sim-port"), map(str, free_ports(2)), strict=True)) | {option: str(port)}
        sentence = refused(*[word for pair in ports.items() for word in pair], "--data-dir", str(tmp_path / "data"))

    assert sentence == f"Port {port} is taken by another program; stop it, or choose another with {option}."


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    sentence = refused("--data-dir", str(tmp_path / "file" / "data"))

    assert sentence.startswith("LOBBY_DATA_DIR: ")
    assert "not a folder we may write to" in sentence


@pytest.mark.parametrize(
    ("name", "value"),
    [("LOBBY_DATABASE_URL", "mysql://x"), ("LOBBY_SECRET_KEY", "short"), ("LOBBY_LOG_FORMAT", "xml")],
)
def test_a_bad_setting_is_a_sentence_without_its_value(tmp_path: Path, name: str, value: str) -> None:
    sentence = refused("--data-dir", str(tmp_path / "data"), **{name: value})

    assert sentence.startswith(f"{name}: ")
    assert value not in sentence


def test_an_address_of_another_machine_is_a_sentence(tmp_path: Path) -> None:
    sentence = refused("--host", "192.0.2.1", "--data-dir", str(tmp_path / "data"))

    assert sentence == "--host 192.0.2.1, --port 8000: cannot assign requested address."


def test_a_child_that_keeps_dying_is_started_less_and_less_often(tmp_path: Path, monkeypatch) -> None:
    said: list[str] = []
    now = [1000.0]
    monkeypatch.setattr(children.time, "monotonic", lambda: now[0])
    child = children.Child("odd", ["-c", "raise ValueError('no such thing')"], dict(os.environ), tmp_path / "odd.log")

    for _ in range(8):
        child.look(said.append)  # starts it
        child._process.wait()
        child.look(said.append)  # finds it dead
        now[0] += 30

    waits = [float(line.rpartition(" in ")[2].removesuffix(" s.")) for line in said]
    assert waits == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert said[0] == "odd ended with exit code 1 (ValueError: no such thing); starting it again in 0.5 s."


def test_errors_in_a_childs_log_are_shown_a_few_times(tmp_path: Path) -> None:
    said: list[str] = []
    source = "import time\nfor n in range(20): print(f'2026-11-23 [error    ] odd n={n}', flush=True)\ntime.sleep(60)"
    child = children.Child("odd", ["-c", source], dict(os.environ), tmp_path / "odd.log")
    child.start()
    try:
        assert until(lambda: "n=19" in (tmp_path / "odd.log").read_text(), 5)
        child.look(said.append)
    finally:
        child.bury()

    assert len(said) == children.ECHOED
    assert said[-1] == f"odd: 2026-11-23 [error    ] odd n=4 (more in {tmp_path / 'odd.log'})"


def test_a_long_log_is_cut_while_its_child_writes_on(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(children, "LOG_BYTES", 1000)
    log = tmp_path / "odd.log"
    child = children.Child("odd", ["-c", "import time; print('x' * 2000, flush=True); time.sleep(60)"], {}, log)
    child.start()
    try:
        assert until(lambda: log.stat().st_size > 1000, 5)
        child.look(lambda _line: None)
    finally:
        child.bury()

    assert log.stat().st_size == 0
    assert (tmp_path / "odd.log.1").stat().st_size == 2001


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("lobby.example", "http://lobby.example:80"),
    ],
)
def test_the_address_shown_is_one_that_a_browser_can_open(host: str, url: str) -> None:
    assert address(host, 80) == url
