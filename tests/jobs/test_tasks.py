from datetime import timedelta
from itertools import pairwise

import pytest

from bot import clock
from bot.database import reading, transaction
from bot.jobs import retrying
from bot.jobs import tasks as jobs
from bot.services import tasks
from bot.wechat.errors import BadConfiguration, NotSent
from models import Task, TaskStatus


@pytest.fixture
def account(create, redis):
    return create.account()


def start(account, kind="menu_publish") -> int:
    with transaction() as session:
        return tasks.start(session, account, kind).id


def claim(task_id):
    with transaction() as session:
        return tasks.claim(session, task_id)


def row(task_id) -> Task:
    with reading() as session:
        return session.get_one(Task, task_id)


def move_clock(tmp_path, seconds) -> None:
    (tmp_path / "clock").write_text(str(seconds))


def test_one_open_task_of_a_kind_per_account(create, account):
    other = create.account("other")

    assert start(account) == start(account)
    assert start(account, "follower_sync") != start(account)
    assert start(other) != start(account)

    with transaction() as session:
        tasks.finish(session, tasks.claim(session, start(account)))
    assert row(start(account)).status is TaskStatus.READY  # a new one


def test_one_at_a_time_holds_it(account):
    task_id = start(account)

    assert claim(task_id).fence == 1
    assert claim(task_id) is None


@pytest.mark.databases
def test_an_old_fence_writes_no_row(account, tmp_path):
    task_id = start(account)
    zombie = claim(task_id)
    move_clock(tmp_path, 61)
    heir = claim(task_id)
    assert heir.fence == 2

    with transaction() as session:
        assert tasks.progress(session, zombie, done=9, total=9, state={"x": 1}) is None
        assert not tasks.finish(session, zombie)
        assert not tasks.fail(session, zombie, "no")
        assert not tasks.later(session, zombie, clock.now())
        heir = tasks.progress(session, heir, done=1, total=2, state={"x": 2})
    assert heir.state == {"x": 2}
    assert (row(task_id).done, row(task_id).state, row(task_id).status) == (1, {"x": 2}, TaskStatus.RUNNING)


def test_t45_what_kills_its_worker_three_times_is_given_up(account, tmp_path):
    task_id = start(account)
    for death in range(3):
        assert claim(task_id) is not None
        move_clock(tmp_path, 61 * (death + 1))

    assert claim(task_id) is None
    assert row(task_id).status is TaskStatus.FAILED
    assert "three times" in row(task_id).error


def test_progress_between_deaths_starts_the_count_anew(account, tmp_path):
    task_id = start(account)
    for death in range(10):
        claimed = claim(task_id)
        with transaction() as session:
            assert tasks.progress(session, claimed, done=death, total=None, state={})
        move_clock(tmp_path, 61 * (death + 1))

    assert claim(task_id) is not None


def test_what_is_due(account, tmp_path):
    ready, held = start(account), start(account, "follower_sync")
    claim(held)

    def due(seconds):
        with reading() as session:
            return set(tasks.due(session, clock.now() + timedelta(seconds=seconds)))

    assert due(1) == {ready}
    assert due(61) == {ready, held}
    assert due(-200_000) == {held}  # the clock was put back: its lease is longer than any we give


@pytest.mark.parametrize(
    ("error", "status"), [(NotSent("x"), TaskStatus.READY), (BadConfiguration("x", 48001), TaskStatus.FAILED)]
)
def test_an_error_says_what_to_do_and_whether_it_goes_on(account, monkeypatch, error, status):
    def refuse(claimed):
        raise error

    monkeypatch.setitem(jobs.KINDS, "menu_publish", refuse)
    task_id = start(account)

    jobs.advance(task_id)

    assert (row(task_id).status, row(task_id).error) == (status, error.advice("en"))
    if status is TaskStatus.READY:
        assert 4 < (row(task_id).due_at - clock.now()).total_seconds() < 6


def test_what_keeps_failing_is_tried_less_and_less_often_then_given_up(account, monkeypatch, tmp_path):
    tries = []

    def refuse(claimed):
        tries.append(clock.timestamp())
        raise RuntimeError("a mistake of ours")

    monkeypatch.setitem(jobs.KINDS, "menu_publish", refuse)
    task_id = start(account)
    for second in range(0, 3600, 5):
        move_clock(tmp_path, second)
        jobs.advance(task_id)

    pauses = [later - earlier for earlier, later in pairwise(tries)]
    assert all(wish <= pause < wish + 11 for wish, pause in zip(retrying.BACK_OFF, pauses, strict=True))
    assert len(tries) == 6
    assert row(task_id).status is TaskStatus.FAILED
    assert "our side" in row(task_id).error
