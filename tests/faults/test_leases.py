"""F03: a worker that stands still until its lease is over changes nothing when it wakes."""

import os
import signal
import time
from pathlib import Path

import pytest

from bot.jobs import campaign_sending, campaigns
from tests import processes
from tests.faults.breakages import SMALL, apply
from tests.faults.referee import judge, receipts
from tests.jobs.campaigner import Campaigner
from tests.stack import until

CLAIMED, ANSWERED = "K6 after claim commit", "K11 after reply before settle"
SLEEPS = {"mass": 61, "service": 61, "template": 660}  # seconds; a template message's key is forgotten after 600


def stand_still(place: str, campaign_id: int, broken: tuple[str, ...]) -> None:
    """A worker's turn, stopped at a place as SIGSTOP would by chance."""

    def stop(name: str) -> None:
        if name == place:
            os.kill(os.getpid(), signal.SIGSTOP)

    campaign_sending.fault_point = stop
    turn(campaign_id, broken)


def turn(campaign_id: int, broken: tuple[str, ...] = ()) -> None:
    apply(SMALL, broken)
    campaigns.advance(campaign_id)


def is_stopped(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    except OSError:
        return False  # it has ended


@pytest.fixture
def sleepwalk(load, tmp_path):
    """A worker freezes at a place, another does its work, it wakes: what was before and after it woke; its log."""

    def sleepwalk(place: str, kind: str, broken: tuple[str, ...] = ()):
        [marketer] = load.marketers
        if kind == "service":
            load.open_windows(marketer)
        launched = load.launch(marketer, kind)
        processes.start(turn, launched.id).join(30)
        load.sim.wait(31)
        log = tmp_path / "frozen.log"
        frozen = processes.start(stand_still, place, launched.id, broken, log=log)
        assert until(lambda: is_stopped(frozen.pid), 20)
        load.sim.wait(SLEEPS[kind])
        end = time.monotonic() + 60
        while load.left() - {"accepted"} or (load.open() and not load.left()):
            processes.start(turn, launched.id).join(30)
            assert time.monotonic() < end, load.left()
            load.sim.wait(61)
        assert until(lambda: not load.left() & {"delivering", "accepted"}, 20)  # the last report has come, too
        before = stand(load, marketer, launched)
        while is_stopped(frozen.pid):
            os.kill(frozen.pid, signal.SIGCONT)
            time.sleep(0.1)
        frozen.join(30)
        assert frozen.exitcode == 0
        assert until(lambda: "delivering" not in load.left(), 20)
        return (
            before,
            stand(load, marketer, launched),
            log.read_text(),
            judge(load.sim, marketer.account.slug, launched.id, launched.said),
        )

    return sleepwalk


def stand(load, marketer: Campaigner, launched) -> tuple[object, ...]:
    """All that a zombie could change."""
    columns = ("number", "status", "fence", "sent", "failed", "unknown", "skipped", "msg_id", "attempts")
    batches = [tuple(getattr(batch, name) for name in columns) for batch in marketer.batches(launched)]
    return batches, marketer.ledger(launched), receipts(load.sim, marketer.account.slug, launched.said)


@pytest.mark.databases
@pytest.mark.parametrize("place", [CLAIMED, ANSWERED])
@pytest.mark.parametrize("kind", SLEEPS)
def test_a_frozen_worker_changes_nothing_when_it_wakes(sleepwalk, place, kind):
    before, after, log, verdict = sleepwalk(place, kind)

    assert after == before
    assert "lease_lost" in log
    assert verdict.twice == 0
    assert verdict.unknown <= SMALL.calls


def test_without_the_fence_it_would(sleepwalk):
    before, after, _log, verdict = sleepwalk(ANSWERED, "service", ("no fence",))

    assert after != before
    assert verdict.problems
