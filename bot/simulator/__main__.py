"""Serves the simulator: python -m bot.simulator --host 127.0.0.1 --port 8001 --data-dir var/sim."""

import argparse
import os
import threading
import time
from functools import partial
from pathlib import Path

from flask import Flask
from granian import Granian
from granian.constants import Interfaces

from bot.simulator.app import create_app

THREADS = 256  # of which nearly all wait: pushes up to 15 seconds for the platform, phones up to 20 for news


def main(host: str, port: int, data_dir: Path, clock_file: Path | None = None) -> None:
    """Serve until SIGTERM or Ctrl-C; requests under way get 3 seconds."""
    server = Granian(
        "bot.simulator",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=1,  # its memory of who waits is one process's
        blocking_threads=THREADS,
        websockets=False,
        log_access=False,
        workers_kill_timeout=3,
    )
    server.serve(target_loader=partial(_load, data_dir, clock_file), wrap_loader=False)


def _load(data_dir: Path, clock_file: Path | None) -> Flask:
    """In the serving process; it must not outlive the one that started it, or it would keep the port."""
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    return create_app(data_dir, clock_file)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bot.simulator", description="A stand-in for WeChat's server.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--data-dir", type=Path, default=Path("var/sim"))
    parser.add_argument("--clock-file", type=Path, help="where the platform reads how far the time was moved")
    arguments = parser.parse_args()
    main(arguments.host, arguments.port, arguments.data_dir, arguments.clock_file)
