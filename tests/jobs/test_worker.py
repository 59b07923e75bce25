"""The real processes, on a Redis of their own."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from redis import Redis
from rq import Callback, Queue

from bot import queue, redis_server
from bot.database import reading, transaction
from bot.queue import enqueue
from bot.services import menus, tasks
from models import ReplyWindow, Send, Task, TaskStatus
from tests.conftest import forget
from tests.test_abuse import redis_text

LATER = datetime(2099, 1, 1, tzinfo=UTC)


def until(holds, seconds: float = 30.0) -> float:
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, "not in time"
        time.sleep(0.05)
    return time.monotonic() - began


@pytest.fixture
def own_redis(tmp_path, monkeypatch):
    """A server that a test may kill and start again; returns [server]."""
    folder = tmp_path / "redis"
    folder.mkdir()
    monkeypatch.setenv("LOBBY_REDIS_URL", f"unix://{redis_server.socket_path(folder)}?db=0")
    forget()
    servers = [redis_server.start(folder), folder]
    yield servers
    if servers[0] is not None:
        servers[0].stop()


@pytest.fixture
def account(create, sim, own_redis):
    account = create.account()
    sim.connect(account, "http://127.0.0.1:9")
    return account


@pytest.fixture
def run(tmp_path, database_url):
    """Start `python -m worker NAME…`; ends what is left."""
    processes = []

    def run(*names: str) -> subprocess.Popen[bytes]:
        with open(tmp_path / f"{'-'.join(names)}.log", "ab") as out:
            process = subprocess.Popen([sys.executable, "-m", "worker", *names], stdout=out, stderr=out, env=os.environ)
        processes.append(process)
        return process

    yield run
    for process in processes:
        process.terminate()
    for process in processes:
        process.wait(timeout=20)


def registered(name: str) -> bool:
    return bool(queue.connection().smembers(f"rq:workers:{name}"))


def publish(account) -> int:
    with transaction() as session:
        menus.save(session, account, [{"name": "A", "type": "click", "key": "A"}])
        return menus.publish(session, account).id


def status(task_id: int) -> TaskStatus:
    with reading() as session:
        return session.get_one(Task, task_id).status


def test_works_and_ends_cleanly(account, run):
    worker = run("work")
    until(lambda: registered("work"))
    task_id = publish(account)
    until(lambda: status(task_id) is TaskStatus.DONE)

    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=10) == 0
    assert not registered("work")


def test_all_queues_start_and_end_together(own_redis, run):
    parent = run("replies", "work")
    until(lambda: registered("replies") and registered("work"))

    parent.send_signal(signal.SIGTERM)

    assert parent.wait(timeout=10) == 0
    assert not registered("replies")
    assert not registered("work")


def test_a_wrong_name_is_told(tmp_path):
    done = subprocess.run([sys.executable, "-m", "worker", "poems"], capture_output=True, text=True)

    assert done.returncode == 2
    assert "usage" in done.stderr


def test_redis_emptied_at_any_time_is_hinted_again_within_30_s(account, run):
    run("work")
    run("clock")
    until(lambda: registered("work"))
    time.sleep(1)  # the clock's first sweep is over
    task_id = publish_unseen(account)
    queue.connection().flushall()

    assert until(lambda: status(task_id) is TaskStatus.DONE) <= 30


def publish_unseen(account) -> int:
    """A task whose hint is lost."""
    with transaction() as session:
        menus.save(session, account, [{"name": "A", "type": "click", "key": "A"}])
        task_id = menus.publish(session, account).id
        session.info.pop("hints")
    return task_id


def test_redis_killed_and_started_again_does_not_end_the_worker(account, run, own_redis):
    worker = run("work")
    until(lambda: registered("work"))
    server, folder = own_redis
    pid = int(Redis(unix_socket_path=str(redis_server.socket_path(folder))).info("server")["process_id"])
    os.kill(pid, signal.SIGKILL)
    time.sleep(2)
    with suppress(Exception):
        server.stop()
    own_redis[0] = redis_server.start(folder)

    task_id = publish(account)
    until(lambda: status(task_id) is TaskStatus.DONE)
    assert worker.poll() is None


def test_t43_planted_jobs_are_thrown_away_and_logged(account, run, tmp_path):
    run("work")
    until(lambda: registered("work"))
    canary = tmp_path / "canary"
    redis = queue.connection()
    ours = Queue("work", connection=redis, serializer="json")
    ours.enqueue("os.system", f"touch {canary}")
    ours.enqueue("os.unlink", 1)
    ours.enqueue("bot.jobs.tasks.subprocess", 1)
    ours.enqueue("bot.jobs.sends.transaction", 1)
    ours.enqueue("bot.jobs.tasks.advance", "1")
    ours.enqueue("bot.jobs.tasks.advance", row_id=1)
    Queue("work", connection=redis).enqueue("os.system", f"touch {canary}")  # pickled
    with_callback = ours.enqueue("bot.jobs.tasks.advance", 0, on_success=Callback("os.system"))
    redis.hset(with_callback.key, "success_callback_name", "tests.jobs.test_worker.touch")
    redis.hset("rq:job:raw", mapping={"data": b"\x80\x04cposix\nsystem\n", "origin": "work", "timeout": "x"})
    redis.rpush(ours.key, "raw")

    until(lambda: redis.llen(ours.key) == 0)
    task_id = publish(account)
    until(lambda: status(task_id) is TaskStatus.DONE)

    log = (tmp_path / "work.log").read_text()
    assert not canary.exists()
    assert log.count("job.rejected") >= 7
    assert "os.system" in log


def test_t12_a_job_that_fails_leaves_its_words_in_the_log_only(account, create, run, tmp_path):
    follower = create.follower(account)
    with transaction() as session:
        send = Send(account_id=account.id, follower_id=follower.id, reply={"kind": "broken secret=canary"})
        session.add_all([send, ReplyWindow(follower_id=follower.id, trigger="message", left=5, expires_at=LATER)])
        session.flush()
        enqueue(session, "sends.deliver", send.id, queue="replies")
    run("replies")

    redis = queue.connection()
    until(lambda: redis.zcard("rq:failed:replies") == 1)

    log = (tmp_path / "replies.log").read_text()
    assert "ValidationError" in log
    assert "canary" not in log
    assert "canary" not in redis_text(redis)
    assert "ValidationError" not in redis_text(redis)


def test_a_killed_worker_takes_its_job_along(account, run, tmp_path, sim):
    worker = run("work")
    until(lambda: registered("work"))
    sim.http.post(
        f"{sim.address}/sim/faults",
        json={"path": "/cgi-bin/menu/create", "times": 1, "delay_ms": 6000},
        timeout=10,
    )
    task_id = publish(account)
    until(lambda: status(task_id) is TaskStatus.RUNNING)
    children = Path(f"/proc/{worker.pid}/task/{worker.pid}/children")
    until(lambda: bool(children.read_text().split()))
    horse = int(children.read_text().split()[0])

    worker.kill()
    worker.wait()

    until(lambda: not Path(f"/proc/{horse}").exists(), 5)
    with transaction() as session:
        assert tasks.claim(session, task_id) is None  # its lease still runs


@pytest.mark.parametrize("also_the_job", [False, True])
def test_told_to_stop_it_finishes_the_step_first(account, run, sim, also_the_job):
    worker = run("work")
    until(lambda: registered("work"))
    fault = {"path": "/cgi-bin/menu/create", "times": 1, "delay_ms": 2000}
    sim.http.post(f"{sim.address}/sim/faults", json=fault, timeout=10)
    task_id = publish(account)
    children = Path(f"/proc/{worker.pid}/task/{worker.pid}/children")
    until(lambda: bool(children.read_text().split()))
    horse = int(children.read_text().split()[0])
    until(lambda: status(task_id) is TaskStatus.RUNNING)

    worker.send_signal(signal.SIGTERM)
    if also_the_job:  # as a service manager does that tells all processes
        os.kill(horse, signal.SIGTERM)

    assert worker.wait(timeout=10) == 0
    assert status(task_id) is TaskStatus.READY  # the call is done and counted; the next step is anybody's at once
    run("work")
    until(lambda: status(task_id) is TaskStatus.DONE)


def touch(*_args: object) -> None:
    Path(os.environ["LOBBY_DATA_DIR"], "canary").touch()
