import os
import random

import pytest

from tests.conftest import forget
from tests.faults.breakages import SMALL
from tests.faults.load import Load
from tests.faults.stack import Stack


@pytest.fixture
def seed() -> int:
    """LOBBY_TEST_SEED repeats a run; without it each run has a new one, which a failure names."""
    return int(os.environ.get("LOBBY_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)


@pytest.fixture
def make_stack(database_url, sim, tmp_path, monkeypatch):
    """Processes of our own on the test's database and simulator; they end with the test."""
    made = []

    def make_stack(**options) -> Stack:
        options.setdefault("sizes", SMALL)
        stack = Stack(tmp_path, **options)
        made.append(stack)
        from bot import redis_server

        monkeypatch.setenv("LOBBY_REDIS_URL", f"unix://{redis_server.socket_path(stack.redis_folder)}?db=0")
        forget()
        return stack

    yield make_stack
    for stack in made:
        stack.end()


@pytest.fixture
def load(create, sim, redis, seed, tmp_path):
    """Twenty followers, in lists of twelve; a web process takes the reports, and this process is the other worker."""
    stack = Stack(tmp_path)
    stack.start("web")
    stack.until_up()
    load = Load(create, sim, stack.address, random.Random(seed), followers=20)
    load.stack = stack
    load.add_account(opens_windows=False)
    yield load
    stack.end()
