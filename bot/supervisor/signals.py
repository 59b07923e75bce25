"""Ctrl-C and SIGTERM: they end a wait, never a step."""

import select
import signal
import socket
from contextlib import suppress
from typing import Any, Self

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Stopped(Exception):
    """Ctrl-C or SIGTERM arrived while something was awaited."""


class Signals:
    """SIGTERM, SIGINT and SIGHUP end the waiting; coming twice or to the whole group changes nothing."""

    def __enter__(self) -> Self:
        self.arrived = False
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        for number in ENDING:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup means it
                signal.signal(number, self._arrive)
        return self

    def __exit__(self, *_: object) -> None:
        # Not the old handlers: a second Ctrl-C while Python ends would turn a clean stop into a traceback.
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)
        self._reader.close()
        self._writer.close()

    def wait(self, seconds: float) -> None:
        """Sleep.

        Raises:
            Stopped: at once, when a signal arrives.
        """
        if not self.arrived:
            select.select([self._reader], [], [], seconds)
        if self.arrived:
            raise Stopped

    def _arrive(self, *_: Any) -> None:
        self.arrived = True
        with suppress(OSError):
            self._writer.send(b"!")
