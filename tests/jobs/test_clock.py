import threading
import time
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from bot import clock as our_clock
from bot import queue
from bot.database import reading, transaction
from bot.jobs import clock, upkeep
from bot.jobs.schedule import SCHEDULE, Entry
from bot.services import leadership, sends, tasks
from bot.wechat.messages import Text
from models import SeenSignature, Send, SendStatus, SignIn, SignInLink, Task

NOW = timedelta(0)


def lead(holder: str) -> bool:
    with transaction() as session:
        return leadership.lead(session, "clock", holder)


@pytest.mark.databases
def test_one_leads_until_it_is_silent_for_its_lease(database_url, tmp_path):
    assert lead("a")
    assert not lead("b")
    assert lead("a")
    (tmp_path / "clock").write_text("31")
    assert lead("b")
    assert not lead("a")
    with transaction() as session:
        leadership.step_down(session, "clock", "b")
    assert lead("a")


def test_a_clock_that_was_put_back_does_not_leave_us_without_a_leader(database_url, tmp_path):
    (tmp_path / "clock").write_text("86400")
    assert lead("a")
    (tmp_path / "clock").write_text("0")
    assert lead("b")


def test_one_that_fails_stops_no_other_and_stand_bys_do_nothing(database_url):
    ran: list[str] = []

    def fail() -> None:
        ran.append("fail")
        raise RuntimeError

    schedule = (Entry("fail", NOW, fail), Entry("good", NOW, lambda: ran.append("good")))
    idle = (Entry("idle", NOW, lambda: ran.append("idle")),)
    stop = threading.Event()
    leader = threading.Thread(target=clock.run, args=(stop, schedule))
    leader.start()
    while "good" not in ran:
        time.sleep(0.01)
    stand_by = threading.Thread(target=clock.run, args=(stop, idle))
    stand_by.start()
    time.sleep(1.5)
    stop.set()
    leader.join()
    stand_by.join()

    assert ran.count("good") >= 2
    assert ran.count("fail") >= 2
    assert "idle" not in ran
    assert lead("the next")  # the lease was given back


def test_every_entry_runs_on_an_empty_install(database_url, redis):
    for entry in SCHEDULE:
        entry.run()


def test_due_rows_are_hinted_and_only_so_many(create, redis, monkeypatch):
    account = create.account()
    follower = create.follower(account)
    with transaction() as session:
        sends.create(session, account.id, follower.id, Text(text="x"))
        tasks.start(session, account, "menu_publish")
        session.info.pop("hints")

    upkeep.hint_sends()
    upkeep.hint_tasks()
    assert [redis.llen(queue.queue(name).key) for name in ("replies", "work")] == [1, 1]

    monkeypatch.setattr(upkeep, "FULL", 1)  # enough wait already
    upkeep.hint_sends()
    upkeep.hint_tasks()
    assert [redis.llen(queue.queue(name).key) for name in ("replies", "work")] == [1, 1]


def test_without_redis_a_sweep_only_says_so(create, monkeypatch, tmp_path):
    monkeypatch.setenv("LOBBY_REDIS_URL", f"unix://{tmp_path}/nothing.sock?db=0")
    account = create.account()
    with transaction() as session:
        tasks.start(session, account, "menu_publish")

    upkeep.hint_tasks()
    upkeep.hint_sends()

    with reading() as session:
        assert session.scalar(select(func.count()).select_from(Task)) == 1


def test_a_send_whose_sender_died_becomes_unknown(create, redis, tmp_path):
    account = create.account()
    follower = create.follower(account)
    with transaction() as session:
        send = Send(account_id=account.id, follower_id=follower.id, reply={}, status=SendStatus.SENDING)
        send.due_at = our_clock.now() + timedelta(seconds=60)
        session.add(send)
    upkeep.hint_sends()
    with reading() as session:
        assert session.get_one(Send, send.id).status is SendStatus.SENDING

    (tmp_path / "clock").write_text("61")
    upkeep.hint_sends()
    with reading() as session:
        assert session.get_one(Send, send.id).status is SendStatus.UNKNOWN


def test_prunes_what_nobody_needs(create):
    account, operator = create.account(), create.operator()
    now = our_clock.now()
    with transaction() as session:
        for at, minutes in enumerate((1, 14, 16, 600)):
            seen_at = now - timedelta(minutes=minutes)
            row = SeenSignature(account_id=account.id, signature=str(at), dedup_key="x", seen_at=seen_at)
            session.add(row)
        for at, days in enumerate((-2, 2)):
            expires_at = now + timedelta(days=days)
            session.add(SignIn(operator_id=operator.id, digest=str(at), expires_at=expires_at))
            session.add(SignInLink(operator_id=operator.id, digest=str(at), expires_at=expires_at))

    upkeep.prune()

    with reading() as session:
        assert set(session.scalars(select(SeenSignature.signature))) == {"0", "1"}
        assert list(session.scalars(select(SignIn.digest))) == ["1"]
        assert list(session.scalars(select(SignInLink.digest))) == ["1"]
