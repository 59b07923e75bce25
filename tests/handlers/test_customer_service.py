from datetime import timedelta

import pytest
from sqlalchemy import select

from bot import clock
from bot.services import conversations
from bot.wechat.messages import Text
from models import Conversation, Follower
from tests.flows.phone import Phone, wait


@pytest.fixture(autouse=True)
def rule(create, account):
    create.rule(account, trigger="default", reply="bot")
    create.rule(account, "price", "99")


@pytest.fixture
def talk(session):
    def talk() -> Conversation:
        session.commit()
        found = session.scalars(
            select(Conversation).order_by(Conversation.id.desc()).execution_options(populate_existing=True)
        ).first()
        session.commit()  # SQLite: others write only then
        return found

    return talk


@pytest.mark.parametrize(
    "words", ["人工", "转人工", "轉人工", "客服", " 人工客服 ", "human", "HUMAN", "Agent", "ｈｕｍａｎ", "ＡＧＥＮＴ　"]
)
def test_opens_a_conversation_for_who_asks_for_a_person(phone, account, talk, words):
    assert phone.say(words) == account.human_reply

    assert talk().is_open
    assert talk().waiting_since


@pytest.mark.parametrize("words", ["人工智能", "humans", "no agent please", "客服在吗"])
def test_other_texts_do_not(phone, talk, words):
    assert phone.say(words) == "bot"
    assert talk() is None


def test_the_bot_is_silent_while_a_person_is_in_charge(phone, talk, last):
    phone.say("人工")
    asked = talk().waiting_since
    wait(10)

    said = [
        phone.say("price"),
        phone.say("人工"),
        phone.happen("CLICK", "KEY"),
        phone.happen("SCAN", "1"),
        phone.send("image"),
    ]

    assert said == [""] * 5
    assert talk().waiting_since == asked  # from the first message that nobody answered
    assert talk().updated_at > asked
    assert last().trace == [{"handler": "customer_service", "why": "A person is in charge."}]


def test_a_tap_is_nothing_that_a_person_must_answer(phone, account, session, talk):
    phone.say("人工")
    conversations.reply(session, account, talk(), None, Text(text="Here I am"))
    session.commit()

    phone.happen("CLICK", "KEY")
    assert talk().waiting_since is None
    phone.say("Thank you")
    assert talk().waiting_since


def test_the_bot_answers_again_when_handed_back(phone, account, session, talk):
    phone.say("人工")

    conversations.hand_back(session, account, talk())
    session.commit()

    assert phone.say("price") == "99"
    assert talk().closed_why == "handed_back"


def test_the_bot_answers_again_after_the_time(phone, account, talk):
    phone.say("人工")
    wait(account.handover_minutes * 60 - 5)
    assert phone.say("price") == ""
    wait(10)

    assert phone.say("price") == "99"
    assert talk().closed_why == "timed_out"


def test_a_persons_answer_keeps_it_silent_for_another_while(phone, account, session, talk):
    phone.say("人工")
    wait(account.handover_minutes * 60 - 5)
    conversations.reply(session, account, talk(), None, Text(text="One moment"))
    session.commit()
    wait(60)

    assert phone.say("price") == ""


def test_who_asks_again_later_gets_another_conversation(phone, account, session, talk):
    phone.say("人工")
    wait(account.handover_minutes * 60 + 5)

    assert phone.say("人工") == account.human_reply
    assert talk().is_open
    session.rollback()
    assert len(session.scalars(select(Conversation)).all()) == 2


def test_other_followers_are_still_answered(phone, account, client):
    phone.say("人工")

    assert Phone(account, client).say("price") == "99"


def test_an_account_has_words_and_an_answer_of_its_own(create, client, session, talk):
    account = create.account("own", human_words=["找小林"], human_reply="小林马上来", handover_minutes=5)
    phone = Phone(account, client)

    assert phone.say("人工") == ""
    assert phone.say("找小林") == "小林马上来"
    session.rollback()
    until = session.scalars(select(Follower)).one().silent_until
    assert timedelta(minutes=4) < until - clock.now() <= timedelta(minutes=5)
