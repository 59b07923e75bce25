"""The set-up process as the supervisor sees it: what it has reported, and whether it gave up."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from bot.errors import Refused
from bot.supervisor.children import rotate, spawn


class Setup:
    """The process that prepares (bot.supervisor.setup), and what it has reported."""

    def __init__(self, env: dict[str, str], log: Path, **options: Any) -> None:
        rotate(log)
        self._log = log
        self._done: set[str] = set()
        self._rest = b""
        self.sign_in = ""
        # Told, not imported: bot.queue brings SQLAlchemy and RQ, 30 MB that the supervisor would hold for ever.
        self.queues: list[str] = []
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        self._pipe = os.fdopen(reader, "rb", buffering=0)
        arguments = [sys.executable, "-m", "bot.supervisor.setup", json.dumps(options)]
        self._process: subprocess.Popen[bytes] = spawn(arguments, env, log, stdout=writer)
        os.close(writer)
        self.pid = self._process.pid

    def has_done(self, *steps: str) -> bool:
        return self._done.issuperset(steps)

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def check(self) -> None:
        """Read what it reported.

        Raises:
            Refused: it gave up.
        """
        ended = self.has_ended()
        self._rest += self._pipe.read() or b""
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            report = json.loads(line)
            if "refused" in report:
                raise Refused("{sentence}", sentence=report["refused"])
            self._done.add(report["done"])
            self.queues = report.get("queues", self.queues)
            self.sign_in = report.get("sign_in", self.sign_in)
        if ended and "all" not in self._done:
            last = (self._log.read_text(errors="replace").strip().splitlines() or ["no message"])[-1]
            raise Refused("Preparing failed: {why} (see {log}).", why=last.rstrip("."), log=self._log)

    def ask_to_stop(self) -> None:
        if not self.has_ended():
            self._process.terminate()

    def bury(self, seconds: float = 1.0) -> None:
        """Not its session: the Redis that it started lives there."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._pipe.close()
