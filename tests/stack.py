"""A real ``lobby up`` on free ports, and ways to see what is left of it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

LOBBY = str(Path(sys.executable).with_name("lobby"))


class Stack:
    def __init__(self, data_dir: Path, *options: str, **environment: str) -> None:
        self.data_dir = data_dir
        self.port, self.sim_port = free_ports(2)
        self.output = data_dir.parent / f"up-{time.monotonic_ns()}.txt"
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("LOBBY_")}
        self.environment |= {"LOBBY_DATA_DIR": str(data_dir), **environment}
        ports = ["--port", str(self.port), "--sim-port", str(self.sim_port)]
        with open(self.output, "w") as output:
            self.process = subprocess.Popen(
                [LOBBY, "up", *ports, *options],
                env=self.environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self.output.read_text()

    def until_said(self, pattern: str, seconds: float = 40, after: int = 0) -> None:
        def seen() -> bool:
            assert self.process.poll() is None, self.told()
            return re.search(pattern, self.said[after:]) is not None

        assert until(seen, seconds), f"never said: {pattern}\n{self.told()}"

    def until_ready(self) -> None:
        self.until_said(r"(?m)^Lobby is ready$")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [LOBBY, *arguments], env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )

    def run_json(self) -> dict[str, Any]:
        return json.loads((self.data_dir / "run.json").read_text())

    def redis_pid(self) -> int | None:
        return next((pid for pid in self.left() if "valkey" in cmdline(pid)), None)

    def children(self, *words: str) -> list[int]:
        return [pid for pid in self.left() if all(word in cmdline(pid) for word in words)]

    def left(self) -> list[int]:
        """Processes that know of this data folder."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                seen = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            except OSError:
                continue
            if str(self.data_dir).encode() in seen and int(entry.name) != os.getpid():
                found.append(int(entry.name))
        return found

    def locks_left(self) -> list[str]:
        inodes = {str(path.stat().st_ino) for path in [self.data_dir, *self.data_dir.rglob("*")]}
        lines = Path("/proc/locks").read_text().splitlines()
        return [line for line in lines if line.split()[-3].rpartition(":")[2] in inodes]

    def stop(self, number: int = signal.SIGTERM) -> int:
        os.killpg(self.process.pid, number)
        return self.process.wait(12)

    def end(self) -> None:
        """After a test that failed."""
        for pid in self.left():
            os.kill(pid, signal.SIGKILL)

    def told(self) -> str:
        logs = sorted((self.data_dir / "log").glob("*.log"))
        return self.said + "".join(f"\n-- {log.name}\n{log.read_text(errors='replace')[-1500:]}" for log in logs)


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def until(reached: Callable[[], object], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if reached():
            return True
        time.sleep(0.05)
    return bool(reached())


def cmdline(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
