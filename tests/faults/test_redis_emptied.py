"""Redis holds only hints: emptied in mid-broadcast it costs seconds, and nobody's message."""

import random
import time
from datetime import timedelta

import pytest
from redis.exceptions import RedisError

from bot import queue
from tests.faults.breakages import Sizes
from tests.faults.load import Load
from tests.faults.referee import receipts

RESUMES = 30.0  # seconds, by the machine's clock


@pytest.mark.timeout(240)
@pytest.mark.databases
def test_redis_emptied_in_mid_broadcast_loses_nothing(create, sim, make_stack, seed):
    """With the clock's real pace; turns of two seconds, so that a broadcast lives by its hints."""
    stack = make_stack(workers=1, sizes=Sizes(turn=2.0), sweep=timedelta(seconds=3))
    load = Load(create, sim, stack.address, random.Random(seed), followers=60)
    stack.start()
    stack.until_up()
    marketer = load.add_account(opens_windows=False)
    for _ in range(2):
        load.launch(marketer, "template", pace=10)
    until_scheduled(load)
    sim.wait(31)

    def arrived() -> int:
        return sum(len(receipts(sim, marketer.account.slug, each.said)) for each in load.launched)

    emptied, gaps, seen, changed = 0, [0.0], 0, time.monotonic()
    while load.open():
        now, count = time.monotonic(), arrived()
        if count != seen:
            gaps.append(now - changed)
            seen, changed = count, now
            if count > 30 * (emptied + 1) and emptied < 3:
                empty()
                emptied += 1
        assert now - changed < RESUMES, f"{count} of 120 arrived, and nothing more"
        time.sleep(0.1)

    print(f"emptied {emptied} times; the longest pause {max(gaps[2:]):.1f} s")
    assert emptied == 3
    verdict = load.verdict()
    assert (verdict.problems, verdict.recipients, verdict.unknown) == ([], 120, 0)


def until_scheduled(load: Load) -> None:
    end = time.monotonic() + 30
    while any(each.status.value != "scheduled" for each in load.open()):
        assert time.monotonic() < end, [each.status for each in load.open()]
        time.sleep(0.1)


def empty() -> None:
    while True:
        try:
            queue.connection().flushall()
            return
        except RedisError:
            queue.connection.cache_clear()
