"""Many workers, one follower: together they never send more than the window allows, and nothing twice."""

import threading
import time

import pytest
from sqlalchemy import select, update

from bot import clock
from bot.database import reading, transaction
from bot.jobs import sends as jobs
from bot.services import sends
from models import Follower, ReplyWindow, Send, SendStatus
from tests.flows.phone import Phone
from tests.processes import at_once
from tests.services.test_sends import arrived, left, order, statuses


@pytest.fixture
def account(create, live, sim):
    account = create.account()
    sim.connect(account, live)
    return account


def claim_some(number: int, send_ids: list[int]) -> int:
    """In a process of its own: as many claims as are granted."""
    granted = 0
    for send_id in send_ids:
        with transaction() as session:
            claim = sends.claim(session, send_id)
        if claim is not None:
            granted += 1
            with transaction() as session:
                assert sends.settle(session, claim.send_id, claim.fence, SendStatus.SENT)
    return granted


def spend_some(number: int, follower_id: int) -> int:
    spent = 0
    for _ in range(10):
        with transaction() as session:
            spent += bool(sends._spend(session, follower_id, clock.now()))
    return spent


@pytest.mark.databases
def test_many_workers_never_exceed_the_window(create, redis, database_url, client):
    account = create.account()
    phone = Phone(account, client)
    phone.say("hello")
    send_ids = order(account, phone.openid, 12)

    granted = at_once(4, claim_some, send_ids * 3)

    assert sum(granted) == 5
    assert statuses() == ["sent"] * 5 + ["failed"] * 7
    assert left() == {"message": 0}


@pytest.mark.databases
def test_many_counts_at_once_stop_at_the_windows_end(create, database_url, client, redis):
    account = create.account()
    phone = Phone(account, client)
    phone.say("hello")
    with reading() as session:
        follower_id = session.scalars(select(Follower.id)).one()

    assert sum(at_once(4, spend_some, follower_id)) == 5


def careless(number: int, follower_id: int) -> int:
    """Read, then write: what _spend must not do."""
    spent = 0
    for _ in range(10):
        with reading() as session:
            seen = session.scalar(select(ReplyWindow.left).where(ReplyWindow.follower_id == follower_id))
        time.sleep(0.01)  # long enough that all four are between the two, however the machine schedules them
        if seen > 0:
            with transaction() as session:
                session.execute(update(ReplyWindow).values(left=seen - 1))
            spent += 1
    return spent


@pytest.mark.databases
def test_the_race_above_shows_without_the_condition_in_the_update(create, database_url, client, redis):
    """Negative control."""
    account = create.account()
    phone = Phone(account, client)
    phone.say("hello")
    with transaction() as session:
        follower_id = session.scalars(select(Follower.id)).one()
        session.execute(update(ReplyWindow).values(left=20))

    assert sum(at_once(4, careless, follower_id)) > 20


@pytest.mark.databases
def test_threads_of_one_process_send_each_message_once(account, sim):
    openid = sim.follower(account)
    sim.say(account, openid, "hello")
    send_ids = order(account, openid, 5)
    barrier = threading.Barrier(4)

    def worker() -> None:
        barrier.wait()
        for send_id in send_ids * 2:
            jobs.deliver(send_id)

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for send_id in send_ids:
        jobs.deliver(send_id)  # the clock's hint

    assert arrived(sim, account, openid) == [f"no {at}" for at in range(5)]
    assert statuses() == ["sent"] * 5


def test_the_referee_sees_a_second_copy(account, sim):
    """Negative control: a send put back by hand arrives twice."""
    openid = sim.follower(account)
    sim.say(account, openid, "hello")
    [send_id] = order(account, openid, 1)
    jobs.deliver(send_id)
    with transaction() as session:
        session.execute(update(Send).values(status=SendStatus.READY, due_at=clock.now()))
    jobs.deliver(send_id)

    assert arrived(sim, account, openid) == ["no 0", "no 0"]
