"""Places at which a test kills this process, to see that nothing is lost or done twice (docs/faults.md)."""

import os
import signal

_at = ""
_left = 0


def arm(where: str) -> None:
    """Die at a place: "name", or "name:3" the third time this process gets there; "": nowhere."""
    global _at, _left
    _at, _, times = where.partition(":")
    _left = int(times or 1)


def fault_point(name: str) -> None:
    global _left
    if name == _at:
        _left -= 1
        if _left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


arm(os.environ.get("LOBBY_TEST_KILL_AT", ""))  # only test stacks set it
