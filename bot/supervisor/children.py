"""Child processes that are started again when they die, and that never outlive us."""

import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

BACK_OFF_SECONDS = (0.5, 30.0)  # the first wait, doubling up to the last
HEALTHY_SECONDS = 60  # a child that lived this long starts again with the first wait
LOG_BYTES = 10_000_000
LOGS_KEPT = 3
ECHOED = 5  # errors shown for each child in a minute; the rest is in its log
STOP_SECONDS = 7.0  # then a child is killed: the promise is 10 s for everything

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_ERROR = re.compile(r'\[(?:error|critical)\s*\]|"level": "(?:error|critical)"')

_EXCEPTION = re.compile(r"[\w.]+(?:Error|Exception|Refused|BadSettings): ")

Say = Callable[[str], None]


class Child:
    """One process, its log, and its back-off.  It leads a session of its own, so that Ctrl-C reaches only us."""

    def __init__(self, name: str, arguments: list[str], env: dict[str, str], log: Path) -> None:
        self.name, self.log = name, log
        self._arguments, self._env = arguments, env
        self._process: subprocess.Popen[bytes] | None = None
        self._started = self._start_at = 0.0
        self._failures = 0
        self._read = 0  # bytes of the log that were looked at
        self._echoes: list[float] = []
        rotate(log)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Begin, from the main thread only: the death signal comes when the thread that forked ends."""
        self._process = spawn([sys.executable, *self._arguments], self._env, self.log)
        self._started = time.monotonic()

    def look(self, say: Say) -> None:
        """Start it again if it died and its wait is over; show new errors of its log."""
        self._echo(say)
        if self._process is None:
            if time.monotonic() >= self._start_at:
                self.start()
        elif self._process.poll() is not None:
            code, session = self._process.returncode, self._process.pid
            kill_session(session)  # what it left, such as the web server's own worker, still holds the port
            self._process = None
            lived = time.monotonic() - self._started
            self._failures = 0 if lived > HEALTHY_SECONDS else self._failures
            wait = min(BACK_OFF_SECONDS[0] * 2**self._failures, BACK_OFF_SECONDS[1])
            self._failures += 1
            self._start_at = time.monotonic() + wait
            say(f"{self.name} {_ending(code)}{self._last_words(code)}; starting it again in {wait:g} s.")

    def ask_to_stop(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.terminate()

    def has_stopped(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def bury(self) -> None:
        """Kill what is left of it."""
        if self._process:
            kill_session(self._process.pid)
            self._process.wait()
            self._process = None

    def _echo(self, say: Say) -> None:
        size = self.log.stat().st_size if self.log.exists() else 0
        if size > LOG_BYTES:  # the child appends, so that emptying the file under it is safe
            shutil.copyfile(self.log, self.log.with_suffix(".log.1"))
            os.truncate(self.log, 0)
            self._read = size = 0
        if size == self._read:
            return
        with open(self.log, "rb") as file:
            file.seek(self._read)
            fresh = file.read(64_000)
            self._read = file.tell()
        now = time.monotonic()
        self._echoes = [at for at in self._echoes if at > now - 60]
        for line in fresh.decode(errors="replace").splitlines():
            if _ERROR.search(line) and len(self._echoes) < ECHOED:
                self._echoes.append(now)
                rest = f" (more in {self.log})" if len(self._echoes) == ECHOED else ""
                say(f"{self.name}: {line[:300]}{rest}")

    def _last_words(self, code: int) -> str:
        """Why it ended, as far as its log tells."""
        if code <= 0:
            return ""
        with suppress(OSError):
            lines = self.log.read_text(errors="replace")[-4000:].strip().splitlines()
            errors = [line for line in lines if _EXCEPTION.match(line)] or lines
            return f" ({errors[-1].strip()[:200]})" if errors else ""
        return ""


class Keeper:
    """Keeps children alive until told to stop."""

    def __init__(self, children: Iterable[Child], say: Say) -> None:
        self.children = list(children)
        self._say = say

    def start(self) -> None:
        for child in self.children:
            child.start()

    def look(self) -> None:
        for child in self.children:
            child.look(self._say)

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """All at once; what does not end in time is killed."""
        for child in self.children:
            child.ask_to_stop()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not all(child.has_stopped() for child in self.children):
            time.sleep(0.02)
        for child in self.children:
            if not child.has_stopped():
                self._say(f"{child.name} did not stop in {seconds:g} s and is killed.")
            child.bury()


def spawn(arguments: list[str], env: dict[str, str], log: Path, stdout: int | None = None) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own that gets SIGTERM when we die, even by kill -9 (Linux)."""
    parent = os.getpid()

    def die_with_parent() -> None:
        if _libc:
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:  # it died between fork and here
                os._exit(1)

    with open(log, "ab") as file:
        return subprocess.Popen(  # noqa: S603 - our own modules, no shell
            arguments,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=file if stdout is None else stdout,
            stderr=file,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )


def kill_session(session: int) -> None:
    """Kill what is left of a child's session: RQ's work horses leave their group, not their session."""
    if sys.platform != "linux":
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(session, signal.SIGKILL)
    for pid in in_session(session):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def in_session(session: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            fields = entry.read_text().rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(int(entry.parent.name))
    return found


def rotate(log: Path) -> None:
    """Begin a new log; keep those of the last runs."""
    for number in range(LOGS_KEPT - 1, -1, -1):
        older = log.with_suffix(f".log.{number}" if number else ".log")
        if older.exists():
            older.replace(log.with_suffix(f".log.{number + 1}"))


def _ending(code: int) -> str:
    if code < 0:
        with suppress(ValueError):
            return f"was ended by {signal.Signals(-code).name}"
        return f"was ended by signal {-code}"
    return f"ended with exit code {code}" if code else "ended by itself"
