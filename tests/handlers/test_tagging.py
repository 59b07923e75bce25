"""Tags that followers get by themselves: with the message, once, whoever answers, and at no cost where none fits."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event, select

from bot import database
from bot.database import reading, transaction
from bot.services import auto_tags, conversations, tags
from bot.services.auto_tags import AutoTagDraft
from models import Account, Follower, FollowerEvent, FollowerTag, TagPush
from tests.flows.phone import Phone


@pytest.fixture
def auto(account, session):
    def auto(trigger: str, pattern: str = "", tag: str = "VIP", mode: str = "contains") -> None:
        with transaction() as own:
            found = own.get_one(Account, account.id)
            made = tags.find_or_add(own, found, tag)
            auto_tags.save(own, found, AutoTagDraft(trigger=trigger, pattern=pattern, mode=mode, tag_id=made.id))

    session.commit()
    return auto


def given() -> list[str]:
    """The names of all tags that somebody has."""
    with reading() as session:
        return [tag.name for follower in session.scalars(select(Follower)) for tag in follower.tags]


def count(table) -> int:
    with reading() as session:
        return len(session.scalars(select(table.id).where(table.follower_id.is_not(None))).all())


@pytest.mark.databases
@pytest.mark.parametrize(
    ("trigger", "pattern", "act"),
    [
        ("keyword", "价格", lambda phone: phone.say("请问价格？")),
        ("click", "price", lambda phone: phone.happen("CLICK", "price")),
        ("scan", "shop-", lambda phone: phone.happen("SCAN", "shop-12")),
        ("scan", "shop-", lambda phone: phone.happen("subscribe", "qrscene_shop-12")),
        ("follow", "", lambda phone: phone.happen("subscribe", "")),
    ],
)
def test_each_trigger_gives_its_tag_once(phone, auto, last, trigger, pattern, act):
    auto(trigger, pattern)
    act(phone)
    phone.again()

    assert given() == ["VIP"]
    assert (count(FollowerTag), count(FollowerEvent), count(TagPush)) == (1, 1, 1)
    assert {"handler": "tagging", "why": "The follower was given this tag.", "title": "VIP"} in last().trace
    act(phone)
    assert (count(FollowerTag), count(FollowerEvent), count(TagPush)) == (1, 1, 1)


def test_nothing_is_given_where_nothing_fits(phone, auto):
    auto("keyword", "价格")
    auto("click", "price")
    phone.say("你好")
    phone.happen("CLICK", "other")
    phone.happen("VIEW", "price")
    assert given() == []


def test_whoever_answers(phone, auto, session, account):
    auto("keyword", "价格")
    phone.say("你好")
    with transaction() as own:
        conversations.take(own, own.get_one(Account, account.id), own.scalars(select(Follower)).one())
    assert phone.say("价格") == ""
    assert given() == ["VIP"]


def test_a_rule_for_those_who_have_the_tag_answers_at_once(phone, auto, account, create):
    auto("keyword", "会员")
    with reading() as session:
        tag_id = tags.list_all(session, account)[0].id
    create.rule(account, "会员", "欢迎", tag_id=tag_id)
    assert phone.say("会员") == "欢迎"


def test_a_change_counts_from_the_next_message_on(phone, auto, account):
    auto("keyword", "a")
    phone.say("b")
    auto("keyword", "b", tag="B")
    phone.say("b")
    assert given() == ["B"]
    with transaction() as session:
        found = session.get_one(Account, account.id)
        tags.delete(session, found, tags.find(session, found, "B"))
    phone.say("b")
    assert given() == []


@pytest.mark.parametrize("database_kind", ["sqlite"])  # only its driver tells the statements
def test_a_message_that_fits_nothing_costs_no_statement_more(phone, auto, account):
    statements: list[str] = []

    def trace(connection, _record) -> None:
        connection.set_trace_callback(statements.append)

    event.listen(database.database().inbound, "connect", trace)

    def cost() -> int:
        phone.say("你好")
        statements.clear()
        phone.say("你好")
        return len(statements)

    before = cost()
    auto("keyword", "价格")
    assert cost() == before > 3
    phone.say("价格")
    statements.clear()
    phone.say("价格")  # has it already: one insert that changes nothing
    assert len(statements) == before + 1


@pytest.mark.databases
def test_two_at_once_tag_once(account, client, auto, redis, app):
    auto("keyword", "价格")
    phones = [Phone(account, app.test_client(), openid="o" * 28) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda phone: phone.say("价格"), phones))
    assert (count(FollowerTag), count(FollowerEvent), count(TagPush)) == (1, 1, 1)
