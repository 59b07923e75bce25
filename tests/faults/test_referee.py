"""The referee itself: it must find what was planted, and it must notice when a safeguard is switched off."""

import time

import pytest

from bot.jobs import campaigns as jobs
from models import CampaignStatus
from tests import processes
from tests.faults.breakages import Sizes, apply
from tests.faults.load import Launched, Load
from tests.faults.referee import Verdict, judge, judge_jobs
from tests.processes import at_once

SIZES = Sizes(batch=10, calls=4)


def turn(_number: int, campaign_id: int, broken: tuple[str, ...]) -> None:
    apply(SIZES, broken)
    jobs.advance(campaign_id)


def send(load: Load, kind: str, broken: tuple[str, ...], workers: int = 1, turns: int = 1) -> Launched:
    """Launched, and sent by so many workers at once, in so many turns."""
    [marketer] = load.marketers
    if kind == "service":
        load.open_windows(marketer)
    launched = load.launch(marketer, kind)
    processes.start(turn, 0, launched.id, ()).join(30)
    load.sim.wait(31)
    for _ in range(turns):
        at_once(workers, turn, launched.id, broken)
        load.sim.wait(61)
    load.sim.wait(60)
    for _ in range(10):  # WeChat's report comes when it comes
        at_once(1, turn, launched.id, ())
        if marketer.now(launched).status is not CampaignStatus.SENDING:
            break
        time.sleep(0.5)
    return launched


def verdict_on(load: Load, launched: Launched) -> Verdict:
    account = launched.marketer.account
    verdict = judge(load.sim, account.slug, launched.id, launched.said)
    verdict.problems += judge_jobs(load.sim, account.slug, account.id)
    return verdict


@pytest.mark.parametrize("kind", ["mass", "service"])
def test_it_finds_nothing_where_nothing_is_wrong(load, kind):
    verdict = verdict_on(load, send(load, kind, (), workers=3))

    assert (verdict.problems, verdict.lost, verdict.twice, verdict.unknown) == ([], 0, 0, 0)
    assert verdict.recipients >= 10


def test_it_finds_one_follower_whom_a_call_left_out(load):
    verdict = verdict_on(load, send(load, "mass", ("lost follower",)))

    assert (verdict.lost, verdict.twice) == (1, 0)
    assert any("is sent, and received nothing" in problem for problem in verdict.problems)


def test_it_finds_a_list_that_was_sent_twice(load):
    verdict = verdict_on(load, send(load, "mass", ("sent twice",)))

    assert (verdict.lost, verdict.twice) == (0, 20)


@pytest.mark.databases
def test_without_the_ledgers_claim_it_finds_duplicates(load):
    """Three workers, none of whom is told what the others do."""
    verdict = verdict_on(load, send(load, "service", ("no claim",), workers=3))

    assert verdict.twice > 0


def test_without_the_client_id_it_finds_duplicates(load):
    """The answer is lost, and the repeat has another name."""
    load.trouble({"path": "/cgi-bin/message/mass/send", "cut": "reply"})

    verdict = verdict_on(load, send(load, "mass", ("no client id",), turns=2))

    assert verdict.twice == 20
