"""The database is busy, restarted, or held: WeChat is told to ask again, and nothing is lost or marked as failed."""

import sqlite3
from contextlib import ExitStack, closing

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from bot import database
from models import Follower, InboundMessage
from tests.flows.phone import Phone
from tests.wechat.samples import sample


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_busy_database_is_told_as_such_and_the_repeat_is_answered(
    database_kind, client, create, session, database_url
):
    account = create.account()
    create.rule(account, "hello", "Hi!")
    phone = Phone(account, client)
    assert phone.say("hello") == "Hi!"
    busy = sqlite3.connect(database_url.removeprefix("sqlite:///"))
    busy.execute("BEGIN IMMEDIATE")  # not through the gate: somebody else's program
    engine = database.database().inbound
    with database.database().kept_connection() as connection:
        connection.connection.driver_connection.execute("PRAGMA busy_timeout=50")

    phone.last = phone.last.replace("<MsgId>", "<MsgId>1")
    status, body = phone.way(*phone.post.sealed(phone.last))
    assert (status, body) == (503, b"The database is busy; try again.")

    busy.rollback()
    busy.close()
    assert phone.again() == "Hi!"
    assert session.scalar(select(func.count(InboundMessage.id))) == 2
    assert engine is database.database().inbound


@pytest.mark.databases
def test_without_a_free_connection_wechat_is_told_to_ask_again(client, create, session, database_url, monkeypatch):
    """And the message is not kept as one on which a handler failed."""
    monkeypatch.setattr(database, "POOL_SECONDS", 0.05)
    database.forget()
    account = create.account()
    create.rule(account, "hello", "Hi!")
    phone = Phone(account, client)
    assert phone.say("hello") == "Hi!"
    pool = database.database().inbound.pool
    with ExitStack() as taken:
        for _ in range(database.KEPT):  # those at hand for the webhook
            taken.enter_context(database.database().kept_connection())
        for _ in range(48 - pool.checkedout()):
            taken.enter_context(closing(pool.connect()))
        phone.last = phone.last.replace("<MsgId>", "<MsgId>1")
        assert phone.way(*phone.post.sealed(phone.last)) == (503, b"The database is busy; try again.")

    assert phone.again() == "Hi!"
    assert session.scalar(select(func.count()).where(InboundMessage.flag == "failed")) == 0


@pytest.mark.databases
def test_an_error_holds_nothing_that_people_wrote(create, database_url):
    account = create.account()
    create.follower(account, openid="o1")

    with pytest.raises(IntegrityError) as caught, database.transaction() as own:
        own.add(Follower(account_id=account.id, openid="o1", remark="what nobody else may read"))

    assert "what nobody else may read" not in str(caught.value)


only_postgresql = pytest.mark.parametrize("database_kind", ["postgresql"])


@only_postgresql
def test_a_restart_of_postgresql_costs_one_answer_at_most(database_kind, client, create, session):
    account = create.account()
    create.rule(account, "hello", "Hi!")
    phone = Phone(account, client)
    assert phone.say("hello") == "Hi!"
    session.execute(
        text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    )
    session.commit()

    statuses = []
    for number in range(4):
        phone.last = sample("image", phone.openid, account.original_id, msgid=number)
        statuses.append(phone.way(*phone.post.sealed(phone.last))[0])

    assert set(statuses) <= {200, 503}
    assert statuses[-2:] == [200, 200]
    session.rollback()
    assert session.scalar(select(func.count()).where(InboundMessage.flag == "failed")) == 0


@only_postgresql
def test_a_row_held_too_long_is_told_as_busy(database_kind, client, create, session):
    """A first attempt that never ends: the repeat gives up before WeChat does, and nothing is lost."""
    account = create.account()
    create.rule(account, "hello", "Hi!")
    phone = Phone(account, client)
    assert phone.say("hello") == "Hi!"
    session.execute(select(Follower).with_for_update()).all()
    with database.database().kept_connection() as connection:
        connection.exec_driver_sql("SET lock_timeout = 100")
        connection.commit()

    phone.last = phone.last.replace("<MsgId>", "<MsgId>1")
    status, _ = phone.way(*phone.post.sealed(phone.last))
    session.rollback()

    assert status == 503
    assert phone.again() == "Hi!"
    assert session.scalar(select(func.count()).where(InboundMessage.flag == "failed")) == 0
