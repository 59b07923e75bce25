"""P1 to P16: whatever happens, in any order, each member sees through the API what the specification says."""

import os
import random
import sys
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from bot.moments import feed
from tests.moments.driver import World

LENGTH = 45


def play(client: FlaskClient, advance: Callable[[float], None], seed: int, events: int) -> None:
    rng = random.Random(seed)
    done = 0
    while done < events:
        world = World(client, rng, advance)
        for at in range(LENGTH):
            world.look(world.step(), around=at % 3 == 0)
        done += LENGTH
        if events > 1000:
            print(f"{done} events", file=sys.stderr, flush=True)


@pytest.mark.databases
@pytest.mark.parametrize("seed", [1, 2])
def test_everybody_sees_what_the_specification_says(seed, client, advance, unlimited, monkeypatch):
    if seed == 2:
        monkeypatch.setattr(feed, "WALK_ABOVE", -1)  # P15: the other source of candidates gives the same pages
    play(client, advance, seed, LENGTH)


@pytest.mark.campaign
@pytest.mark.timeout(6 * 3600)
@pytest.mark.databases
def test_fifty_thousand_events(client, advance, unlimited):
    play(
        client, advance, int(os.environ.get("LOBBY_TEST_SEED", "7")), int(os.environ.get("LOBBY_TEST_EVENTS", "50000"))
    )
