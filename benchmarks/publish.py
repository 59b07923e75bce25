"""Publishing 10,000 rules, and what is looked at before: `python -m benchmarks.publish`.

Prints a Markdown table on SQLite: CPU, and the wall clock, which a busy machine lengthens.
"""

import os
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, update

from benchmarks.webhook import make_rules, make_texts

RULES, MESSAGES = 10_000, 5_000


def timed(name: str, run: Callable[[], Any]) -> Any:
    started, worked = time.perf_counter(), time.process_time()
    result = run()
    cpu, wall = time.process_time() - worked, time.perf_counter() - started
    print(f"| {name} | {cpu * 1000:.0f} | {wall * 1000:.0f} |", flush=True)
    return result


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="lobby-publish-"))
    os.environ.update({"LOBBY_DATA_DIR": str(folder), "LOBBY_SECRET_KEY": "b" * 64})
    from bot import clock, migrations
    from bot.app import settle
    from bot.database import reading, transaction
    from bot.services import accounts, rule_books, rule_lint, rule_trial, rule_versions, rules
    from bot.settings import settings
    from models import Follower, InboundMessage, Rule

    settle()  # as wsgi.py
    migrations.upgrade(settings())
    made = make_rules(RULES)
    with transaction() as session:
        account = accounts.create(session, "bench")
        person = Follower(account_id=account.id, openid="o" * 28)
        session.add(person)
        session.flush()
        session.execute(
            insert(Rule),
            [
                {
                    "account_id": account.id,
                    "title": text[:64],
                    "position": place,
                    "keywords": [{"mode": mode, "text": text}],
                    "replies": [{"kind": "text", "text": reply}],
                }
                for place, (mode, text, reply) in enumerate(made, start=1)
            ],
        )
        session.execute(
            insert(InboundMessage),
            [
                {
                    "account_id": account.id,
                    "openid": person.openid,
                    "dedup_key": str(number),
                    "follower_id": person.id,
                    "kind": "text",
                    "text": text,
                    "received_at": clock.now() - timedelta(minutes=number),
                }
                for number, text in enumerate(make_texts(made, MESSAGES))
            ],
        )

    def publish(name: str) -> None:
        with transaction() as session:
            rule_versions.publish(session, accounts.get(session, "bench"), None, name)

    def roll_back() -> None:
        with transaction() as session:
            rule_versions.roll_back(session, accounts.get(session, "bench"), None, 1)

    def one() -> None:
        with transaction() as session:
            account = accounts.get(session, "bench")
            rules.set_enabled(session, account, rules.page(session, account, 5000, 1)[0], False)

    def look(what: Callable[..., Any]) -> Any:
        with reading() as session:
            return what(session, accounts.get(session, "bench"))

    def book(session: Any, account: Any) -> Any:
        return rule_books.exact(session.connection(), account.id, account.rules_version)

    print("| 10,000 rules, 5,000 messages | CPU ms | wall ms |\n|---|---|---|")
    timed("publish the first time, all new", lambda: publish("first"))
    timed("the first message after it: a process builds its book", lambda: look(book))
    with transaction() as session:
        session.execute(update(Rule).where(Rule.id % 2 == 0).values(is_enabled=False, revision=2))
    timed("what is not live (5,000 changes), first look", lambda: look(rule_versions.waiting))
    timed("… second look", lambda: look(rule_versions.waiting))
    timed("lint, first look", lambda: look(rule_lint.of_draft))
    timed("answer difference", lambda: look(rule_trial.compare_answers))
    timed("publish 5,000 changes", lambda: publish("second"))
    timed("roll back 5,000 changes", roll_back)
    timed("publish one change alone", one)


if __name__ == "__main__":
    main()
