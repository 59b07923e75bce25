"""Places at which a test kills this process, to see that nothing is lost or done twice (docs/faults.md)."""

import os
import signal

# "name" or "name:3", the third time it is reached by this process; only test stacks set it.
_AT, _, _TIMES = os.environ.get("LOBBY_TEST_KILL_AT", "").partition(":")
_left = int(_TIMES or 1)


def fault_point(name: str) -> None:
    global _left
    if name == _AT:
        _left -= 1
        if _left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
