"""A load of prepared requests over keep-alive connections, and the CPU that the server's processes spend on it."""

import os
import selectors
import socket
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Result:
    requests: int
    failed: int
    seconds: float
    cpu_ms: float  # user + system of all the server's processes, for each request
    p50_ms: float
    p99_ms: float
    rss_mb: float

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        found.append(waiting.pop())
        waiting += parents.get(found[-1], [])
    return found


def cpu_seconds(pids: Sequence[int]) -> float:
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def rss_mb(pids: Sequence[int]) -> float:
    return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids) * PAGE / 1e6


def run(port: int, requests: Sequence[bytes], pid: int, connections: int = 16) -> Result:
    """Send each request once, as fast as the server takes them; any answer but a 200 counts as failed."""
    pids = tree(pid)
    selector = selectors.DefaultSelector()
    waiting = iter(requests)
    latencies: list[float] = []
    failed = 0
    before, started = cpu_seconds(pids), time.perf_counter()
    started_at: dict[socket.socket, float] = {}
    buffers: dict[socket.socket, bytes] = {}

    def send(connection: socket.socket) -> None:
        request = next(waiting, None)
        if request is None:
            selector.unregister(connection)
            connection.close()
            return
        buffers[connection], started_at[connection] = b"", time.perf_counter()
        connection.sendall(request)

    for _ in range(connections):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ)
        send(connection)
    while selector.get_map():
        for key, _events in selector.select(timeout=30):
            connection = key.fileobj
            assert isinstance(connection, socket.socket)
            buffers[connection] += connection.recv(65536)
            head, found, body = buffers[connection].partition(b"\r\n\r\n")
            if not found or len(body) < _length(head):
                continue
            latencies.append((time.perf_counter() - started_at[connection]) * 1000)
            failed += not head.startswith(b"HTTP/1.1 200")
            send(connection)
    seconds = time.perf_counter() - started
    spent = cpu_seconds(pids) - before
    cuts = statistics.quantiles(latencies, n=100)
    return Result(len(latencies), failed, seconds, spent * 1000 / len(latencies), cuts[49], cuts[98], rss_mb(pids))


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
