"""What one push costs in CPU; printed, never asserted (pytest -m bench -s)."""

import time

import pytest

from bot.wechat.envelope import open_envelope, seal
from bot.wechat.messages import Text

from .conftest import NOW, credentials, push
from .samples import sample

ROUNDS = 5000


@pytest.mark.bench
@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
def test_cpu_of_opening_and_sealing(mode):
    account, reply = credentials(mode), Text(text="From 99 yuan")
    query, body = push(sample("text"), mode)
    best = 1.0
    for _ in range(7):
        before = time.process_time()
        for _ in range(ROUNDS):
            seal(account, open_envelope(account, query, body, NOW), reply, NOW)
        best = min(best, (time.process_time() - before) / ROUNDS)
    print(f"\n{mode}: {best * 1e6:.1f} µs")
