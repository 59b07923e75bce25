"""Segments over 1 million followers and 5 million messages: how long counting, a sample and the snapshot take.

python -m benchmarks.segments sqlite:////tmp/segments.db [--seed] [--followers 300000] (or postgresql+psycopg://…)
Five messages a follower are written.
"""

import argparse
import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import create_engine, insert, text
from sqlalchemy.orm import Session

from bot import clock
from bot.database import Database
from bot.services import segments
from bot.services.segment_queries import count, newest
from bot.services.segment_sql import compile_tree
from bot.services.segment_things import look_up
from models import (
    Account,
    Base,
    Conversation,
    Field,
    FieldKind,
    FieldValue,
    Follower,
    FollowerTag,
    InboundMessage,
    Rule,
    Segment,
    Stage,
    Tag,
)

DAYS = 180
TREES: dict[str, Any] = {
    **segments.READY,
    "one tag": {"field": "tag", "op": "has", "value": 1},
    "without a tag": {"field": "tag", "op": "has_not", "value": 1},
    "stage": {"field": "stage", "op": "is", "value": 1},
    "field is": {"field": "field", "of": 1, "op": "is", "value": "成都"},
    "birthday": {"field": "field", "of": 2, "op": "birthday", "value": 7},
    "number, not": {"not": {"field": "field", "of": 3, "op": "more", "value": 500}},
    "tapped": {"field": "tapped", "of": "KEY1", "op": "last_days", "value": 30},
    "not tapped": {"field": "tapped", "of": "KEY1", "op": "not_last_days", "value": 30},
    "answered": {"field": "answered", "of": 1, "op": "last_days", "value": 30},
    "mixed": {"all": [{"field": "follows", "op": "is", "value": True},
                      {"any": [{"field": "tag", "op": "has", "value": 2},
                               {"field": "tapped", "of": "KEY1", "op": "last_days", "value": 30},
                               {"field": "field", "of": 1, "op": "is", "value": "成都"}]},
                      {"not": {"field": "answered", "of": 2, "op": "last_days", "value": 7}}]},
}  # fmt: skip


def seed(url: str, followers: int) -> None:
    engine = create_engine(url)
    Base.metadata.create_all(engine)
    now, chance = datetime.now(UTC), random.Random(1)
    began = now - timedelta(days=DAYS)

    def write(table: type[Base], rows: Any, size: int = 20_000) -> None:
        started, batch = time.monotonic(), []
        with engine.begin() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA synchronous=OFF")
            for row in rows:
                batch.append(row)
                if len(batch) == size:
                    connection.execute(insert(table), batch)
                    batch = []
            if batch:
                connection.execute(insert(table), batch)
        print(f"{table.__tablename__} {time.monotonic() - started:.0f} s", flush=True)

    with Session(engine) as session:
        account = Account(slug="big", title="Big")
        session.add(account)
        session.flush()
        of = {"account_id": account.id}
        session.add_all([Tag(name=f"tag {n}", **of) for n in range(1, 21)])
        session.add_all([Stage(name=f"stage {n}", **of) for n in range(1, 5)])
        session.add_all([Rule(title=f"rule {n}", created_at=began, **of) for n in range(1, 51)])
        session.add(Field(name="city", kind=FieldKind.TEXT, **of))
        session.flush()
        session.add(Field(name="birthday", kind=FieldKind.DATE, **of))
        session.flush()
        session.add(Field(name="points", kind=FieldKind.NUMBER, **of))
        session.commit()

    numbers = range(1, followers + 1)
    openids = {n: f"o{chance.getrandbits(130):027x}"[:28] for n in numbers}

    def ago(days: float) -> datetime:
        return now - timedelta(days=days)

    write(Follower, (
        {**of, "id": n, "openid": openids[n], "nickname": f"粉丝{n}", "language": "zh_CN", "source": "ADD_SCENE_SEARCH",
         "is_subscribed": n % 20 != 0, "subscribed_at": ago((followers - n) / followers * 700),
         "seen_at": ago(chance.random() ** 2 * DAYS), "wrote_at": ago(chance.random() * DAYS) if n % 3 else None,
         "stage_id": n % 4 + 1 if n % 5 == 0 else None}
        for n in numbers
    ))  # fmt: skip
    write(FollowerTag, ({"follower_id": n, "tag_id": t} for n in numbers for t in {n % 20 + 1, n % 7 + 1}))
    cities = ("成都", "上海", "北京", "广州", "杭州", "武汉", "西安", "重庆", "苏州", "长沙")
    empty = {"text": None, "number": None, "day": None}
    day = began.date()
    write(FieldValue, (
        row for n in numbers if n % 2
        for row in (
            {**empty, "follower_id": n, "field_id": 1, "text": cities[n % 10]},
            {**empty, "follower_id": n, "field_id": 2, "day": day.replace(year=1990) + timedelta(days=n % 365)},
            {**empty, "follower_id": n, "field_id": 3, "number": n % 1000},
        )
    ))  # fmt: skip
    write(Conversation, ({**of, "follower_id": n, "opened_at": ago(n % DAYS), "closed_at": now} for n in numbers[::20]))

    def messages() -> Any:
        for n in range(5 * followers):
            who, is_event = chance.randint(1, followers), n % 5 == 0
            yield {**of, "openid": openids[who], "dedup_key": str(n), "follower_id": who,
                   "kind": "event" if is_event else "text", "event": "click" if is_event else "",
                   "key": f"KEY{n % 8}" if is_event else "", "text": "" if is_event else "请问今天营业到几点？",
                   "fields": {"CreateTime": "1"}, "received_at": began + timedelta(days=DAYS) * (n / (5 * followers)),
                   "reply": {"kind": "text", "text": "我们每天 9:30–22:00 营业。"}, "rule_id": n % 50 + 1,
                   "trace": [{"handler": "keyword", "why": "It answers."}]}  # fmt: skip

    write(InboundMessage, messages())
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE" if engine.dialect.name == "postgresql" else "ANALYZE"))


def measure(url: str) -> None:
    database = Database(url)
    with Session(database.read) as session:
        account = session.get_one(Account, 1)
        for name, tree in TREES.items():
            found = compile_tree(
                account, tree, look_up(session, account, tree), clock.now(), session.get_bind().dialect.name
            )
            times = []
            for _each in range(3):
                started = time.monotonic()
                counted = count(session, found, 60)
                times.append(time.monotonic() - started)
            started = time.monotonic()
            newest(session, found, 10, seconds=60)
            print(f"{name:14} {counted:>9,}  count {min(times) * 1000:6.0f} ms  sample "
                  f"{(time.monotonic() - started) * 1000:6.0f} ms", flush=True)  # fmt: skip
    with Session(database.write) as session:
        account = session.get_one(Account, 1)
        temporary = "CREATE TEMPORARY TABLE frozen (follower_id bigint)"
        session.execute(text(temporary))
        segment = Segment(id=0, account_id=1, conditions=TREES["never_wrote"] | {"all": [TREES["active"]["all"][0]]})
        found = segments.query(session, account, segment)
        compiled = found.compile(session.get_bind(), compile_kwargs={"render_postcompile": True})
        started = time.monotonic()
        session.connection().exec_driver_sql(f"INSERT INTO frozen {compiled}", _values(compiled))
        print(
            f"snapshot of {session.scalar(text('SELECT count(*) FROM frozen')):,}: {time.monotonic() - started:.2f} s"
        )
        session.rollback()


def _values(compiled: Any) -> Any:
    return compiled.params if not compiled.positional else tuple(compiled.params[each] for each in compiled.positiontup)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--seed", action="store_true")
    parser.add_argument("--followers", type=int, default=1_000_000)
    given = parser.parse_args()
    if given.seed:
        seed(given.url, given.followers)
    measure(given.url)
