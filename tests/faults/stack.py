"""Our processes, to be killed, frozen and started again; the simulator stays outside of it as the referee."""

import os
import signal
import sys
import threading
import time
from collections import Counter
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import requests

from bot import redis_server
from tests import processes
from tests.faults.breakages import Sizes, apply
from tests.stack import free_ports, until

SWEEP = timedelta(seconds=1)  # so often the clock hints campaigns here; an install waits 3 seconds


def web(port: int) -> None:
    """The callback's own way through the web process: `Front` passes nothing else on here."""
    from werkzeug.serving import make_server

    from bot.webhook import Front

    def nothing_else(environ: Any, start_response: Any) -> Any:
        start_response("404 NOT FOUND", [])
        return []

    make_server("127.0.0.1", port, Front(nothing_else), threaded=True).serve_forever()


def work(sizes: Sizes, broken: tuple[str, ...]) -> None:
    import worker

    apply(sizes, broken)
    sys.exit(worker.main(["broadcasts"]))


def keep_time(sweep: timedelta) -> None:
    from bot.jobs import clock, upkeep
    from bot.jobs.schedule import Entry

    clock.TICK_SECONDS, clock.RENEW_SECONDS = 0.1, 0.5
    clock.run(threading.Event(), [Entry("campaigns", sweep, upkeep.hint_campaigns)])


class Stack:
    """``redis``, ``web``, ``clock`` and ``worker 1`` …: each by its name."""

    def __init__(
        self, folder: Path, workers: int = 2, sizes: Sizes | None = None, broken: tuple[str, ...] = (), sweep=SWEEP
    ) -> None:
        self.folder, self.sizes, self.broken, self.sweep = folder, sizes or Sizes(), broken, sweep
        self.redis_folder = folder / "redis"
        self.redis_folder.mkdir(exist_ok=True)
        [self.port] = free_ports(1)
        self.address = f"http://127.0.0.1:{self.port}"
        self.workers = [f"worker {number}" for number in range(1, workers + 1)]
        self.names = ("redis", "web", "clock", *self.workers)
        self.running: dict[str, BaseProcess] = {}
        self.redis: Any = None
        self.killed: Counter[str] = Counter()
        self.told: list[str] = []  # every kill, with its time
        self.began = time.monotonic()

    def start(self, *names: str) -> None:
        for name in names or self.names:
            if name == "redis":
                self.redis = redis_server.start(self.redis_folder)
                assert self.redis is not None, "another Redis runs there"
            elif name == "web":
                self.running[name] = processes.start(web, self.port, log=self.log(name))
            elif name == "clock":
                self.running[name] = processes.start(keep_time, self.sweep, log=self.log(name))
            else:
                self.running[name] = processes.start(work, self.sizes, self.broken, log=self.log(name))

    def log(self, name: str) -> Path:
        return self.folder / f"{name.replace(' ', '')}.log"

    def logged(self, words: str) -> int:
        """How many lines of all logs hold these words."""
        logs = self.folder.glob("*.log")
        return sum(line.count(words) for log in logs for line in log.read_text(errors="replace").splitlines())

    def kill(self, name: str) -> None:
        """As kill -9 does."""
        if name == "redis":
            self.redis._process.kill()
            self.redis._process.wait()
        else:
            process = self.running.pop(name)
            assert process.is_alive(), f"{name} ended by itself\n{self.log(name).read_text()[-3000:]}"
            process.kill()
            process.join(10)
        self.killed[name.split()[0]] += 1
        self.told.append(f"{time.monotonic() - self.began:.2f} s {name}")

    def freeze(self, name: str) -> list[int]:
        """SIGSTOP for it and the process that does its job; returns both, for ``thaw``."""
        pid = self.running[name].pid
        assert pid
        pids = [pid, *horses(pid)]
        for each in pids:
            os.kill(each, signal.SIGSTOP)
        return pids

    def thaw(self, pids: list[int]) -> None:
        for each in pids:
            os.kill(each, signal.SIGCONT)

    def until_up(self) -> None:
        assert until(self._answers, 40), "the web process does not answer"

    def _answers(self) -> bool:
        try:
            return requests.post(f"{self.address}/wechat/nobody", data=b"-", timeout=5).status_code == 404
        except requests.RequestException:
            return False

    def end(self) -> None:
        for process in self.running.values():
            process.kill()
        for process in self.running.values():
            process.join(10)
        if self.redis is not None:
            self.redis.stop()


def horses(pid: int) -> list[int]:
    """The processes that a worker has forked for its jobs."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
