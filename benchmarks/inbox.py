"""The shared inbox, large: ``python -m benchmarks.inbox [--database postgresql] [--conversations 1000000] …``.

Prints Markdown tables.  First pages and searches over a seeded database, this process alone.  Then the web process as
``lobby up`` starts it: agents who watch, each with a stream of their own, while followers write at a steady rate; how
long a message takes from being sent until each agent's browser has it, and how long WeChat's request took meanwhile.
The agents and the followers are two more processes on the same machine.
"""

import argparse
import json
import multiprocessing
import os
import selectors
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from flask import Flask

from benchmarks import inbox_seed
from benchmarks.console import database
from benchmarks.load import cpu_seconds, rss_mb, tree
from benchmarks.webhook import ROOT

PAGES = {
    "list, open": "/bench/conversations",
    "list, mine": "/bench/conversations?queue=mine",
    "list, unassigned": "/bench/conversations?queue=unassigned",
    "list, closed": "/bench/conversations?queue=closed",
    "one conversation": "/bench/conversations/{open}",
    "report, 30 days": "/bench/conversations/report",
    "report, 90 days": "/bench/conversations/report?since={days90}",
    "report, a year": "/bench/conversations/report?since={days365}",
}
SEARCHES: dict[str, Callable[[int], str]] = {
    "a common word": lambda at: inbox_seed.COMMON[at % 5],
    "a usual word": lambda at: inbox_seed.MIDDLE[at % 40],
    "a rare word": lambda at: inbox_seed.RARE[at % 40],
    "two common words": lambda at: f"{inbox_seed.COMMON[at % 5]} {inbox_seed.COMMON[(at + 1) % 5]}",
    "a common and a rare word": lambda at: f"{inbox_seed.COMMON[at % 5]} {inbox_seed.RARE[at % 40]}",
    "two rare words": lambda at: f"{inbox_seed.RARE[at % 40]} {inbox_seed.RARE[(at * 7 + 3) % 40]}",
    "an order's number": lambda at: f"A{at * 20 * 97}",
    "what nobody wrote": lambda at: f"魑魅{at}",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--conversations", type=int, default=50_000)
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--agents", type=int, default=20)
    parser.add_argument("--rate", type=float, default=10, help="messages a second")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--times", type=int, default=60, help="each page is opened so often")
    parser.add_argument("--part", choices=("seed", "pages", "search", "live", "all"), default="all")
    parser.add_argument("--keep", type=Path, help="a folder to keep the database in, for the next run")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lobby-inbox-") as spare:
        folder = given.keep or Path(spare)
        folder.mkdir(parents=True, exist_ok=True)
        with database(given.database, folder) as url:
            os.environ |= {"LOBBY_DATA_DIR": str(folder), "LOBBY_DATABASE_URL": url, "LOBBY_SECRET_KEY": "b" * 64}
            os.environ |= {"LOBBY_WECHAT_URL": "http://127.0.0.1:9", "LOBBY_REDIS_URL": "unix:///nowhere"}
            cookies = seeded(given, folder)
            if given.part in ("pages", "all"):
                pages(given, cookies[0])
            if given.part in ("search", "all"):
                searches(given)
            if given.part in ("live", "all"):
                live(given, cookies)


def seeded(given: argparse.Namespace, folder: Path) -> list[str]:
    from bot.database import database as opened
    from bot.jobs import reports

    remembered = folder / f"cookies-{given.database}.json"
    if not remembered.exists():
        unread = min(50_000, given.messages // 10)
        agents = max(given.agents, 200)
        made = inbox_seed.fill(opened().write, given.conversations, given.messages, agents, unread)
        remembered.write_text(json.dumps(made))
        began = time.perf_counter()
        cpu, count = time.process_time(), caught_up()
        taken = time.perf_counter() - began
        cpu = time.process_time() - cpu
        print(f"The job: {count:,} texts in {taken:.1f} s, {cpu / count * 1e6:.0f} µs of its own CPU each", flush=True)
        began = time.perf_counter()
        reports.count(1)  # as the clock has it done
        print(f"The report's days were counted in {time.perf_counter() - began:.1f} s", flush=True)
    cookies: list[str] = json.loads(remembered.read_text())
    return cookies


def caught_up() -> int:
    """Read what is left, as the job does; how many texts."""
    from bot.database import reading, transaction
    from bot.services import message_search

    count = 0
    with reading() as session:
        end = message_search.end(session)
    while True:
        with reading() as session:
            some = message_search.read(session, end)
        if some is None:
            return count
        with transaction() as session:
            message_search.keep(session, some)
        count += len(some.rows)


# Pages and searches --------------------------------------------------------------------------------------------------


def pages(given: argparse.Namespace, cookie: str) -> None:
    from datetime import timedelta

    from bot import clock, console
    from bot.app import settle

    app = Flask("benchmark")
    app.secret_key = "b" * 64
    console.register(app)
    settle()  # as wsgi.py
    client = app.test_client()
    client.set_cookie("lobby", cookie)
    today = clock.now().date()
    values: dict[str, Any] = {f"days{n}": today - timedelta(days=n - 1) for n in (90, 365)}
    values["open"] = given.conversations - 7
    print(f"| page ({given.database}) | p50 ms | p95 ms | p50 CPU ms |\n|---|---|---|---|")
    for name, address in PAGES.items():

        def open_page(_turn: int, address: str = address) -> None:
            answer = client.get(f"/console{address.format(**values)}")
            assert answer.status_code == 200, (address, answer.status_code)

        print(row(name, given.times, open_page), flush=True)


def searches(given: argparse.Namespace) -> None:
    from bot.database import reading
    from bot.services import accounts, message_search

    with reading() as session:
        account = accounts.get(session, "bench")
    every: list[float] = []
    print(
        f"| search ({given.database}) | p50 ms | p95 ms | p50 CPU ms | hits of the first page |\n|---|---|---|---|---|"
    )
    for name, word in SEARCHES.items():
        hits: list[int] = []

        def look(turn: int, word: Callable[[int], str] = word, hits: list[int] = hits) -> None:
            with reading() as session:
                found = message_search.find(session, account, word(turn), limit=51)
                if turn % 3 == 0 and len(found) == 51:  # some go on to the next page
                    message_search.find(session, account, word(turn), before=found[49].id, limit=51)
            hits.append(len(found))

        print(row(name, given.times, look, every) + f" {min(hits)} to {max(hits)} |", flush=True)
    print(f"| all | {statistics.median(every):.0f} | {at(every, 0.95):.0f} | | |")


def row(name: str, times: int, run: Callable[[int], None], every: list[float] | None = None) -> str:
    taken, worked = [], []
    for turn in range(times + 2):
        started, cpu = time.perf_counter(), time.process_time()
        run(turn)
        worked.append((time.process_time() - cpu) * 1000)
        taken.append((time.perf_counter() - started) * 1000)
    if every is not None:
        every += taken[2:]
    columns = statistics.median(taken[2:]), at(taken[2:], 0.95), statistics.median(worked[2:])
    return f"| {name} | {' | '.join(f'{each:.0f}' for each in columns)} |"


def at(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


# From a follower's phone to the agents' screens ----------------------------------------------------------------------


def live(given: argparse.Namespace, cookies: list[str]) -> None:
    from bot.supervisor import stack

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = stack.Options("127.0.0.1", port, 0, with_simulator=False)
    server = subprocess.Popen([sys.executable, *stack._platform(options, [])["web"]], cwd=ROOT, start_new_session=True)
    try:
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.05)
        count = int(given.rate * given.seconds)
        assert count <= inbox_seed.OPEN, "each message needs an open conversation of its own"
        told: Any = multiprocessing.Queue()
        watching = multiprocessing.Process(target=watch, args=(port, cookies[: given.agents], count, told))
        watching.start()
        assert told.get(timeout=120) == "ready"
        pids = tree(server.pid)
        cpu = cpu_seconds(pids)
        sent, took = write(port, count, given.rate)
        arrivals: list[dict[int, float]] = told.get(timeout=60)
        watching.join(10)
        cpu, memory = cpu_seconds(pids) - cpu, rss_mb(pids)
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(20)
    waits = [(seen[n] - sent[n]) * 1000 for seen in arrivals for n in seen]
    missing = given.agents * count - len(waits)
    title = f"{given.agents} agents, {given.rate:g} messages/s, {given.conversations:,} conversations, {given.database}"
    print(f"| {title} | p50 ms | p95 ms | p99 ms | worst ms |\n|---|---|---|---|---|")
    for name, values in (("inbound to screen", waits), ("WeChat's request", [1000 * each for each in took])):
        columns = [*(at(values, share) for share in (0.5, 0.95, 0.99)), max(values)]
        print(f"| {name} | {' | '.join(f'{each:.0f}' for each in columns)} |")
    print(
        f"{missing} of {given.agents * count:,} arrivals missing. The web process: {cpu / count * 1000:.0f} ms of CPU a"
    )
    print(f"message, {memory:.0f} MB. Load {os.getloadavg()[0]:.1f}.", flush=True)


def watch(port: int, cookies: list[str], count: int, told: Any) -> None:
    """Hold a stream for each agent; tells when each message came to each."""
    selector = selectors.DefaultSelector()
    seen: list[dict[int, float]] = [{} for _ in cookies]
    for agent, cookie in enumerate(cookies):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.sendall(
            f"GET /console/bench/conversations/stream?after=0&page=t{agent} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Accept: text/event-stream\r\nCookie: lobby={cookie}\r\n\r\n".encode()
        )
        connection.setblocking(False)
        selector.register(connection, selectors.EVENT_READ, (agent, bytearray()))
    ready: set[int] = set()
    end = time.monotonic() + 600
    while time.monotonic() < end and any(len(each) < count for each in seen):
        if len(ready) == len(cookies):
            told.put("ready")
            ready.add(-1)
            end = time.monotonic() + 600
        for key, _events in selector.select(timeout=1):
            agent, kept = key.data
            connection: Any = key.fileobj
            data = connection.recv(1 << 20)
            now = time.time()
            assert data, "a stream has ended"
            ready.add(agent)
            kept += data
            whole, _, rest = kept.rpartition(b"\n\n")
            for piece in whole.split(b"bench-")[1:]:
                seen[agent].setdefault(int(piece[:6]), now)
            kept[:] = rest
        if len(ready) == len(cookies) + 1 and all(len(each) >= count - 1 for each in seen):
            end = min(end, time.monotonic() + 3)
    told.put(seen)


def write(port: int, count: int, rate: float) -> tuple[list[float], list[float]]:
    """Send each message at its time, whatever became of those before; when, and how long each request took."""
    from benchmarks.webhook import make_pushes

    requests = make_pushes([(inbox_seed.openid(n + 1), f"bench-{n:06d}") for n in range(count)], 10**17)
    selector = selectors.DefaultSelector()
    sent, took = [0.0] * count, [0.0] * count
    waiting: dict[socket.socket, int] = {}
    idle: list[socket.socket] = []
    began, at_next = time.time(), 0
    while at_next < count or waiting:
        while at_next < count and time.time() >= began + at_next / rate:
            connection = idle.pop() if idle else socket.create_connection(("127.0.0.1", port))
            if connection not in selector.get_map():
                selector.register(connection, selectors.EVENT_READ)
            sent[at_next] = time.time()
            connection.sendall(requests[at_next])
            waiting[connection] = at_next
            at_next += 1
        pause = began + at_next / rate - time.time() if at_next < count else 1
        for key, _events in selector.select(timeout=max(0, pause)):
            found: Any = key.fileobj
            answer = found.recv(65536)
            number = waiting.pop(found)
            took[number] = time.time() - sent[number]
            assert answer.startswith(b"HTTP/1.1 200"), answer[:200]
            idle.append(found)
    return sent, took


if __name__ == "__main__":
    main()
