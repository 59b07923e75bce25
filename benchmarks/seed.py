"""A large account: followers with names, tags and stages, rules, and what was said in 90 days.

On PostgreSQL by COPY, with the indexes made afterwards: a quarter of the time.
"""

import random
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import islice
from typing import Any

from rich.progress import Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import Connection, Engine, insert, text
from sqlalchemy.orm import Session

from benchmarks.webhook import make_rules
from bot import clock
from bot.services import access, accounts, name_search, operators, rule_versions
from models import Account, Base, Conversation, Follower, FollowerTag, InboundMessage, NameTerm, Role, Rule, Stage, Tag

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余"
GIVEN = "伟芳娜敏静秀英丽强磊军洋勇艳杰娟涛明超兰霞平刚桂芝玉萍红梅建国志文华海燕晓小雨子涵梓轩浩宇欣怡诗佳俊思博"
TEXTS = ("你好", "营业时间", "价格", "地址在哪里", "有优惠吗", "怎么预订", "谢谢", "周六晚上还有包间吗？")
MINUTES = 90 * 24 * 60
TAGS, STAGES, KEYS, WAITING = 20, 5, 12, 200


def fill(engine: Engine, followers: int, messages: int, rules: int) -> str:
    """Write it into an empty database; returns an owner's cookie for the console.  The account is "big"."""
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        if engine.dialect.name == "postgresql":
            for setting in ("session_replication_role = replica", "maintenance_work_mem = '1GB'"):  # no foreign keys
                session.execute(text(f"SET LOCAL {setting}"))
        account = accounts.create(session, "big", title="云上茶舍")
        owner = operators.create(session, "owner", "")
        access.give(session, owner, Role.OWNER, None)
        cookie = operators.sign_in(session, owner, "Benchmark")
        session.add_all(Tag(account_id=account.id, name=f"标签 {at}") for at in range(TAGS))
        session.add_all(Stage(account_id=account.id, name=f"阶段 {at}", position=at) for at in range(STAGES))
        _write(session, Rule, _rules(account, rules))
        rule_versions.publish(session, account, None, "开张")
        _write(session, Follower, _followers(account, followers))
        _write(session, FollowerTag, ({"follower_id": n, "tag_id": n % TAGS + 1} for n in range(1, followers + 1)))
        _write(session, NameTerm, _terms(account, followers))
        _write(session, InboundMessage, _messages(account, followers, messages, rules))
        _write(session, Conversation, ({"account_id": account.id, "follower_id": n} for n in range(1, WAITING)))
        session.commit()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "postgresql":
            for table in ("rules", "followers"):  # their ids were given here
                connection.execute(text(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))"))
        connection.exec_driver_sql("VACUUM ANALYZE" if engine.dialect.name == "postgresql" else "ANALYZE")
    return cookie


def _write(session: Session, table: type[Base], rows: Iterable[dict[str, Any]]) -> None:
    left, connection = iter(rows), session.connection()
    write = _copy if connection.dialect.name == "postgresql" else _insert
    indexes = list(table.metadata.tables[table.__tablename__].indexes) if write is _copy else []
    for index in indexes:
        index.drop(connection)
    with Progress("{task.description}", TextColumn("{task.completed:,}"), TimeElapsedColumn()) as progress:
        shown = progress.add_task(table.__tablename__, total=None)
        while some := list(islice(left, 10_000)):
            write(connection, table, some)
            progress.update(shown, advance=len(some))
    for index in indexes:
        index.create(connection)


def _insert(connection: Connection, table: type[Base], rows: list[dict[str, Any]]) -> None:
    connection.execute(insert(table), rows)


def _copy(connection: Connection, table: type[Base], rows: list[dict[str, Any]]) -> None:
    """What an insert would write, with the columns' own defaults."""
    columns = table.metadata.tables[table.__tablename__].columns
    missing = [column for column in columns if column.name not in rows[0] and column.default is not None]
    names = [*rows[0], *(column.name for column in missing)]
    defaults = [column.default.arg for column in missing]
    as_sent = [columns[name].type.dialect_impl(connection.dialect).bind_processor(connection.dialect) for name in names]
    driver: Any = connection.connection.driver_connection
    with driver.cursor().copy(f"COPY {table.__tablename__} ({', '.join(names)}) FROM STDIN") as copy:
        for row in rows:
            values = [*row.values(), *(value(None) if callable(value) else value for value in defaults)]
            copy.write_row([send(value) if send else value for send, value in zip(as_sent, values, strict=True)])


def _name(n: int) -> str:
    dice = random.Random(n)
    return dice.choice(SURNAMES) + "".join(dice.choices(GIVEN, k=dice.choice((1, 2, 2, 2))))


def _openid(n: int) -> str:
    return f"o{n:027d}"


def _rules(account: Account, count: int) -> Iterator[dict[str, Any]]:
    for at, (mode, word, reply) in enumerate(make_rules(count), start=1):
        yield {
            "id": at,
            "account_id": account.id,
            "title": word[:64],
            "position": at,
            "keywords": [{"mode": mode, "text": word}],
            "replies": [{"kind": "text", "text": reply}],
        }


def _followers(account: Account, count: int) -> Iterator[dict[str, Any]]:
    now = clock.now()
    for n in range(1, count + 1):
        at = now - timedelta(minutes=n * 7 % MINUTES)
        yield {
            "id": n,
            "account_id": account.id,
            "openid": _openid(n),
            "remark": _name(n),
            "is_subscribed": n % 10 != 0,
            "subscribed_at": at,
            "seen_at": at,
            "wrote_at": at,
            "stage_id": n % STAGES + 1 if n % 3 == 0 else None,
        }


def _terms(account: Account, count: int) -> Iterator[dict[str, Any]]:
    for n in range(1, count + 1):
        for term in name_search.terms(_name(n)):
            yield {"account_id": account.id, "follower_id": n, "term": term}


def _messages(account: Account, followers: int, count: int, rules: int) -> Iterator[dict[str, Any]]:
    now = clock.now()
    for n in range(count):
        who, is_tap = n * 7919 % followers + 1, n % 5 == 0
        yield {
            "account_id": account.id,
            "openid": _openid(who),
            "dedup_key": str(n),
            "follower_id": who,
            "kind": "event" if is_tap else "text",
            "event": "click" if is_tap else "",
            "key": f"menu-{n % KEYS}" if is_tap else "",
            "text": "" if is_tap else TEXTS[n % len(TEXTS)],
            "received_at": now - timedelta(minutes=(count - n) * MINUTES / count),
            "reply": {"kind": "text", "text": "好的，马上为您查询。"},
            "rule_id": n % rules + 1 if n % 4 else None,
            "trace": [],
        }
