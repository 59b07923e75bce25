"""The assistant's worker: a thread for each answer instead of a process, as all of them wait for the network."""

import importlib
import threading
import time

import structlog
from rq import Queue
from rq.job import Job

from bot.jobs import assistant
from bot.jobs.worker import HintJob, LobbyWorker

THREADS = 128  # answers at once; further ones wait in the queue, and past their deadline get the fallback sentence
GRACE_SECONDS = 2.0  # for answers that are about to come, when told to stop

log = structlog.get_logger()


class ThreadedWorker(LobbyWorker):
    """Takes a hint off the queue for good and works on its row; the row's lease is what a crash leaves behind."""

    _seats = threading.BoundedSemaphore(THREADS)

    def execute_job(self, job: Job, source: Queue) -> None:
        if not isinstance(job, HintJob) or not job.is_hint or job.wanted not in self._jobs:
            super().execute_job(job, source)  # which throws it away
            return
        wanted, row_id = job.wanted, int(job.args[0])
        self.connection.lrem(source.intermediate_queue_key, 1, job.id)
        job.delete()
        while not self._seats.acquire(timeout=0.5):
            if self._stopped.asked:
                return  # the row waits, and the clock hints again
        threading.Thread(target=self._work_on, args=(wanted, row_id), daemon=True).start()

    def _work_on(self, wanted: str, row_id: int) -> None:
        module, _, name = wanted.rpartition(".")
        try:
            getattr(importlib.import_module(module), name)(row_id)
        except Exception:
            log.exception("job.failed", function=wanted, row_id=row_id)
        finally:
            self._seats.release()

    def teardown(self) -> None:
        """Told to stop: give what is nearly there a moment, and let go of the rest."""
        if self._stopped.asked:
            until = time.monotonic() + GRACE_SECONDS
            while assistant.has_work() and time.monotonic() < until:
                time.sleep(0.05)
            assistant.let_go()
        super().teardown()  # type: ignore[no-untyped-call]  # RQ's own
