"""Two hundred followers ask the assistant at the same moment: ``lobby up`` as it is, real processes, a slow model."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.stack import Stack, cmdline, until

PEOPLE, PATIENT = 200, 60  # followers, seconds
PARKING = "地下车库 B2 层可以停车"


@pytest.fixture
def stack(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Stack]:
    environment = {}
    if database_kind == "postgresql":
        server, admin = request.getfixturevalue("_postgresql")
        name = f"crowd{time.monotonic_ns()}"
        with admin.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        address = str(server.get_uri(name)).replace("postgresql://", "postgresql+psycopg://", 1)
        environment["LOBBY_DATABASE_URL"] = address
    stack = Stack(tmp_path / "data", **environment)
    try:
        stack.until_ready()
        yield stack
    finally:
        stack.stop()  # and not end(): the database's server knows this folder too


def post(stack: Stack, path: str, **body: Any) -> Any:
    answer = requests.post(f"http://127.0.0.1:{stack.sim_port}/sim/{path}", json=body, timeout=PATIENT)
    assert answer.ok, answer.text
    return answer.json()


def texts(stack: Stack, openid: str) -> list[str]:
    address = f"http://127.0.0.1:{stack.sim_port}/sim/followers/{openid}/inbox"
    items = requests.get(address, params={"account": "practice"}, timeout=PATIENT).json()
    return [item["text"] for item in items if item["kind"] != "mine"]


@pytest.mark.campaign
@pytest.mark.timeout(300)
@pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize("delay_ms", [1000, 8000])
def test_two_hundred_who_ask_at_once_each_get_one_answer(stack: Stack, delay_ms: int) -> None:
    [model] = stack.children("bot.standin")
    port = cmdline(model).split("--port ")[1].split()[0]
    assert requests.post(f"http://127.0.0.1:{port}/control", json={"delay_ms": delay_ms, "times": 0}, timeout=10).ok
    openids = [post(stack, "followers", account="practice", name=f"客{n}")["openid"] for n in range(PEOPLE)]

    def ask(openid: str) -> tuple[float, Any]:
        began = time.monotonic()
        said = post(stack, "messages", account="practice", openid=openid, type="text", text="哪里停车")
        return time.monotonic() - began, said

    with ThreadPoolExecutor(PEOPLE) as pool:
        done = list(pool.map(ask, openids))

    waiting = list(openids)

    def all_answered() -> bool:
        time.sleep(1)  # who looks all the time keeps the simulator from its work
        while waiting and texts(stack, waiting[-1]):
            waiting.pop()
        return not waiting

    assert until(all_answered, 2 * PATIENT), f"{len(waiting)} without an answer"
    time.sleep(3)  # a second copy would come now
    received = [texts(stack, openid) for openid in openids]
    print(
        Counter(tuple(attempt["status"] for attempt in said["attempts"]) for _, said in done),
        f"slowest {max(took for took, _ in done):.1f} s, with its reply {sum(bool(s['reply']) for _, s in done)}",
    )
    assert Counter(len(each) for each in received) == {1: PEOPLE}
    assert all(each[0].startswith(PARKING) for each in received), Counter(each[0] for each in received)
    assert all(said["notice"] is None for _, said in done)
