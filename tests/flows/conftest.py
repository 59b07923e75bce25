"""The assistant's worker, for tests that send it questions."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import structlog
from redis import Redis

from bot import queue
from bot.jobs import assistant as job
from bot.jobs import upkeep


@pytest.fixture
def worker(redis: Redis) -> Iterator[None]:
    """What the assistant's worker and the clock do, in threads of this process."""
    ends = threading.Event()
    pool = ThreadPoolExecutor(64)

    def answer(row_id: int) -> None:
        try:
            job.answer(row_id)
        except Exception:
            structlog.get_logger().exception("job.failed")

    def work() -> None:
        name = queue.queue("assistant").key
        while not ends.is_set():
            while (found := redis.rpop(name)) is not None:
                data = queue.queue("assistant").fetch_job(found.decode())
                if data is not None:
                    pool.submit(answer, data.args[0])
            upkeep.tend_answers()
            time.sleep(0.05)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield
    ends.set()
    thread.join()
    pool.shutdown()
