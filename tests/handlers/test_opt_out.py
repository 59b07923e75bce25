from collections.abc import Callable

import pytest
from sqlalchemy import event, select

from bot import database
from bot.services import accounts, followers
from bot.webhook import forget
from models import Account, Follower, FollowerEvent
from tests.flows.phone import Phone, wait


@pytest.fixture
def who(session) -> Callable[[], Follower]:
    def who() -> Follower:
        session.commit()
        found = session.scalars(select(Follower).execution_options(populate_existing=True)).one()
        session.commit()  # SQLite: others write only then
        return found

    return who


def told(session) -> list[tuple[str, dict[str, str], str]]:
    """The lines in the timeline."""
    session.commit()
    found = [(each.kind, each.detail, each.who) for each in session.scalars(select(FollowerEvent))]
    session.commit()
    return found


@pytest.mark.databases
@pytest.mark.parametrize("words", ["退订", "退訂", " 退订 ", "TD", "td", "ＴＤ"])
def test_who_writes_the_word_gets_no_campaigns_any_more(phone, account, session, who, last, words):
    assert phone.say(words) == account.opt_out_reply

    assert who().opted_out_at
    assert told(session) == [("opted_out", {"word": words.strip()}, "")]
    assert last().trace == [{"handler": "opt_out", "why": "The follower wants no campaigns any more."}]


@pytest.mark.parametrize("words", ["怎么退订", "退订？", "TDS", "订阅", "hello"])
def test_other_texts_do_not(phone, session, who, words):
    assert phone.say(words) == ""
    assert who().opted_out_at is None
    assert told(session) == []


def test_it_comes_before_every_rule(phone, account, create, who):
    create.rule(account, "退订", "rule", mode="contains")
    assert phone.say("退订") == account.opt_out_reply
    assert phone.say("不想退订") == "rule"


def test_a_person_in_charge_does_not_swallow_it(phone, account, who):
    phone.say("人工")
    silent = who().silent_until
    wait(10)

    assert phone.say("退订") == account.opt_out_reply
    assert who().opted_out_at
    assert who().silent_until == silent  # the person is still in charge
    assert phone.say("hello") == ""


def test_who_wants_them_again_gets_them(phone, account, session, who, last):
    phone.say("退订")

    assert phone.say("订阅") == account.opt_in_reply
    assert who().opted_out_at is None
    assert told(session)[1:] == [("opted_in", {"word": "订阅"}, "")]
    assert last().trace == [{"handler": "opt_out", "why": "The follower wants campaigns again."}]


def test_the_word_to_come_back_is_an_ordinary_one_for_who_never_left(phone, account, create):
    create.rule(account, "订阅", "What would you like to subscribe to?")
    assert phone.say("订阅") == "What would you like to subscribe to?"
    phone.say("退订")
    assert phone.say("订阅") == account.opt_in_reply
    assert phone.say("订阅") == "What would you like to subscribe to?"


def test_said_twice_it_is_answered_twice_and_holds_from_the_first_time(phone, account, session, who):
    phone.say("退订")
    since = who().opted_out_at
    wait(60)

    assert phone.say("TD") == account.opt_out_reply
    assert who().opted_out_at == since
    assert len(told(session)) == 1


def test_it_commits_with_the_message_or_not_at_all(phone, account, session, who, monkeypatch):
    def broken(*_: object) -> None:
        raise RuntimeError("after the handler")

    monkeypatch.setattr("bot.webhook._fitting", broken)
    phone.say("退订")
    assert who().opted_out_at is None
    assert told(session) == []


def test_without_words_it_is_switched_off(phone, account, create, session, who):
    create.rule(account, trigger="default", reply="default")
    followers.set_opted_out(session, create.follower(account, openid=phone.openid), True, "林")
    accounts.update(session, account, {"opt_out_words": [], "opt_in_words": []})
    session.commit()
    forget()
    assert [phone.say(word) for word in ("退订", "TD", "订阅")] == ["default"] * 3
    assert who().opted_out_at


def test_each_account_has_words_and_answers_of_its_own(create, client, session, who, account, phone):
    own = create.account(
        "own", opt_out_words=["取消"], opt_out_reply="好的", opt_in_words=["恢复"], opt_in_reply="欢迎"
    )
    other = Phone(own, client)
    assert [other.say(word) for word in ("退订", "取消", "恢复")] == ["", "好的", "欢迎"]


@pytest.mark.parametrize("database_kind", ["sqlite"])  # only its driver tells the statements
def test_other_messages_cost_no_statement_more(phone, account, session):
    statements: list[str] = []

    def trace(connection, _record) -> None:
        connection.set_trace_callback(statements.append)

    event.listen(database.database().inbound, "connect", trace)

    def cost(text: str) -> int:
        phone.say("你好")
        statements.clear()
        phone.say(text)
        return len(statements)

    before = cost("你好")
    assert 3 < before < cost("退订")  # so the counting counts
    accounts.update(session, session.get_one(Account, account.id), {"opt_out_words": [], "opt_in_words": []})
    session.commit()
    forget()
    assert cost("你好") == before
