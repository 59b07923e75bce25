"""Negative control: with a fault in a predicate the comparison with the oracle fails."""

import random

import pytest

from tests.moments import plants
from tests.moments.driver import World
from tests.moments.looking import Mismatch

HISTORIES = 100  # most take a few; the specification's own trial needed 40 for its hardest


@pytest.mark.campaign
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("plant", plants.SPECIFIED + plants.OURS, ids=lambda plant: plant.__name__)
def test_a_planted_fault_is_found(plant, client, advance, unlimited, monkeypatch, capsys):
    rng = random.Random(11)
    try:
        with monkeypatch.context() as planting:
            plants.forget()
            plant(planting)
            for history in range(HISTORIES):
                world = World(client, rng, advance)
                if found := first_mismatch(world):
                    with capsys.disabled():
                        print(f"\n{plant.__name__}: history {history + 1}, event {len(world.log)}: {found[:150]!r}")
                    return
    finally:
        plants.forget()
    pytest.fail("nobody noticed")


def first_mismatch(world: World) -> str:
    for _ in range(70):
        try:
            world.look(world.step())
        except (Mismatch, KeyError) as found:  # KeyError: something that the oracle never made
            return str(found)
    return ""
