"""The process: it keeps what it was told when killed, and stops when asked."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from .conftest import Sim


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[[], tuple[Sim, subprocess.Popen[bytes]]]]:
    started: list[subprocess.Popen[bytes]] = []
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def start() -> tuple[Sim, subprocess.Popen[bytes]]:
        command = [sys.executable, "-m", "bot.simulator", "--port", str(port), "--data-dir", str(tmp_path / "sim")]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        started.append(process)
        sim = Sim(f"http://127.0.0.1:{port}")
        wait_until(lambda: answers(sim))
        return sim, process

    yield start
    for process in started:
        process.kill()
        process.wait()


def answers(sim: Sim) -> bool:
    try:
        return bool(sim.get("/sim/health")["ok"])
    except requests.ConnectionError:
        return False


def wait_until(is_so: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.1)


def test_remembers_when_killed_and_stops_when_asked(run):
    sim, process = run()
    account = sim.account()
    openid = sim.follower()
    sim.say(openid)
    assert sim.api(account).send(openid) == 0
    process.send_signal(signal.SIGKILL)
    wait_until(lambda: not answers(sim))  # its serving child does not stay behind

    sim, process = run()
    assert [item["kind"] for item in sim.inbox(openid)] == ["customer"]

    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=5) == 0


def test_a_cut_reply_breaks_the_connection_here_too(run):
    sim, _ = run()
    api = sim.api(sim.account())
    sim.post("/sim/faults", path="/cgi-bin/user/get", cut="reply")

    with pytest.raises(requests.RequestException):
        api.get("user/get")
    assert api.get("user/get")["total"] == 0
