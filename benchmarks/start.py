"""`lobby up` as a newcomer meets it: `python -m benchmarks.start [--rounds 3]`.

Seconds from the command to "Lobby is ready" in an empty folder, and the memory of all its processes at rest.
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LOBBY = Path(sys.executable).with_name("lobby")
REST_SECONDS = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    ready, memory = [], []
    for _round in range(parser.parse_args().rounds):
        with tempfile.TemporaryDirectory() as folder:
            started = time.monotonic()
            process = subprocess.Popen(
                [LOBBY, "up", "--port", "8210", "--sim-port", "8211"],
                env={**os.environ, "LOBBY_DATA_DIR": folder},
                stdout=subprocess.PIPE,
                text=True,
            )
            assert process.stdout
            while "Lobby is ready" not in (line := process.stdout.readline()):
                assert line, "it ended before it was ready"
            ready.append(time.monotonic() - started)
            time.sleep(REST_SECONDS)
            memory.append(proportional_mb(of_folder(folder)))
            process.send_signal(signal.SIGTERM)
            process.wait(15)
    print("| | median | worst |")
    print("|---|---|---|")
    print(f"| ready after, s | {statistics.median(ready):.1f} | {max(ready):.1f} |")
    print(f"| memory of all processes at rest, MB | {statistics.median(memory):.0f} | {max(memory):.0f} |")


def of_folder(folder: str) -> list[int]:
    """All processes that were told of it: Redis is nobody's child, as it may outlive a killed run."""
    return [
        int(entry.name)
        for entry in Path("/proc").glob("[0-9]*")
        if entry.name != str(os.getpid()) and f"LOBBY_DATA_DIR={folder}\0".encode() in _environment(entry)
    ]


def _environment(entry: Path) -> bytes:
    try:
        return (entry / "environ").read_bytes()
    except OSError:  # it just ended, or is somebody else's
        return b""


def proportional_mb(pids: list[int]) -> float:
    """Pages that several processes share count once in all (PSS)."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1000


if __name__ == "__main__":
    main()
