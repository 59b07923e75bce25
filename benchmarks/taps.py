"""Taps per button among millions of messages: ``python -m benchmarks.taps [--database sqlite|postgresql]``.

One message in five is a tap, on one of 12 buttons, evenly over 90 days.  Prints a Markdown table.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from benchmarks.console import database

KEYS = 12
SECONDS = 90 * 86_400
# The numbers 0 to :count - 1, and the moment of each.
SERIES = {
    "sqlite": "WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n + 1 < :count)"
    " SELECT n, datetime('now', '-' || ((:count - n) * :seconds / :count) || ' seconds') || '.000000' AS at FROM s",
    "postgresql": "SELECT n, now() - make_interval(secs => (:count - n) * 1.0 * :seconds / :count) AS at"
    " FROM generate_series(0, :count - 1) AS n",
}
MESSAGES = """
INSERT INTO messages
    (account_id, openid, dedup_key, kind, event, key, text, fields, received_at, reply, rule_id, trace, flag)
SELECT 1, 'o' || (n % 200000), n || '', CASE WHEN n % 5 = 0 THEN 'event' ELSE 'text' END,
    CASE WHEN n % 5 = 0 THEN 'click' ELSE '' END, CASE WHEN n % 5 = 0 THEN 'menu-' || (n % 12) ELSE '' END,
    CASE WHEN n % 5 = 0 THEN '' ELSE '周六晚上还有包间吗？' END, '{}', at,
    '{"kind": "text", "text": "好的，马上为您查询。"}', n % 1000, '[]', ''
FROM (%s) AS series
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--messages", type=int, default=5_000_000)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--keep", type=Path, help="a folder to keep the database in, for the next run")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lobby-taps-") as spare:
        folder = given.keep or Path(spare)
        folder.mkdir(parents=True, exist_ok=True)
        with database(given.database, folder) as url:
            os.environ |= {"LOBBY_DATA_DIR": str(folder), "LOBBY_DATABASE_URL": url, "LOBBY_SECRET_KEY": "b" * 64}
            os.environ["LOBBY_WECHAT_URL"] = "http://127.0.0.1:9"  # nobody there
            measure(given, folder)


def fill(engine: Engine, messages: int, menu: list[dict[str, Any]]) -> str:
    """Write it into an empty database; returns an owner's cookie for the console.  The account is "big"."""
    from sqlalchemy.orm import Session

    from bot.services import access, accounts, operators
    from models import Base, Menu, Role

    Base.metadata.create_all(engine)
    with Session(engine) as session:
        account = accounts.create(session, "big", title="云上茶舍")
        owner = operators.create(session, "owner", "")
        access.give(session, owner, Role.OWNER, None)
        cookie = operators.sign_in(session, owner, "Benchmark")
        session.add(Menu(account_id=account.id, buttons=menu, published=menu, published_conditional=[]))
        session.flush()
        series = SERIES[engine.dialect.name]
        session.execute(text(MESSAGES.replace("%s", series)), {"count": messages, "seconds": SECONDS})
        session.commit()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE" if engine.dialect.name == "postgresql" else "ANALYZE")
    return cookie


def measure(given: argparse.Namespace, folder: Path) -> None:
    from flask import Flask

    from bot import console
    from bot.database import database as opened
    from bot.database import reading
    from bot.services import accounts, menu_clicks

    buttons = [{"name": f"B{at}", "type": "click", "key": f"menu-{at}"} for at in range(KEYS)]
    menu = [{"name": "M", "sub_button": buttons[at : at + 4]} for at in range(0, KEYS, 4)]
    remembered = folder / f"cookie-{given.database}"
    if not remembered.exists():
        remembered.write_text(fill(opened().write, given.messages, menu))
    app = Flask("benchmark")
    app.secret_key = "b" * 64
    console.register(app)
    client = app.test_client()
    client.set_cookie("lobby", remembered.read_text())

    def open_page(path: str) -> None:
        assert client.get(f"/console{path}").status_code == 200, path

    def count() -> None:
        with reading() as session:
            counted = menu_clicks.counts(session, accounts.get(session, "big"), [menu], seconds=60)
            assert counted is not None
            assert len(counted) == KEYS
            assert sum(each.last_30 for each in counted.values()) > given.messages / 20

    asked: dict[str, Callable[[], None]] = {
        "the numbers alone": count,
        "designer": lambda: open_page("/big/menu"),
        "page of the taps": lambda: open_page("/big/menu/taps"),
    }
    print(f"| {given.database}, {given.messages:,} messages | first ms | p50 ms | worst ms |\n|---|---|---|---|")
    for name, ask in asked.items():
        taken = []
        for _turn in range(given.times + 1):
            started = time.perf_counter()
            ask()
            taken.append((time.perf_counter() - started) * 1000)
        first, *others = taken
        print(f"| {name} | {first:.0f} | {statistics.median(others):.0f} | {max(others):.0f} |", flush=True)


if __name__ == "__main__":
    main()
