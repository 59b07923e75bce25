import pytest
from sqlalchemy import select

from bot import clock
from bot.database import transaction
from bot.errors import NotFound
from bot.services import conversation_queues, conversations, followers, messages, sends
from bot.services.conversation_queues import Queue
from bot.wechat.messages import Text
from models import InboundMessage
from tests.flows.phone import Phone, wait


@pytest.fixture
def account(create):
    account = create.account()
    create.rule(account, "all", replies=[{"kind": "text", "text": text} for text in ("one", "two")])
    return account


@pytest.fixture
def phone(account, client, redis):
    return Phone(account, client)


@pytest.mark.databases
def test_the_timeline_shows_both_sides_in_order(account, phone, session):
    start = clock.now()
    phone.say("all")
    wait(5)
    phone.happen("CLICK", "KEY")
    wait(5)
    phone.say("人工")
    [follower] = followers.page(session, account)
    [talk] = conversation_queues.page(session, account, Queue.OPEN)
    wait(5)
    conversations.reply(session, account, talk, None, Text(text="Here I am"))
    session.commit()

    turns = messages.timeline(session, account, follower)

    assert [turn.text for turn in turns] == ["all", "one", "two", "KEY", "人工", account.human_reply, "Here I am"]
    assert [turn.side for turn in turns][:4] == ["follower", "bot", "bot", "follower"]
    assert messages.timeline(session, account, follower, before=start) == []
    assert len(messages.timeline(session, account, follower, limit=2)) == 2


def test_pages_newest_first_and_of_one_account(account, phone, create, session):
    for text in "abc":
        phone.say(text)

    page = messages.page(session, account, limit=2)
    assert [row.text for row in page] == ["c", "b"]
    assert [row.text for row in messages.page(session, account, before=page[-1].id)] == ["a"]
    assert messages.count_since(session, account, clock.now()) == 0
    theirs = create.account("theirs")
    assert messages.page(session, theirs) == []
    with pytest.raises(NotFound):
        messages.get(session, theirs, page[0].id)
    with pytest.raises(NotFound):
        sends.get(session, theirs, 1)


@pytest.mark.parametrize("database_kind", ["sqlite"])  # it plans without statistics
def test_reports_are_looked_up_by_whom_they_are_about(database_url):
    """In the seconds since a claim an account may get thousands of reports, which each claim would read."""
    reports = select(InboundMessage.openid, InboundMessage.received_at, InboundMessage.fields).where(
        InboundMessage.account_id == 1, InboundMessage.openid.in_(["a"] * 128), InboundMessage.event == "x"
    )
    with transaction() as session:
        text = reports.compile(session.connection(), compile_kwargs={"literal_binds": True})
        steps = [row.detail for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")]
    assert any("openid=?" in step for step in steps), steps
