"""An install of the first release keeps all it has through every later migration."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from alembic import command
from alembic.config import Config
from sqlalchemy import MetaData, Table, insert, select

import models
from bot import clock, migrations
from bot.settings import settings

ALL = {"is_enabled": True, "is_active": True, "is_subscribed": True}


@pytest.fixture
def url(database_url: str) -> str:
    """The database without any table."""
    if database_url.startswith("sqlite"):  # a full-text index's own tables cannot be dropped one by one
        Path(database_url.removeprefix("sqlite:///")).unlink()
        return database_url
    engine = sqlalchemy.create_engine(database_url)
    meta = MetaData()
    meta.reflect(engine)
    meta.drop_all(engine)
    engine.dispose()
    return database_url


def to(url: str, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", f"{models.__path__[0]}/migrations")
    config.attributes["url"] = url
    command.upgrade(config, revision)


def put(connection: sqlalchemy.Connection, into: str, **values: Any) -> int:
    """A row with something in every column that needs it."""
    table = Table(into, MetaData(), autoload_with=connection)
    for column in table.columns:
        if column.nullable or column.name in values or column.primary_key:
            continue
        kind = column.type
        if column.name in ALL:
            values[column.name] = ALL[column.name]
        elif isinstance(kind, sqlalchemy.Boolean):
            values[column.name] = False
        elif isinstance(kind, sqlalchemy.DateTime):
            values[column.name] = clock.now()
        elif isinstance(kind, sqlalchemy.JSON):
            values[column.name] = []
        else:
            values[column.name] = 1 if isinstance(kind, sqlalchemy.Integer) else ""
    return int(connection.execute(insert(table).values(**values).returning(table.c.id)).scalar_one())


@pytest.mark.databases
def test_what_the_first_release_kept_is_there_after_all_migrations(url: str) -> None:
    to(url, "0001")
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        account = put(connection, "accounts", slug="shop", kind="service", mode="safe", timezone="Asia/Shanghai")
        operator = put(connection, "operators", name="owner")
        follower = put(connection, "followers", account_id=account, openid="o1", remark="李娜")
        tag = put(connection, "tags", account_id=account, name="VIP")
        put(connection, "follower_tags", follower_id=follower, tag_id=tag)
        put(connection, "rules", account_id=account, title="hello", trigger="keyword", reply_mode="all", tag_id=tag,
            keywords=[{"mode": "exact", "text": "你好"}], replies=[{"kind": "text", "text": "您好"}])  # fmt: skip
        put(connection, "messages", account_id=account, openid="o1", follower_id=follower, dedup_key="1", kind="text")
        put(connection, "menus", account_id=account, buttons=[{"type": "click", "name": "A", "key": "A"}])
        put(connection, "audit_records", account_id=account, operator_id=operator, action="rules.edit")
        before = counts(connection)
    migrations.upgrade(settings())

    with engine.begin() as connection:
        after = counts(connection)
        assert {name for name, count in before.items() if after.get(name, 0) < count} == set()
        live = Table("rule_versions", MetaData(), autoload_with=connection)
        content = connection.execute(select(live.c.content).where(live.c.account_id == account)).scalar_one()
        assert [(one["title"], one["tag_id"]) for one in content] == [("hello", tag)]  # what answered goes on answering
    engine.dispose()


def counts(connection: sqlalchemy.Connection) -> dict[str, int]:
    meta = MetaData()
    meta.reflect(connection)
    return {
        table.name: connection.execute(select(sqlalchemy.func.count()).select_from(table)).scalar_one()
        for table in meta.sorted_tables
        if table.name != "alembic_version"
    }
