"""An RQ worker that believes Redis nothing but "look at this row".

RQ 3.0's own recovery loses and doubles jobs (reliability-security 2.1), so none of it is relied on: a job names one of
our functions and a row id, the row is the fact, the clock hints again.  Each job runs in a forked process, which costs
some 12 ms and buys that a hanging call can be killed without losing the worker.
"""

import ctypes
import importlib
import json
import os
import pkgutil
import signal
import socket
import sys
import time
from types import FrameType
from typing import Any

import structlog
from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue, Worker
from rq.exceptions import StopRequested
from rq.executions import Execution
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker.base import WorkerStatus

import bot.jobs
from bot import database, queue
from bot.jobs import tasks
from bot.settings import settings

PR_SET_PDEATHSIG = 1
RESTART_SECONDS = (0.5, 1.0, 2.0, 5.0)  # between two starts while Redis is away

log = structlog.get_logger()


def run(name: str) -> int:
    """Work on one queue until told to stop, whatever Redis does meanwhile; returns the exit code."""
    from bot.jobs.threaded import ThreadedWorker

    kind = ThreadedWorker if name == "assistant" else LobbyWorker
    jobs = allowed()
    stopped = _Stop()
    starts = 0
    while not stopped.asked:
        stopped.listen()
        began = time.monotonic()
        try:
            kind(name, jobs, stopped).work(logging_level="WARNING")
            if not stopped.asked:
                time.sleep(_pause(starts))
        except RedisError as error:
            log.warning("worker.no_redis", queue=name, error=type(error).__name__)
            stopped.listen()
            time.sleep(0 if stopped.asked else _pause(starts))
        except StopRequested:  # told in the moment between two workers
            break
        starts = starts + 1 if time.monotonic() - began < 60 else 0
    return 0


def _pause(starts: int) -> float:
    return RESTART_SECONDS[min(starts, len(RESTART_SECONDS) - 1)]


def allowed() -> frozenset[str]:
    """The full names of all functions that a job may run: what the modules of bot.jobs list in JOBS."""
    names = set()
    for module in pkgutil.iter_modules(bot.jobs.__path__):
        loaded = importlib.import_module(f"bot.jobs.{module.name}")
        names |= {f"bot.jobs.{module.name}.{job.__name__}" for job in getattr(loaded, "JOBS", ())}
    return frozenset(names)


class _Stop:
    """SIGTERM or Ctrl-C came; also while no RQ worker is there to hear it."""

    def __init__(self) -> None:
        self.asked = False
        self.listen()

    def listen(self) -> None:
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, self._ask)

    def _ask(self, _signum: int, _frame: FrameType | None) -> None:
        self.asked = True


class HintJob(Job):
    """A job of which only the function's name and one row id count (T43)."""

    def restore(self, raw_data: Any) -> None:
        """Read what Redis holds, and drop all in it that names code or addresses: callbacks and webhooks."""
        kept = {b"data", b"created_at", b"origin", b"enqueued_at", b"status", b"timeout", b"result_ttl", b"failure_ttl"}
        super().restore({key: value for key, value in raw_data.items() if key in kept})

    @property
    def wanted(self) -> str:
        """The function it names, whatever that is; "" when it is not even JSON."""
        try:
            return str(json.loads(self.data)[0])[:100]
        except (ValueError, TypeError, LookupError):
            return ""

    @property
    def is_hint(self) -> bool:
        """Written as ours are: a function and one row id."""
        try:
            name, instance, args, kwargs = json.loads(self.data)
            return isinstance(name, str) and instance is None and kwargs == {} and [type(arg) for arg in args] == [int]
        except (ValueError, TypeError):
            return False


class LobbyWorker(Worker):
    """One queue; survives Redis's restarts; runs nothing that is not on its list."""

    job_class = HintJob
    max_connection_wait_time = 5.0  # a sweep comes every 15 s: do not sleep through it

    def __init__(self, name: str, jobs: frozenset[str], stopped: _Stop) -> None:
        # Unlike the hints' connection this one may repeat a command: the row makes a double harmless.
        retry = Retry(ExponentialBackoff(cap=1, base=0.1), 2)
        connection = Redis.from_url(queue.redis_url(settings()), socket_connect_timeout=2, retry=retry)
        self._jobs = jobs
        self._stopped = stopped
        super().__init__(
            [Queue(name, connection=connection, serializer=JSONSerializer, job_class=HintJob)],
            name=f"{name}-{socket.gethostname()[:40]}-{os.getpid()}-{os.urandom(3).hex()}",
            connection=connection,
            worker_ttl=60,
            maintenance_interval=30,
            job_monitoring_interval=10,
            default_result_ttl=0,
            serializer=JSONSerializer,
            log_job_description=False,
        )

    # -- In the parent

    def _install_signal_handlers(self) -> None:
        super()._install_signal_handlers()  # type: ignore[no-untyped-call]  # RQ's own
        if self._stopped.asked:  # it came while RQ was getting ready, before it listened
            self._stop_requested = True

    def execute_job(self, job: Job, source: Queue) -> None:
        """Fork for one of our own functions; anything else is thrown away and logged."""
        if not isinstance(job, HintJob) or not job.is_hint or job.wanted not in self._jobs:
            wanted = job.wanted if isinstance(job, HintJob) else ""
            log.error("job.rejected", queue=source.name, job_id=job.id[:64], function=wanted)
            self.connection.lrem(source.intermediate_queue_key, 1, job.id)
            job.delete()
            return
        super().execute_job(job, source)

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        self._stopped.asked = True
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]  # RQ's own

    def _shutdown(self) -> None:
        if self.get_state() != WorkerStatus.BUSY:
            raise StopRequested
        # RQ would also write to Redis here, which may be away.
        self._stop_requested = True
        if self.horse_pid:
            self.kill_horse(signal.SIGTERM)  # it stops at its next step

    def maintain_heartbeats(self, job: Job, execution: Execution) -> None:
        try:
            super().maintain_heartbeats(job, execution)
        except RedisError as error:  # the job does not need Redis, nor do we while it runs
            log.warning("worker.no_redis", job_id=job.id, error=type(error).__name__)

    def handle_job_failure(self, *args: Any, **options: Any) -> None:
        # The log has the traceback, with secrets taken out; Redis would keep it as it is for a day.
        super().handle_job_failure(*args, **{**options, "exc_string": "See the log."})

    # -- In the forked process

    def setup_work_horse_signals(self) -> None:
        parent = self.pid
        if sys.platform == "linux":
            # Without it the process goes on alone when the worker is killed.
            ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)  # killed before the line above
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        # Told to all processes of a service, it must not end a job between its effect and its record.
        signal.signal(signal.SIGTERM, lambda *_: tasks.stopping.set())
        known = database.database()
        for engine in (known.read, known.write, known.inbound):
            engine.dispose(close=False)  # connections of the parent, if it had any, are the parent's
