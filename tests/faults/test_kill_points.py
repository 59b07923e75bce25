"""A process dies at a named place; the others go on, and the referee finds nothing lost and nothing twice."""

import signal
import time
from typing import Any

import pytest
from sqlalchemy import func, select

from bot import queue
from bot.database import reading
from bot.jobs import campaigns as jobs
from models import Batch, CampaignStatus, Delivery, DeliveryStatus
from tests import processes
from tests.faults.breakages import SMALL, apply
from tests.faults.load import Launched, Load
from tests.faults.referee import judge, judge_jobs
from tests.faults.stack import web
from tests.stack import until

pytestmark = pytest.mark.databases

# Where a worker dies: the place, and the kind of campaign that comes by it.
IN_WORKER = [
    ("K1 after plan insert:2", "experiment"),
    ("K2 after plan commit", "mass"),
    ("K3 after hint push", "mass"),
    ("K4 after hint pop", "mass"),
    ("K5 before claim commit", "mass"),
    ("K5 before claim commit", "service"),
    ("K6 after claim commit:2", "mass"),
    ("K6 after claim commit", "service"),
    ("K6 after claim commit", "template"),
    ("K7 token reply before store", "mass"),
    ("K8 before connect", "mass"),
    ("K11 after reply before settle", "mass"),
    ("K11 after reply before settle", "service"),
    ("K11 after reply before settle", "template"),
    ("K12 inside settle", "mass"),
    ("K12 inside settle", "template"),
    ("K13 after settle", "mass"),
    ("K17 after mass/get", "mass"),
]
# K9 and K10 lie in the network: the process is killed from outside while WeChat takes its time.
IN_FLIGHT = {
    "K9 after request bytes": {"delay_ms": 1500},
    "K10 after apply before reply": {"delay_ms": 1500, "after": True},
}
IN_WEB = ["K14 callback before inbox commit", "K15 after commit before reply", "K16 inside event apply"]
SENDS = {"mass": "/cgi-bin/message/mass/send", "template": "/cgi-bin/message/template/send",
         "service": "/cgi-bin/message/custom/send"}  # fmt: skip


def launch(load: Load, kind: str) -> Launched:
    if kind == "service":
        load.open_windows(load.marketers[0])
    launched = load.launch(load.marketers[0], kind)
    queue.connection().flushall()  # its hint was taken
    return launched


def turn(campaign_id: int) -> None:
    """One job of a worker."""
    apply(SMALL)
    jobs.advance(campaign_id)


def die_at(place: str, campaign_id: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """A worker's turn that ends there; how it ended."""
    monkeypatch.setenv("LOBBY_TEST_KILL_AT", place)
    process = processes.start(turn, campaign_id)
    monkeypatch.delenv("LOBBY_TEST_KILL_AT")
    process.join(30)
    return process.exitcode or 0


REPORTS = {
    "template": ("TEMPLATESENDJOBFINISH", "failed: system failed"),
    "notice": ("subscribe_msg_sent_event", "43101"),
}


def go_on(load: Load, launched: Launched) -> None:
    """Other workers come by until it has ended, in a time that passes faster."""
    end = time.monotonic() + 60
    load.sim.wait(61)  # so long its lease lasts
    while load.left() or load.open():
        processes.start(turn, launched.id).join(30)
        assert time.monotonic() < end, (load.left(), load.open())
        load.sim.wait(700 if load.left() <= {"accepted"} else 61)
    slug = launched.marketer.account.slug
    verdict = judge(load.sim, slug, launched.id, launched.said)
    assert verdict.problems + judge_jobs(load.sim, slug, launched.marketer.account.id) == []
    assert verdict.unknown <= SMALL.calls


@pytest.mark.parametrize(("place", "kind"), IN_WORKER)
def test_a_worker_dies(load, monkeypatch, place, kind):
    launched = launch(load, kind)
    if place.startswith("K17"):
        load.trouble({"path": "MASSSENDJOBFINISH", "lost": True})
        load.trouble({"path": "MASSSENDJOBFINISH", "lost": True})
    codes = []
    for seconds in (0, 31, 31, 61, 700):  # the audience is frozen, its start comes, it is sent, WeChat is asked
        load.sim.wait(seconds)
        codes.append(die_at(place, launched.id, monkeypatch))
        if codes[-1] == -signal.SIGKILL:
            break

    assert codes[-1] == -signal.SIGKILL, f"nobody came by {place}: {codes}"
    go_on(load, launched)


@pytest.mark.parametrize("place", IN_FLIGHT)
@pytest.mark.parametrize("kind", SENDS)
def test_a_worker_dies_while_a_call_is_under_way(load, place, kind):
    launched = launch(load, kind)
    processes.start(turn, launched.id).join(30)
    load.sim.wait(31)
    load.sim.post("faults", path=SENDS[kind], times=SMALL.calls, **IN_FLIGHT[place])
    worker = processes.start(turn, launched.id)
    assert until(lambda: calls(load, launched, SENDS[kind]), 20)
    time.sleep(0.3)  # WeChat has read it by now; it answers in a second
    worker.kill()
    time.sleep(1.5)

    go_on(load, launched)


@pytest.mark.parametrize("kind", REPORTS)
def test_a_worker_dies_between_the_report_of_a_failure_and_its_record(load, monkeypatch, kind):
    marketer = load.marketers[0]
    for openid in marketer.openids:  # each allows every notice
        allowed = {"openid": openid, "template_id": marketer.template_one, "always": True}
        load.sim.post("consents", account=marketer.account.slug, **allowed)
    launched = launch(load, kind)
    processes.start(turn, launched.id).join(30)
    load.sim.wait(31)
    event, result = REPORTS[kind]
    load.sim.post("faults", path=event, result=result, early=True, times=1)

    assert die_at("K11 after reply before settle", launched.id, monkeypatch) == -signal.SIGKILL
    go_on(load, launched)

    with reading() as session:
        rows = select(Delivery.status, func.count()).where(Delivery.campaign_id == launched.id, Delivery.batch > 0)
        counted = dict(session.execute(rows.group_by(Delivery.status)).all())
        batches = list(session.scalars(select(Batch).where(Batch.campaign_id == launched.id)))
    assert counted[DeliveryStatus.FAILED] == sum(batch.failed for batch in batches) == 1
    # A template message is known by its number; a notice has no key, and of those under way there was just this word.
    assert counted.get(DeliveryStatus.UNKNOWN, 0) == (0 if kind == "template" else SMALL.calls - 1)
    assert sum(counted.values()) == 20


def calls(load: Load, launched: Launched, path: str) -> int:
    ledger: dict[str, Any] = load.sim.get("ledger", account=launched.marketer.account.slug)
    return int(ledger["calls"].get(path, 0))


@pytest.mark.parametrize("place", IN_WEB)
def test_the_web_process_dies_over_a_report(load, monkeypatch, place):
    load.stack.kill("web")
    monkeypatch.setenv("LOBBY_TEST_KILL_AT", place)
    dying = processes.start(web, load.stack.port)
    monkeypatch.delenv("LOBBY_TEST_KILL_AT")
    load.stack.until_up()
    launched = load.launch(load.marketers[0], "mass")
    for _ in range(3):
        processes.start(turn, launched.id).join(30)
        load.sim.wait(31)
    assert until(lambda: not dying.is_alive(), 20), f"nobody came by {place}"
    assert dying.exitcode == -signal.SIGKILL
    load.stack.start("web")
    load.stack.until_up()

    go_on(load, launched)
    assert load.marketers[0].now(launched).status is CampaignStatus.FINISHED
