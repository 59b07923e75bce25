"""The background processes: `python worker.py [QUEUE…]` works on queues, `python worker.py clock` is the clock."""

import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from bot import clock as our_clock
from bot import logs, queue
from bot.settings import BadSettings, settings

USAGE = f"usage: python worker.py [clock | {' | '.join(queue.QUEUES)} …]"


def main(argv: Sequence[str] | None = None) -> int:
    """Run until told to stop; returns the exit code.  Without a name: one process for each queue."""
    names = list(dict.fromkeys(sys.argv[1:] if argv is None else argv)) or list(queue.QUEUES)
    if any(name not in queue.QUEUES for name in names) and names != ["clock"]:
        sys.stderr.write(USAGE + "\n")
        return 2
    try:
        known = settings()
    except BadSettings as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if len(names) > 1:
        return _each(names)
    our_clock.follow(known.clock_file)
    logs.setup(known.log_format, "clock" if names == ["clock"] else f"worker {names[0]}")
    if names == ["clock"]:
        return _clock()
    from bot.jobs import worker  # brings RQ and all jobs: the parent of several needs neither

    return worker.run(names[0])


def _clock() -> int:
    from bot.jobs import clock

    stop = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: stop.set())
    clock.run(stop)
    return 0


def _each(names: Sequence[str]) -> int:
    """One process for each queue, as a job can get lost by a worker that listens to several; all end together."""
    stop = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: stop.set())
    children = [subprocess.Popen([sys.executable, str(Path(__file__).resolve()), name]) for name in names]  # noqa: S603
    while not stop.wait(0.2) and all(child.poll() is None for child in children):
        pass
    for child in children:
        child.terminate()
    codes = [child.wait() for child in children]
    return 0 if stop.is_set() else max(abs(code) for code in codes) or 1


if __name__ == "__main__":
    sys.exit(main())
