"""A process dies at a named place outside of campaigns; another goes on, and nothing is lost or done twice."""

import signal
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import func, inspect, select

from bot import migrations
from bot.database import reading, transaction
from bot.jobs import tags as tag_jobs
from bot.jobs import tasks as jobs
from bot.services import accounts, audit, tag_pushes, tags, vault
from bot.settings import settings
from models import Account, AuditRecord, Base, FollowerTag, Tag, TagPush, Task, term_index
from tests import processes
from tests.jobs.desk import Desk
from tests.test_migrations import put, to, url  # noqa: F401 (a fixture)

pytestmark = pytest.mark.databases

NEW = "new-key-" * 8


@pytest.fixture
def die_at(monkeypatch) -> Callable[..., None]:
    """Run a function in a process that dies at a place; it must come by."""

    def die_at(place: str, act: Callable[..., Any], *arguments: Any) -> None:
        monkeypatch.setenv("LOBBY_TEST_KILL_AT", place)
        process = processes.start(act, *arguments)
        monkeypatch.delenv("LOBBY_TEST_KILL_AT")
        process.join(30)
        assert process.exitcode == -signal.SIGKILL, f"nobody came by {place}: {process.exitcode}"

    return die_at


# The outbox of tags ---------------------------------------------------------------------------------------------------


@pytest.fixture
def desk(create, redis, sim) -> Desk:
    account = create.account()
    sim.connect(account, "http://127.0.0.1:9")
    sim.post("followers", account=account.slug, count=3)
    for each in sim.get("followers", account=account.slug):
        create.follower(account, openid=each["openid"])
    return Desk(account, sim)


def give(account_id: int, tag_id: int) -> None:
    with transaction() as session:
        account = session.get_one(Account, account_id)
        ids = list(session.scalars(select(Base.metadata.tables["followers"].c.id)))
        tags.give(session, account, tags.get(session, account, tag_id), ids, "小美")


def push(account_id: int) -> None:
    tag_jobs.look(account_id)
    with reading() as session:
        task = session.scalars(select(Task.id).where(Task.kind == tag_pushes.KIND).order_by(Task.id.desc())).first()
    assert task is not None
    jobs.advance(task)


def go_on(desk: Desk) -> None:
    """The dead worker's lease ends, and another takes its task on."""
    desk.sim.wait(61)
    push(desk.account.id)


def test_k18_tags_are_given_with_their_outbox_or_not_at_all(desk, die_at):
    vip = desk.add("会员")
    desk.push()

    die_at("K18 after outbox insert", give, desk.account.id, vip.id)
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(FollowerTag)) == 0
        assert tag_pushes.waiting(session, desk.account) == 0

    give(desk.account.id, vip.id)
    push(desk.account.id)
    assert desk.here() == desk.there()
    assert len(desk.there()["会员"]) == 3


@pytest.mark.parametrize("calls_before", [0, 1])  # the tag itself, its followers
def test_k19_what_wechat_was_told_and_nobody_marked_is_told_again(desk, die_at, calls_before):
    vip = desk.add("会员")
    give(desk.account.id, vip.id)

    die_at(f"K19 after POST before mark:{calls_before + 1}", push, desk.account.id)
    with reading() as session:
        assert session.scalar(select(func.count()).where(TagPush.done_at.is_(None))) == 4 - calls_before
    go_on(desk)

    assert [tag["name"] for tag in desk.ask("tags/get")["tags"] if tag["id"] >= 100] == ["会员"]  # made once
    assert desk.here() == desk.there()
    assert len(desk.there()["会员"]) == 3
    with reading() as session:
        assert tag_pushes.waiting(session, desk.account) == 0


# The keys of secrets --------------------------------------------------------------------------------------------------


def rotate() -> None:
    """As `lobby account reseal` does."""
    while True:
        with transaction() as session:
            if not accounts.reseal(session, 2):
                return


@pytest.mark.parametrize("time", [1, 3, 8])
def test_k20_a_rotation_that_dies_leaves_all_secrets_readable(create, die_at, monkeypatch, time):
    old = settings().secret_key.get_secret_value()
    for number in range(5):
        create.account(slug=f"a{number}", secret=f"secret-{number}")
    monkeypatch.setenv("LOBBY_OLD_SECRET_KEYS", old)
    monkeypatch.setenv("LOBBY_SECRET_KEY", NEW)
    settings.cache_clear()

    die_at(f"K20 in key rotation:{time}", rotate)
    with reading() as session:
        found = list(session.scalars(select(Account).order_by(Account.slug)))
    assert [accounts.secret(account) for account in found] == [f"secret-{number}" for number in range(5)]
    assert not all(vault.is_current(account.sealed_secret) for account in found)

    rotate()
    monkeypatch.delenv("LOBBY_OLD_SECRET_KEYS")
    settings.cache_clear()
    vault.unseal.cache_clear()
    with reading() as session:
        found = list(session.scalars(select(Account).order_by(Account.slug)))
    assert [accounts.secret(account) for account in found] == [f"secret-{number}" for number in range(5)]


# The database's shape -------------------------------------------------------------------------------------------------


def migrate() -> None:
    migrations.upgrade(settings())


@pytest.mark.parametrize("time", [1, 5, 11])
def test_k22_a_migration_that_dies_has_not_happened(url, die_at, tmp_path, time):  # noqa: F811
    """Those before it have (on SQLite): the revision tells truly which."""
    to(url, "0001")
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        account = put(connection, "accounts", slug="shop", kind="service", mode="safe", timezone="Asia/Shanghai")
        put(connection, "tags", account_id=account, name="VIP")

    die_at(f"K22 in migration:{time}", migrate)
    died = shape(engine)
    whole = f"sqlite:///{tmp_path / 'whole.db'}"
    to(whole, died["revision"][0])
    reference = sqlalchemy.create_engine(whole)
    assert died == shape(reference)
    reference.dispose()
    migrate()

    with engine.begin() as connection:
        ours = MigrationContext.configure(connection, opts={"include_name": term_index.is_none})
        assert compare_metadata(ours, Base.metadata) == []
        assert connection.execute(select(Account.slug)).scalars().all() == ["shop"]
        assert connection.execute(select(Tag.name)).scalars().all() == ["VIP"]
    engine.dispose()


def shape(engine: sqlalchemy.Engine) -> dict[str, list[str]]:
    """Tables with their columns, and the revision."""
    found = inspect(engine)
    tables = {name: sorted(column["name"] for column in found.get_columns(name)) for name in found.get_table_names()}
    with engine.connect() as connection:
        revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
    return tables | {"revision": [revision]}


# What is recorded -----------------------------------------------------------------------------------------------------


def rename(account_id: int, tag_id: int) -> None:
    with transaction() as session:
        account = session.get_one(Account, account_id)
        tags.rename(session, account, tags.get(session, account, tag_id), "贵宾")
        audit.record(session, "tags.edit", "贵宾", account_id=account_id)


def test_k24_a_change_and_its_record_happen_together_or_not_at_all(create, redis, die_at):
    account = create.account()
    with transaction() as session:
        tag = tags.add(session, session.get_one(Account, account.id), "会员")

    die_at("K24 in audit append", rename, account.id, tag.id)
    assert stands() == (["会员"], [])

    rename(account.id, tag.id)
    assert stands() == (["贵宾"], [{"name": "贵宾"}])


def stands() -> tuple[list[str], list[Any]]:
    with reading() as session:
        records = select(AuditRecord.after).where(AuditRecord.action == "tags.edit")
        return list(session.scalars(select(Tag.name))), list(session.scalars(records))
