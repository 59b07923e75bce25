"""Outside the opening hours, and where WeChat itself answers whoever asks for a person."""

import pytest
from sqlalchemy import select

from bot.database import transaction
from bot.services import conversations
from models import Conversation, ConversationStatus, Desk, Follower, JournalEntry
from tests.flows.phone import Phone, set_clock

NINE_TO_SIX = {"days": {day: [["09:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}}


@pytest.fixture
def shop(create):
    account = create.account("shop", opening_hours=NINE_TO_SIX, away_reply="明早再来：{{opens}}")
    create.rule(account, trigger="default", reply="bot")
    return account


@pytest.fixture
def phone(shop, client, redis):
    return Phone(shop, client)


def talk(session) -> Conversation:
    session.rollback()
    return session.scalars(select(Conversation)).one()


def test_within_the_hours_a_person_is_called(phone, shop):
    set_clock("2026-11-25 17:59")

    assert phone.say("人工") == shop.human_reply
    assert phone.say("hello") == ""


@pytest.mark.parametrize(
    ("now", "opens"),
    [("2026-11-25 18:00", "11-26 09:00"), ("2026-11-26 08:59", "09:00"), ("2026-11-28 12:00", "11-30 09:00")],
)
def test_outside_it_says_when_somebody_is_there_and_the_bot_goes_on(phone, session, now, opens):
    set_clock(now)

    assert phone.say("人工") == f"明早再来：{opens}"
    assert phone.say("hello") == "bot"
    assert talk(session).status is ConversationStatus.QUEUED
    assert talk(session).waiting_since


def test_what_is_written_meanwhile_is_in_the_queue_and_must_be_read(phone, session):
    set_clock("2026-11-25 20:00")
    phone.say("人工")
    phone.say("Where is my order?")

    found = talk(session)
    assert found.preview == "Where is my order?"
    said = session.scalars(select(JournalEntry.seq).where(JournalEntry.kind == "wrote")).all()
    assert found.said_seq == said[-1]


def test_whoever_takes_it_silences_the_bot(phone, shop, session):
    set_clock("2026-11-25 20:00")
    phone.say("人工")

    with transaction() as own:
        conversations.take(own, shop, own.scalars(select(Follower)).one())

    assert phone.say("hello") == ""


def test_who_asks_again_in_the_morning_gets_a_person(phone, shop, session):
    set_clock("2026-11-25 20:00")
    phone.say("人工")
    set_clock("2026-11-26 09:00")

    assert phone.say("人工") == shop.human_reply
    assert phone.say("hello") == ""
    assert talk(session).is_open


@pytest.mark.parametrize(
    ("desk", "kind"), [(Desk.WECHAT, "transfer_customer_service"), (Desk.WECHAT_AI, "transfer_biz_ai_ivr")]
)
def test_wechats_own_desk_gets_who_asks(create, client, redis, session, desk, kind):
    phone = Phone(create.account("shop", desk=desk), client)

    assert phone.say("人工")["MsgType"] == kind
    assert session.scalars(select(Conversation)).all() == []
