import pytest
from sqlalchemy import select

from bot import clock
from bot.services import sends
from bot.wechat.messages import Text
from models import Conversation, Follower, ReplyWindow, SendStatus
from tests.flows.phone import wait


def follower(session) -> Follower:
    session.commit()
    found = session.scalars(select(Follower).execution_options(populate_existing=True)).one()
    session.commit()
    return found


def test_welcomes_a_new_follower(phone, create, account, session):
    create.rule(account, trigger="follow", reply="Welcome to {{account}}, {{nickname|friend}}!")

    assert phone.happen("subscribe", "") == "Welcome to 小店, friend!"

    assert follower(session).is_subscribed
    assert follower(session).subscribed_at
    assert follower(session).source == ""


def test_without_a_welcome_it_is_silent(phone, create, account, session):
    create.rule(account, trigger="default", reply="What?")

    assert phone.happen("subscribe") == ""
    assert follower(session).is_subscribed


def test_a_scanned_code_has_a_welcome_of_its_own(phone, create, account, session):
    create.rule(account, trigger="follow", reply="Welcome!")
    create.rule(account, trigger="scan", keywords=[{"text": "shop-7"}], reply="Welcome to shop 7!")

    assert phone.happen("subscribe", "qrscene_shop-7", Ticket="T") == "Welcome to shop 7!"
    assert follower(session).source == "shop-7"


def test_a_scanned_code_without_one_gets_the_general_welcome(phone, create, account, session):
    create.rule(account, trigger="follow", reply="Welcome!")

    assert phone.happen("subscribe", "qrscene_other") == "Welcome!"
    assert follower(session).source == "other"


def test_who_follows_again_is_welcomed_again(phone, create, account, session):
    create.rule(account, trigger="follow", reply="Welcome!")
    phone.happen("subscribe", "")
    wait(60)
    phone.happen("unsubscribe", "")
    wait(60)

    assert phone.happen("subscribe", "") == "Welcome!"
    assert follower(session).is_subscribed
    assert follower(session).unsubscribed_at is None


def test_who_leaves_is_marked_and_answered_with_silence(phone, create, account, session):
    create.rule(account, trigger="follow", reply="Welcome!")
    create.rule(account, trigger="default", reply="What?")
    phone.happen("subscribe", "")

    assert phone.happen("unsubscribe", "") == ""

    left = follower(session)
    assert not left.is_subscribed
    assert left.unsubscribed_at


def test_who_leaves_is_sent_nothing_more(phone, create, account, session):
    create.rule(account, "all", replies=[{"kind": "text", "text": text} for text in "abc"])
    phone.say("all")
    sending = sends.claim(session, 1)
    session.commit()

    phone.happen("unsubscribe", "")

    rows = [sends.get(session, account, number) for number in (1, 2)]
    session.refresh(rows[0])
    session.refresh(rows[1])
    assert sending
    assert [row.status for row in rows] == [
        SendStatus.SENDING,
        SendStatus.FAILED,
    ]  # what is under way cannot be stopped
    assert "no longer follows" in rows[1].error
    session.commit()


def test_what_is_ordered_for_who_left_fails_before_the_call(phone, create, account, session):
    phone.say("hello")
    phone.happen("unsubscribe", "")
    send = sends.create(session, account.id, follower(session).id, Text(text="Are you there?"))
    session.commit()

    assert sends.claim(session, send.id) is None

    session.refresh(send)
    assert (send.status, send.error) == (SendStatus.FAILED, sends.NOT_FOLLOWING)
    session.commit()


def test_windows_end_when_they_leave(phone, create, account, session):
    """WeChat forgets them: after a new follow only the follow's own three may be sent."""
    phone.say("hello")
    phone.happen("unsubscribe", "")
    wait(30)
    phone.happen("subscribe", "")

    allowed = sends.allowance(session, follower(session).id, clock.now())
    assert allowed.left == 3
    assert {window.trigger for window in session.scalars(select(ReplyWindow)) if window.left} == {"follow"}


@pytest.mark.databases
def test_who_writes_again_follows_though_their_return_was_never_told(phone, account, session):
    """WeChat tells of it three times within ten seconds; whoever was down then is not told again."""
    phone.happen("unsubscribe", "")
    wait(30)

    phone.say("hello")

    back = follower(session)
    send = sends.create(session, account.id, back.id, Text(text="Welcome back"))
    assert back.is_subscribed
    assert sends.claim(session, send.id)
    session.commit()


def test_what_they_wrote_before_they_left_brings_nobody_back(phone, session):
    written = int(clock.timestamp())
    wait(5)
    phone.happen("unsubscribe", "")
    wait(5)

    phone.say("hello", CreateTime=written)  # its third attempt

    assert not follower(session).is_subscribed


def test_leaving_closes_the_conversation(phone, session):
    phone.say("人工")

    phone.happen("unsubscribe", "")

    session.rollback()
    talk = session.scalars(select(Conversation)).one()
    assert not talk.is_open
    assert talk.closed_why == "unsubscribed"
    assert follower(session).silent_until is None


@pytest.mark.parametrize("event", ["subscribe", "SUBSCRIBE"])
def test_the_case_of_an_event_does_not_matter(phone, create, account, event):
    create.rule(account, trigger="follow", reply="Welcome!")

    assert phone.happen(event) == "Welcome!"
