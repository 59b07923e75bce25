"""A handler that raises: logged, rolled back, answered with silence, and the next message works."""

import pytest
from sqlalchemy import func, select, text

import handlers
from bot.services import conversations
from bot.wechat.messages import Text
from models import Conversation, Follower, InboundMessage, ReplyWindow, Send, Tag

SECRET = "what the follower wrote"


@pytest.fixture
def breaks(monkeypatch):
    """The first handler changes things, then fails."""

    def broken(incoming):
        if SECRET in incoming.message.text:
            writer = incoming.writer.id
            conversations.open_for(incoming.session, incoming.account.id, writer, 60, incoming.now, is_waiting=True)
            incoming.connection.execute(text("INSERT INTO messages (id) VALUES (1)"))

    monkeypatch.setattr(handlers, "HANDLERS", (broken, *handlers.HANDLERS))


@pytest.mark.databases
def test_is_answered_with_silence_and_nothing_of_it_stays(breaks, phone, create, account, session, last):
    create.rule(account, trigger="default", replies=[{"kind": "text", "text": text} for text in "ab"])

    assert phone.say(SECRET) == ""

    assert last().flag == "failed"
    assert last().reply is None
    assert last().trace
    assert session.scalar(select(func.count(Conversation.id))) == 0
    assert session.scalar(select(func.count(Send.id))) == 0
    assert session.scalars(select(Follower)).one().silent_until is None
    assert session.scalar(select(ReplyWindow.left)) == 5  # they did write
    session.commit()

    assert phone.again() == phone.again() == ""
    assert phone.say("hello") == "a"
    assert session.scalars(select(InboundMessage.flag).order_by(InboundMessage.id)).all() == ["failed", ""]


def test_is_logged_once_without_what_was_written(breaks, phone, caplog):
    for _ in range(2):
        phone.say(SECRET) if not phone.last else phone.again()

    records = [record for record in caplog.records if "handler.failed" in record.getMessage()]
    assert len(records) == 1
    assert SECRET not in caplog.text
    assert phone.openid not in caplog.text
    assert "IntegrityError" in caplog.text


@pytest.mark.databases
def test_other_messages_of_the_moment_are_answered(breaks, phone, create, account, session):
    create.rule(account, trigger="default", reply="a")

    said = [phone.say(text) for text in (SECRET, "x", SECRET, "y", SECRET, "z")]

    assert said == ["", "a"] * 3
    assert session.scalar(select(func.count(InboundMessage.id))) == 6


@pytest.mark.databases
def test_what_a_handler_only_added_is_kept_and_what_does_not_fit_fails_it(phone, account, session, monkeypatch, last):
    def adds(incoming):
        incoming.session.add(Tag(account_id=account.id, name=incoming.message.text))
        return [Text(text="tagged")]

    monkeypatch.setattr(handlers, "HANDLERS", (adds,))

    assert phone.say("VIP") == "tagged"
    assert phone.say("VIP") == ""  # the name is taken
    assert last().flag == "failed"
    assert session.scalars(select(Tag.name)).all() == ["VIP"]
