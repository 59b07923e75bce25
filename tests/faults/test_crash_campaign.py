"""Campaigns while worker, clock, web and Redis are killed at random: nothing is lost, nothing arrives twice."""

import os
import random
import time

import pytest

from tests.faults.breakages import Sizes
from tests.faults.load import Load
from tests.faults.referee import Verdict
from tests.faults.stack import Stack

WEIGHTS = {"worker 1": 3, "worker 2": 3, "worker 3": 3, "web": 2, "clock": 2, "redis": 2}


def storm(stack: Stack, load: Load, kills: int) -> None:
    """Kill something every 50 to 250 ms and start it again, in a time that runs some thirty times as fast."""
    rng = load.rng
    names = [name for name in WEIGHTS if name in stack.names]
    weights = [WEIGHTS[name] for name in names]
    while stack.killed.total() < kills:
        # Now and then a moment of peace: where nothing is ever reached, nothing can go wrong.
        time.sleep(rng.uniform(0.05, 0.25) if rng.random() < 0.9 else rng.uniform(1, 2))
        [name] = rng.choices(names, weights)
        stack.kill(name)
        stack.start(name)
        load.step()
        if rng.random() < 0.5:
            load.sim.wait(rng.uniform(5, 25))


def calm(load: Load, seconds: float) -> None:
    """Nothing is killed any more: all must come to an end by itself."""
    load.sim.http.delete(f"{load.sim.address}/sim/faults", timeout=10)
    end = time.monotonic() + seconds
    while (left := load.left()) | (open_ := {each.status.value for each in load.open()}):
        load.step(more=False)
        assert time.monotonic() < end, f"{left}, {[(each.id, each.status.value, each.why) for each in load.open()]}"
        # No lease shall end under a worker that lives; where WeChat says nothing we ask after ten minutes.
        at_work = open_ & {"preparing", "scheduled"} or left & {"sending", "delivering"}
        load.sim.wait(15 if at_work else 60 if left - {"accepted"} else 700)
        time.sleep(0.15)


def check_unknown(stack: Stack, load: Load, verdict: Verdict) -> None:
    """Not confirmed may be at most the calls under way when something died, stood still or was cut off: of a list those
    of a campaign that was cancelled before it could be asked for."""
    in_flight = stack.sizes.calls * (stack.killed["worker"] + stack.logged("campaign.lease_lost")) + load.cuts
    if verdict.in_doubt > in_flight:
        verdict.problems.append(f"{verdict.in_doubt} calls in doubt, but at most {in_flight} were in flight")


def told(stack: Stack, seed: int) -> str:
    return f"LOBBY_TEST_SEED={seed}; killed last: {stack.told[-60:]}"


@pytest.mark.timeout(240)
@pytest.mark.databases
def test_random_kills_lose_nothing_and_send_nothing_twice(create, sim, make_stack, seed):
    stack = make_stack(workers=2)
    load = Load(create, sim, stack.address, random.Random(seed), followers=30, at_once=4)
    stack.start()
    stack.until_up()
    load.add_account()

    storm(stack, load, kills=60)
    calm(load, seconds=120)

    verdict = load.close()
    check_unknown(stack, load, verdict)
    print(f"seed {seed}: {stack.killed}, {load.troubles} troubles, {verdict}")
    assert verdict.problems == [], told(stack, seed)
    assert (verdict.lost, verdict.twice) == (0, 0)
    assert verdict.recipients > 60


@pytest.mark.campaign
@pytest.mark.timeout(4 * 3600)
@pytest.mark.databases
def test_the_full_campaign(create, sim, make_stack, seed):
    """F01: 10,000-lists beside small ones; LOBBY_TEST_STAGES of 100 kills and 50,000 recipients, 20 if not said."""
    stack = make_stack(workers=3, sizes=Sizes(batch=100, calls=16, turn=5.0))
    load = Load(create, sim, stack.address, random.Random(seed), followers=100)
    stack.start()
    stack.until_up()
    whole = Verdict()
    stages = int(os.environ.get("LOBBY_TEST_STAGES", "20"))
    stage = 0
    while stage < stages or whole.recipients < 50_000 * stages:  # now and then a large one is cancelled
        if stage % 4 == 0:  # WeChat lets a follower have four mass messages a month
            crowd = load.add_account(opens_windows=False, followers=50_000)
            load.add_account()
        load.launch(crowd, "mass")
        stage += 1
        storm(stack, load, kills=100 * stage)
        calm(load, seconds=900)
        whole += load.close()
        check_unknown(stack, load, whole)
        print(f"seed {seed}, stage {stage}: {stack.killed}, {load.troubles} troubles, {whole}", flush=True)
        assert whole.problems == [], told(stack, seed)
    assert (whole.lost, whole.twice) == (0, 0)
