"""Health: each trouble is named in plain words, with its remedy."""

import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from rq.utils import utcformat
from sqlalchemy import text

from bot import clock, queue, settings
from bot.services import account_health, checks, health, leadership, vault
from bot.services.checks import Check, State
from models import Media, MediaKind, MediaState, Member, MemberStatus, Task
from tests.conftest import forget


@pytest.fixture
def migrated(session: Any) -> None:
    session.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
    for name in health.newest_migrations():
        session.execute(text("INSERT INTO alembic_version VALUES (:name)"), {"name": name})
    session.commit()


def found(subject: str, slug: str = "") -> Check:
    """The check of that subject that matters most."""
    checks = [check for check in health.report(slug) if check.name() == subject]
    assert checks, f"{subject} was not looked at"
    return max(checks, key=lambda check: list(State).index(check.state))


@pytest.mark.databases
def test_a_sound_install_has_no_failure(migrated, redis, session) -> None:
    leadership.lead(session, "clock", "me")
    session.commit()
    for name in queue.QUEUES:
        redis.sadd(f"rq:workers:{name}", f"rq:worker:{name}-1")
        redis.hset(f"rq:worker:{name}-1", "last_heartbeat", utcformat(datetime.now(UTC)))

    assert [
        check.sentence() for check in health.report() if check.state is not State.OK and check.name() != "Settings"
    ] == []
    assert health.is_ready()


@pytest.mark.databases
def test_tables_of_another_version_are_a_failure(migrated, session, redis) -> None:
    session.execute(text("UPDATE alembic_version SET version_num = 'older'"))
    session.commit()

    check = found("Tables")

    assert (check.state, check.fix()) == (State.FAIL, "Stop the other processes and run: lobby migrate")
    assert not health.is_ready()


def test_no_tables_at_all_are_a_failure(redis) -> None:
    check = found("Tables")

    assert (check.sentence(), check.fix()) == ("There are none yet.", "Run: lobby migrate")


def test_a_database_that_is_away_is_a_failure(monkeypatch, redis) -> None:
    monkeypatch.setenv("LOBBY_DATABASE_URL", "postgresql://lobby:hush@127.0.0.1:1/lobby")
    forget()

    check = found("Database")

    assert check.state is State.FAIL
    assert "refused" in check.sentence().lower()
    assert "hush" not in check.sentence()


def test_a_redis_that_is_away_is_a_failure(database_url, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("LOBBY_REDIS_URL", f"unix://{tmp_path}/nobody.sock")
    forget()

    assert found("Redis").state is State.FAIL


def test_a_queue_without_a_living_worker_is_a_failure(database_url, redis) -> None:
    redis.sadd("rq:workers:replies", "rq:worker:old")
    redis.hset("rq:worker:old", "last_heartbeat", utcformat(datetime.now(UTC) - timedelta(minutes=5)))

    check = found("Worker replies")

    assert (check.state, check.fix()) == (State.FAIL, "Start: lobby worker replies")


def test_a_clock_that_stopped_is_a_failure(database_url, redis, session) -> None:
    leadership.lead(session, "clock", "me")
    leadership.step_down(session, "clock", "me")
    session.commit()

    assert found("Clock").state is State.FAIL


def test_work_that_nobody_does_is_a_warning(database_url, redis, session, create) -> None:
    account = create.account()
    session.add(Task(account_id=account.id, kind="menu_publish", due_at=clock.now() - timedelta(seconds=100)))
    session.commit()

    check = found("Waiting work")

    assert check.state is State.WARN
    assert "due for 10" in check.sentence()


@pytest.mark.databases
@pytest.mark.parametrize(("hours", "state"), [(1, State.OK), (3, State.WARN)])
@pytest.mark.parametrize("what", ["member", "media"])
def test_what_moments_should_have_erased_is_a_warning(database_url, redis, session, what, hours, state) -> None:
    due = clock.now() - timedelta(hours=hours)
    if what == "member":
        session.add(Member(handle="ann", name="Ann Secret", status=MemberStatus.GONE, erase_at=due))
    else:
        session.add(
            Media(owner_id=1, key="k", kind=MediaKind.PHOTO, state=MediaState.ERASED, erased_at=due, created_at=due)
        )
    session.add(Member(handle="bob", name="Bob", status=MemberStatus.OFF))
    session.commit()

    check = found("Erasures")

    assert check.state is state
    assert ("3 hours" in check.sentence()) is (state is State.WARN)
    assert "Ann" not in check.sentence() + check.fix()


def test_a_folder_that_others_may_read_is_a_warning(database_url, redis) -> None:
    folder = settings.settings().data_dir
    folder.chmod(0o755)

    check = found("Data folder")

    assert (check.state, check.fix()) == (State.WARN, f"Run: chmod 700 {folder}")


def test_a_disk_that_is_nearly_full_is_a_failure(database_url, redis, monkeypatch) -> None:
    monkeypatch.setattr(health, "LEAST_FREE_BYTES", 10**18)

    assert found("Disk").state is State.FAIL


def test_the_newest_migration_is_what_alembic_says() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(Config(toml_file=Path(__file__).parents[2] / "pyproject.toml"))

    assert health.newest_migrations() == frozenset(script.get_heads())


def test_sentences_are_looked_up_before_their_gaps_are_filled() -> None:
    check = checks.fail("Worker {queue}", "Nobody works on this queue.", "Start: lobby worker {queue}", queue="work")
    chinese = {"Worker {queue}": "{queue} 队列", "Start: lobby worker {queue}": "运行：lobby worker {queue}"}

    assert check.name(lambda sentence: chinese[sentence]) == "work 队列"
    assert check.fix(lambda sentence: chinese[sentence]) == "运行：lobby worker work"


def connected(sim: Any, create: Any, **values: Any) -> Any:
    account = create.account(appid="wx00000000000000aa", original_id="gh_practice")
    sim.connect(account, "http://127.0.0.1:1", **values)
    return account


def states(account: Any) -> dict[str, Check]:
    return {check.name(): check for check in account_health.report(account)}


def test_an_account_that_wechat_knows_is_in_order(sim, create) -> None:
    checks = states(connected(sim, create))

    assert checks["WeChat"].state is State.OK
    assert checks["Time"].state is State.OK
    assert checks["Messages"].state is State.WARN
    assert "http://127.0.0.1:8000/wechat/practice" in checks["Messages"].fix()


def test_an_address_that_is_not_on_the_whitelist_is_shown(sim, create) -> None:
    check = states(connected(sim, create, ip_whitelist=["203.0.113.7"]))["WeChat"]

    assert check.state is State.FAIL
    assert "127.0.0.1" in check.sentence()
    assert "IP" in check.sentence(language="zh")
    assert check.sentence() != check.sentence(language="zh")


def test_a_wrong_appsecret_is_told_without_showing_it(sim, create) -> None:
    account = connected(sim, create)
    sim.post("accounts", account="practice", secret="another" * 4)

    check = states(account)["WeChat"]

    assert check.state is State.FAIL
    assert "s" * 32 not in check.sentence()


def test_secrets_of_another_key_are_told(sim, create, monkeypatch) -> None:
    account = connected(sim, create)
    monkeypatch.setenv("LOBBY_SECRET_KEY", "f" * 64)
    forget()
    vault.unseal.cache_clear()

    checks = states(account)

    assert checks["Secrets"].state is State.FAIL
    assert "LOBBY_OLD_SECRET_KEYS" in checks["Secrets"].fix()
    assert "WeChat" not in checks


@pytest.mark.parametrize(("seconds", "state"), [(0, State.OK), (-30, State.OK), (-90, State.WARN), (600, State.WARN)])
def test_a_clock_that_differs_from_wechats_is_a_warning(create, monkeypatch, seconds, state) -> None:
    class WeChat(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(404)
            self.end_headers()

        do_POST = do_HEAD

        def date_time_string(self, timestamp: float | None = None) -> str:
            return formatdate(time.time() + seconds, usegmt=True)

    with ThreadingHTTPServer(("127.0.0.1", 0), WeChat) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("LOBBY_WECHAT_URL", f"http://127.0.0.1:{server.server_port}")
        forget()
        check = states(create.account())["Time"]
        server.shutdown()

    assert check.state is state
