"""Real processes of ours, to be killed: web processes on one database, and workers that claim at the same time."""

import multiprocessing
import os
import pkgutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import text

import bot.jobs
from tests.stack import free_ports, until

# Forked from a process that has imported the application already: each starts in a few milliseconds.
_context = multiprocessing.get_context("forkserver")
_jobs = [f"bot.jobs.{module.name}" for module in pkgutil.iter_modules(bot.jobs.__path__)]
_context.set_forkserver_preload(
    ["bot.app", *_jobs, "worker", "werkzeug.serving", "tests.faults.warm", "tests.faults.stack", "tests.processes"]
)


class Web:
    """A web process with the environment of this moment, on a port of its own."""

    def __init__(self, log: Path | None = None) -> None:
        ours, theirs = _context.Pipe()
        self.process = _context.Process(target=_serve, args=(dict(os.environ), theirs, str(log or "")), daemon=True)
        self.process.start()
        assert ours.poll(30), "the web process did not start"
        self.address = f"http://127.0.0.1:{ours.recv()}"

    def kill(self) -> None:
        """As kill -9 does."""
        self.process.kill()
        self.process.join(10)
        assert not self.process.is_alive()


def _serve(environment: dict[str, str], pipe: Connection, log: str) -> None:
    _become(environment, log)
    from werkzeug.serving import make_server

    from bot.app import create_app

    server = make_server("127.0.0.1", 0, create_app(), threaded=True)
    pipe.send(server.server_port)
    server.serve_forever()


@contextmanager
def web_processes(count: int) -> Iterator[list[Web]]:
    """So many, killed at the end."""
    with ExitStack() as stack:
        found = []
        for _ in range(count):
            found.append(Web())
            stack.callback(found[-1].kill)
        yield found


class Granian:
    """The web process as `lobby up` starts it."""

    def __init__(self, log: Path, threads: int = 16) -> None:
        [port] = free_ports(1)
        self.address = f"http://127.0.0.1:{port}"
        spec = find_spec("wsgi")
        assert spec
        assert spec.origin
        command = [sys.executable, "-m", "granian", "--interface", "wsgi", f"{spec.origin}:app"]
        command += ["--port", str(port), "--http", "1", "--no-ws", "--blocking-threads", str(threads)]
        with log.open("a") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
        assert until(self._answers, 40), log.read_text()[-2000:]

    def _answers(self) -> bool:
        try:
            return requests.post(f"{self.address}/wechat/nobody", data=b"-", timeout=5).status_code == 404
        except requests.RequestException:
            return False

    def kill(self) -> None:
        """kill -9, its worker too."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)


@contextmanager
def granian(log: Path) -> Iterator[Granian]:
    web = Granian(log)
    try:
        yield web
    finally:
        if web.process.poll() is None:
            web.kill()


def at_once(count: int, act: Callable[..., Any], *arguments: Any) -> list[Any]:
    """Call a function of a module in so many processes at the same moment; what each returned."""
    barrier = _context.Barrier(count)
    pipes, processes = [], []
    for number in range(count):
        ours, theirs = _context.Pipe()
        inputs = (dict(os.environ), theirs, barrier, act, (number, *arguments))
        processes.append(_context.Process(target=_act, args=inputs, daemon=True))
        processes[-1].start()
        pipes.append(ours)
    try:
        results = []
        for pipe in pipes:
            assert pipe.poll(120), "a process did not come back"
            results.append(pipe.recv())
    finally:
        for process in processes:
            process.kill()
            process.join(10)
    failed = [result for result in results if isinstance(result, Exception)]
    if failed:
        raise failed[0]
    return results


def start(act: Callable[..., Any], *arguments: Any, log: Path | None = None) -> BaseProcess:
    """Let a function of a module run in a process of its own, with the environment of this moment."""
    process = _context.Process(target=_run, args=(dict(os.environ), str(log or ""), act, arguments), daemon=True)
    process.start()
    return process


def _run(environment: dict[str, str], log: str, act: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    _become(environment, log)
    act(*arguments)


def _act(environment: dict[str, str], pipe: Connection, barrier: Any, act: Callable[..., Any], inputs: Any) -> None:
    _become(environment, "")
    try:
        if "LOBBY_DATABASE_URL" in environment:  # connected before the race begins: that takes each another time
            from bot.database import transaction

            with transaction() as session:
                session.execute(text("SELECT 1"))
        barrier.wait(30)
        pipe.send(act(*inputs))
    except Exception as error:
        pipe.send(RuntimeError(repr(error)))
    time.sleep(0.2)  # until it is read


def _become(environment: dict[str, str], log: str) -> None:
    """This process is new: its own environment and output, nothing remembered."""
    os.environ.clear()
    os.environ.update(environment)
    if log:
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
    from bot import clock, fault_points
    from bot.settings import settings

    clock.follow(settings().clock_file)
    fault_points.arm(os.environ.get("LOBBY_TEST_KILL_AT", ""))
