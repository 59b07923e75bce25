"""The embedded Redis as the supervisor sees it: it may be ours or a killed run's, so it is known by its socket only."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Unreachable
from redis.exceptions import RedisError
from redis.retry import Retry

from bot.supervisor.children import in_session


class EmbeddedRedis:
    def __init__(self, url: str) -> None:
        self._client = Redis.from_url(url, socket_timeout=2, retry=Retry(NoBackoff(), 0))
        self._pid: int | None = None

    def is_gone(self) -> bool:
        """Nobody listens.  Slow is not gone: a second server on the same files would be worse."""
        try:
            if self._pid is None:
                self._pid = int(self._client.info("server")["process_id"])
            else:
                self._client.ping()
        except Unreachable:
            self._pid = None
            return True
        except RedisError:
            pass
        return False

    def workers(self, queue: str) -> set[int]:
        """Process ids of the workers that registered for a queue."""
        try:
            keys = self._client.smembers(f"rq:workers:{queue}")
            return {int(pid) for key in keys if (pid := self._client.hget(key, "pid"))}
        except RedisError:
            return set()

    def stop(self, session: int, seconds: float = 2.0) -> None:
        """Flush and end it; ``session``: of the process that may have started it, for one that listens not yet."""
        with suppress(RedisError):
            self._pid = int(self._client.info("server")["process_id"])
            self._client.shutdown(nosave=True)  # the append-only file is flushed; nothing else is kept
        deadline = time.monotonic() + seconds
        pids = {self._pid, *in_session(session)} - {None}
        for number in (signal.SIGTERM, signal.SIGKILL):
            while time.monotonic() < deadline and any(_is_alive(pid) for pid in pids if pid):
                time.sleep(0.02)
            for pid in pids:
                if pid and _is_alive(pid):
                    with suppress(ProcessLookupError):
                        os.kill(pid, number)
            deadline += 0.5


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with suppress(OSError):  # a zombie: whoever has to reap it takes its time
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True
