"""Where the web process and the simulator listen."""

import errno
import http.client
import socket
import time
from contextlib import closing
from urllib.parse import urlsplit

from bot.errors import Refused
from bot.supervisor.signals import Signals

PATIENCE_SECONDS = 10  # for the processes of a killed run to end


def await_free(host: str, ports: dict[str, int], signals: Signals, patient: bool) -> None:
    """Make sure that all ports, by the option that sets them, can be had.

    ``patient``: after a killed run, whose processes get time to end.

    Raises:
        Refused: one is taken, or is none of this machine's.
    """
    if len(set(ports.values())) < len(ports):
        raise Refused("{options} are the same; use two different ports.", options=" and ".join(ports))
    deadline = time.monotonic() + (PATIENCE_SECONDS if patient else 0)
    for option, port in ports.items():
        while why := _taken(host, port):
            if why == "taken" and time.monotonic() < deadline:
                signals.wait(0.1)
                continue
            if why == "taken":
                raise Refused(
                    "Port {port} is taken by another program; stop it, or choose another with {option}.",
                    port=port,
                    option=option,
                )
            raise Refused("--host {host}, {option} {port}: {why}.", host=host, option=option, port=port, why=why)


def _taken(host: str, port: int) -> str:
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with closing(socket.socket(family, kind, protocol)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
            probe.listen(1)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return "taken"
        return (error.strerror or str(error)).lower()
    return ""


def free_port() -> int:
    """One of this machine's own that nobody has now."""
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        return int(probe.getsockname()[1])


def answers(url: str, path: str) -> bool:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def is_local(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def address(host: str, port: int) -> str:
    """Where a browser on this machine finds what listens there."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - not bound, read
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
