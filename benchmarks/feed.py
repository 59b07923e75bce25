"""A page of the feed, and publishing, in a large Moments: ``python -m benchmarks.feed [--members 20000] [--keep …]``.

PostgreSQL.  200,000 members are the data set of issue 6, 20,000 the tenth of CI.  The server's CPU is that of the
database process of our connection, by the kernel's clock.  The rival is an inbox that a fan-out has filled: "bare"
reads its 30 newest posts and trusts it, "checked" asks our predicate about them.  A page is 20 posts with likes and
comments, through the API, this process and the database on one machine.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, text
from sqlalchemy.orm import Session

from benchmarks import feed_seed
from benchmarks.console import database

BARE = "SELECT p.* FROM bench_inbox i JOIN posts p ON p.id = i.post WHERE viewer = :viewer ORDER BY post DESC LIMIT 30"
INBOX = "SELECT post FROM bench_inbox WHERE viewer = :viewer ORDER BY post DESC LIMIT 30"
TO_REACH = {500: (6, 50, 2_000), 5_000: (10, 120, 20_000)}  # CPU to the inbox's, p99 ms, buffers a page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=20_000)
    parser.add_argument("--times", type=int, default=300, help="each kind of page is opened so often")
    parser.add_argument("--keep", type=Path, help="a folder to keep the database in, for the next run")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lobby-feed-") as spare:
        folder = given.keep or Path(spare)
        folder.mkdir(parents=True, exist_ok=True)
        with database("postgresql", folder) as url:
            os.environ |= {"LOBBY_DATA_DIR": str(folder), "LOBBY_DATABASE_URL": url, "LOBBY_SECRET_KEY": "b" * 64}
            os.environ |= {"LOBBY_REDIS_URL": "unix:///nowhere", "LOBBY_MOMENTS_LIMIT_FACTOR": "100000"}
            report(run(folder, given.members, given.times))


def run(folder: Path, count: int, times: int) -> dict[str, Any]:
    """Seed what is not there yet, and measure."""
    from bot.app import create_app, settle
    from bot.database import database as opened

    remembered = folder / f"tokens-{count}.json"
    if not remembered.exists():
        remembered.write_text(json.dumps(feed_seed.fill(opened().write, count)))
    tokens = {int(friends): keys for friends, keys in json.loads(remembered.read_text()).items()}
    client = create_app().test_client()
    settle()  # as wsgi.py

    def call(token: str, method: str = "GET", path: str = "/feed", body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        answer = client.open(f"/moments/api/v1{path}", method=method, json=body, headers=headers)
        assert answer.status_code < 300, answer.data
        return answer.json

    found: dict[str, Any] = {"members": count, "pages": {}}
    for friends, keys in tokens.items():
        found["pages"][friends] = pages(call, friends, keys, times)
    found["publish"] = publishing(call, tokens[5_000][0], times)
    return found


def pages(call: Callable[..., Any], friends: int, keys: list[str], times: int) -> dict[str, Any]:
    from bot.database import reading
    from bot.moments import feed, members, visibility

    for key in keys:  # statements are built, and the span of a reader is learned
        call(key)
        call(key)
    with reading() as session:
        readers = [members.by_token(session, key)[0] for key in keys]
        some = [readers[at % len(readers)] for at in range(times)]

        def bare(reader: Any) -> None:
            session.execute(text(BARE), {"viewer": reader.id}).all()

        def checked(reader: Any) -> None:
            ids = list(session.scalars(text(INBOX), {"viewer": reader.id}))
            list(session.scalars(visibility.posts(muted=False), visibility.by(reader.id, ids=ids)))

        def ours(reader: Any) -> None:
            feed.feed(session, reader, feed.FIRST, 20)

        trusted, inbox = server_cpu(session, some, bare), server_cpu(session, some, checked)
        read = server_cpu(session, some, ours)
        posts = max(buffers(partial(ours, reader)) for reader in readers[:4])
    walls, counts = [], []
    for at in range(times):
        began = time.perf_counter()
        page = call(keys[at % len(keys)])
        walls.append((time.perf_counter() - began) * 1000)
        counts.append(len(page["items"]))
    return {
        "bare_ms": trusted, "checked_ms": inbox, "feed_ms": read, "ratio": read / trusted,
        "p50": statistics.median(walls), "p99": statistics.quantiles(walls, n=100)[98], "buffers": posts,
        "all_buffers": max(buffers(partial(call, key)) for key in keys[:4]), "posts": min(counts),
    }  # fmt: skip


def server_cpu(session: Session, readers: list[Any], act: Callable[[Any], None]) -> float:
    """CPU ms of the database's process for one turn, median of ten slices."""
    pid = session.scalar(text("SELECT pg_backend_pid()"))

    def spent() -> float:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6

    act(readers[0])
    slices, size = [], max(1, len(readers) // 10)
    for start in range(0, len(readers), size):
        some, began = readers[start : start + size], spent()
        for reader in some:
            act(reader)
        session.commit()  # as a request's session ends
        slices.append((spent() - began) / len(some))
    return statistics.median(slices)


def buffers(act: Callable[[], Any]) -> int:
    """Blocks that the statements of one turn touch."""
    from bot.database import database as opened

    with statements() as asked:
        act()
    touched = 0
    with opened().read.connect() as connection:
        for statement, parameters in asked:
            if statement.lstrip().startswith(("SELECT", "WITH")):
                plan = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", parameters)
                top = plan.scalar_one()[0]["Plan"]
                touched += top["Shared Hit Blocks"] + top["Shared Read Blocks"]
    return touched


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    from bot.database import database as opened

    asked: list[tuple[str, Any]] = []

    def heard(_c: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        asked.append((statement, parameters))

    event.listen(opened().read, "before_cursor_execute", heard)
    try:
        yield asked
    finally:
        event.remove(opened().read, "before_cursor_execute", heard)


def publishing(call: Callable[..., Any], key: str, times: int) -> dict[str, Any]:
    """By somebody with 5,000 friends."""
    from bot.database import database as opened

    def rows(connection: Connection) -> dict[str, int]:
        tables = ("posts", "post_audience", "notices", "media", "link_cards", "edges", "likes", "comments")
        return {name: connection.scalar(text(f"SELECT count(*) FROM {name}")) or 0 for name in tables}

    def timed(act: Callable[[int], Any]) -> tuple[float, float]:
        walls = []
        for at in range(times):
            began = time.perf_counter()
            act(at)
            walls.append((time.perf_counter() - began) * 1000)
        return statistics.median(walls), statistics.quantiles(walls, n=100)[98]

    def one_row(at: int) -> None:
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO bench_inbox VALUES (0, :at)"), {"at": at})

    engine = opened().write
    disk = timed(one_row)
    with engine.connect() as connection:
        before, wal = rows(connection), connection.scalar(text("SELECT pg_current_wal_lsn()"))
    p50, p99 = timed(lambda at: call(key, "POST", "/posts", {"body": f"A sentence of some forty letters, {at}."}))
    with engine.connect() as connection:
        after = rows(connection)
        written = connection.scalar(text("SELECT pg_current_wal_lsn() - CAST(:wal AS pg_lsn)"), {"wal": wal})
        size = connection.scalar(text("SELECT pg_total_relation_size('posts')")) or 0
    return {
        "rows": {name: (after[name] - before[name]) / times for name in after if after[name] != before[name]},
        "p50": p50, "p99": p99, "disk": disk,
        "wal": float(written or 0) / times, "bytes": size / after["posts"],
    }  # fmt: skip


def report(found: dict[str, Any]) -> None:
    print(f"\n{found['members']:,} members\n")
    print(
        "| friends | bare inbox, CPU ms | checked | feed | feed to bare | page p50 ms | p99 ms | buffers | whole page |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for friends, page in found["pages"].items():
        ratio, p99, most = TO_REACH.get(friends, ("", "", ""))
        print(
            f"| {friends:,} | {page['bare_ms']:.2f} | {page['checked_ms']:.2f} | {page['feed_ms']:.2f} "
            f"| {page['ratio']:.1f} ({ratio}) | {page['p50']:.1f} | {page['p99']:.1f} ({p99}) "
            f"| {page['buffers']:,} ({most}) | {page['all_buffers']:,} |"
        )
    made = found["publish"]
    print(
        f"\nPublishing to 5,000 friends: rows {made['rows']}, p50 {made['p50']:.1f} ms, p99 {made['p99']:.1f} ms (50); "
        f"one row and a commit take this disk {made['disk'][0]:.1f} and {made['disk'][1]:.1f} ms; "
        f"{made['wal'] / 1024:.1f} KB of WAL; a post takes {made['bytes']:.0f} bytes with its indexes (300)."
    )


if __name__ == "__main__":
    main()
