"""Customer-service messages: never beyond WeChat's windows, never twice, in order; the simulator is the referee."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot import clock
from bot.database import reading, transaction
from bot.jobs import sends as jobs
from bot.services import sends
from bot.wechat.messages import Text
from models import Follower, ReplyWindow, Send, SendStatus
from tests.flows.phone import Phone, wait


@pytest.fixture
def account(create, live, sim):
    account = create.account()
    sim.connect(account, live)
    return account


def trouble(sim, **fault) -> None:
    body = {"path": "/cgi-bin/message/custom/send", **fault}
    assert sim.http.post(f"{sim.address}/sim/faults", json=body, timeout=10).ok


def order(account, openid: str, count: int) -> list[int]:
    with transaction() as session:
        follower_id = session.scalar(select(Follower.id).where(Follower.openid == openid))
        return [sends.create(session, account.id, follower_id, Text(text=f"no {at}")).id for at in range(count)]


def rows() -> list[Send]:
    with reading() as session:
        return list(session.scalars(select(Send).order_by(Send.id)))


def statuses() -> list[str]:
    return [row.status.value for row in rows()]


def arrived(sim, account, openid: str) -> list[str]:
    return [each["text"] for each in sim.inbox(account, openid) if each["kind"] == "customer"]


def never_asked_too_much() -> bool:
    """WeChat's 45047 (count used up) and 45015 (window closed) were never heard."""
    return not {row.errcode for row in rows()} & {45047, 45015}


def left() -> dict[str, int]:
    with reading() as session:
        return {window.trigger: window.left for window in session.scalars(select(ReplyWindow))}


# -- How many


@pytest.mark.databases
def test_five_follow_a_message(account, sim, work):
    openid = sim.follower(account)
    sim.say(account, openid, "hello")
    order(account, openid, 7)

    work()

    assert arrived(sim, account, openid) == [f"no {at}" for at in range(5)]
    assert statuses() == ["sent"] * 5 + ["failed"] * 2
    assert {row.error for row in rows()[5:]} == {sends.WINDOW_CLOSED}
    assert never_asked_too_much()


@pytest.mark.parametrize(
    ("event", "key"),
    [("subscribe", ""), ("CLICK", "K"), ("SCAN", "1"), ("scancode_push", "K"), ("scancode_waitmsg", "K")],
)
def test_three_follow_a_tap_a_scan_a_follow(account, sim, work, event, key):
    openid = sim.follower(account)
    sim.happen(account, openid, event, event_key=key)
    order(account, openid, 4)

    work()

    assert len(arrived(sim, account, openid)) == 3
    assert never_asked_too_much()


@pytest.mark.parametrize("event", ["VIEW", "LOCATION", "pic_weixin", "location_select", "view_miniprogram"])
def test_nothing_follows_what_opens_no_window(account, sim, work, event):
    openid = sim.follower(account)
    sim.happen(account, openid, event, event_key="K")
    order(account, openid, 1)

    work()

    assert statuses() == ["failed"]
    assert never_asked_too_much()


@pytest.mark.parametrize(("act", "seconds"), [("hello", 48 * 3600), ("tap", 60)])
def test_a_window_closes_before_wechats_does(account, sim, work, act, seconds):
    openid = sim.follower(account)
    if act == "tap":
        sim.happen(account, openid, "CLICK", event_key="K")
    else:
        sim.say(account, openid, act)
    sim.wait(seconds - 3)
    order(account, openid, 1)
    work()
    sim.wait(4)
    order(account, openid, 1)
    work()

    assert statuses() == ["sent", "failed"]
    assert never_asked_too_much()


def test_a_late_repeat_does_not_make_the_window_longer(account, client, create):
    """WeChat counts from what the follower did; we may hear of it with the third attempt, ten seconds later."""
    phone = Phone(account, client)
    phone.happen("CLICK", "K", CreateTime=int(clock.timestamp()) - 10)

    with reading() as session:
        window = session.scalars(select(ReplyWindow)).one()
    assert window.expires_at <= clock.now() + timedelta(seconds=51)


def test_the_window_that_closes_first_is_spent_first(account, sim, work):
    openid = sim.follower(account)
    sim.say(account, openid, "hello")
    sim.happen(account, openid, "CLICK", event_key="K")
    order(account, openid, 4)

    work()

    assert [row.window for row in rows()] == ["tap"] * 3 + ["message"]
    assert left() == {"tap": 0, "message": 4}
    sim.wait(61)
    order(account, openid, 5)
    work()
    assert len(arrived(sim, account, openid)) == 8
    assert never_asked_too_much()


def test_each_message_fills_the_window_anew(account, sim, work):
    openid = sim.follower(account)
    for _ in range(3):
        sim.say(account, openid, "hello")
        order(account, openid, 4)
        work()

    assert len(arrived(sim, account, openid)) == 12
    assert left() == {"message": 1}
    assert never_asked_too_much()


# -- How it went


def test_what_was_certainly_not_sent_gives_its_count_back(account, sim, work):
    openid = sim.follower(account)
    sim.say(account, openid, "hello")
    trouble(sim, errcode=-1)
    order(account, openid, 6)

    work()
    assert left() == {"message": 5}
    sim.wait(10)
    for row in rows():
        jobs.deliver(row.id)

    assert arrived(sim, account, openid) == [f"no {at}" for at in range(5)]
    assert never_asked_too_much()


@pytest.mark.databases
def test_a_count_is_not_given_back_to_a_window_opened_anew(account, sim, client):
    """A send fails while the follower writes again: the new window is full already."""
    openid = sim.follower(account)
    sim.say(account, openid, "hello")
    send_ids = order(account, openid, 7)
    with transaction() as session:
        claim = sends.claim(session, send_ids[0])
    assert left() == {"message": 4}
    wait(1)
    sim.say(account, openid, "hello again")
    with transaction() as session:
        sends.settle(session, claim.send_id, claim.fence, SendStatus.READY)

    assert left() == {"message": 5}
    for send_id in send_ids:
        jobs.deliver(send_id)
    assert len(arrived(sim, account, openid)) == 5
    assert never_asked_too_much()


def test_an_answer_that_is_lost_is_never_repeated(account, sim, work):
    openid = sim.follower(account)
    sim.say(account, openid, "hello")
    trouble(sim, cut="reply")
    send_ids = order(account, openid, 2)

    work()
    sim.wait(3600)
    for send_id in send_ids * 2:
        jobs.deliver(send_id)

    assert statuses() == ["unknown", "sent"]
    assert arrived(sim, account, openid) == ["no 0", "no 1"]  # WeChat had the first as well
    assert sim.get("ledger", account=account.slug)["followers"][openid]["customer"] == 2


@pytest.mark.databases
def test_a_lease_that_ran_out_is_unknown_and_its_holder_may_not_report(create, client, redis, database_url):
    account = create.account()
    phone = Phone(account, client)
    phone.say("hello")
    [send_id, following] = order(account, phone.openid, 2)
    with transaction() as session:
        claim = sends.claim(session, send_id)
    wait(121)

    with transaction() as session:
        assert sends.expire(session, clock.now()) == 1
    with transaction() as session:
        assert not sends.settle(session, claim.send_id, claim.fence, SendStatus.SENT)
        assert sends.claim(session, send_id).send_id == following  # the next one goes on

    assert statuses() == ["unknown", "sending"]
    assert rows()[0].error == sends.NO_ANSWER


def test_order_is_kept_while_an_earlier_one_waits(account, sim):
    openid = sim.follower(account)
    sim.say(account, openid, "hello")
    trouble(sim, errcode=-1)
    send_ids = order(account, openid, 3)
    for send_id in send_ids:
        jobs.deliver(send_id)
    assert arrived(sim, account, openid) == []  # the first waits for its next try, the others for the first

    sim.wait(10)
    for send_id in reversed(send_ids):
        jobs.deliver(send_id)
    assert arrived(sim, account, openid) == ["no 0", "no 1", "no 2"]


@pytest.mark.databases
def test_those_behind_a_waiting_one_do_not_crowd_out_others(create, session, redis):
    account = create.account()
    blocked, free = (create.follower(account, openid=openid) for openid in ("blocked", "free"))
    first, *_ = order(account, blocked.openid, 20)
    session.get_one(Send, first).due_at = clock.now() + timedelta(hours=5)  # the day's quota is used up
    session.commit()
    [other, _] = order(account, free.openid, 2)

    assert sends.due(session, clock.now(), limit=10) == [other]
    assert sends.due(session, clock.now() + timedelta(hours=6), limit=10) == [first, other]


def test_nothing_is_sent_to_who_left(account, sim, work):
    openid = sim.follower(account)
    sim.say(account, openid, "hello")
    order(account, openid, 2)
    sim.happen(account, openid, "unsubscribe")
    order(account, openid, 1)

    work()

    assert arrived(sim, account, openid) == []
    assert statuses() == ["failed"] * 3
    assert {row.error for row in rows()} == {sends.NOT_FOLLOWING}
    assert never_asked_too_much()


def test_who_left_and_came_back_gets_what_the_follow_allows(account, sim, work):
    openid = sim.follower(account)
    sim.say(account, openid, "hello")
    sim.happen(account, openid, "unsubscribe")
    sim.happen(account, openid, "subscribe")
    order(account, openid, 5)

    work()

    assert len(arrived(sim, account, openid)) == 3
    assert never_asked_too_much()


@pytest.mark.parametrize(("characters", "fits"), [(4000, True), (4600, False)])
def test_a_long_reply_arrives_in_order_as_far_as_the_window_goes(account, create, sim, work, characters, fits):
    long = "".join(f"第{chr(0x4E00 + at)}句。" for at in range(2000))[:characters]
    create.rule(account, "long", long)
    openid = sim.follower(account)

    first = sim.say(account, openid, "long")["reply"]["text"]
    work()

    told = [first, *arrived(sim, account, openid)]
    assert all(len(part.encode()) <= 2048 for part in told)
    assert "".join(told) == long if fits else long.startswith("".join(told))
    assert [row.error for row in rows() if row.status is SendStatus.FAILED] == ([] if fits else [sends.WINDOW_CLOSED])
    assert len(told) <= 6
    assert never_asked_too_much()


@pytest.mark.parametrize("text", ["a ]]> b", "a\x02b", "<b>&amp;</b>", "😀"])
def test_odd_characters_arrive_on_the_phone_either_way(account, create, sim, work, text):
    create.rule(account, "odd", replies=[{"kind": "text", "text": text}] * 2)
    openid = sim.follower(account)

    first = sim.say(account, openid, "odd")
    work()

    assert first["notice"] is None
    assert first["reply"]["text"] == text.replace("\x02", "")
    assert arrived(sim, account, openid) == [text.replace("\x02", "")]
