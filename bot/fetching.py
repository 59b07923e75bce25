"""The one way to an address that a person typed: only to public web servers, and never more than was asked for.

A name is looked up once and the connection goes to just the address that was checked, so a name that leads elsewhere a
moment later (DNS rebinding) gains nothing.  A redirect begins anew.  Nothing of ours is sent: no cookie, no token.
"""

import io
import socket
import ssl
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, Literal
from urllib.parse import quote, urljoin, urlsplit

from bot.settings import settings

REDIRECTS = 3
HEAD_BYTES = 64 * 1024  # of an answer, beside its body
PORTS = {"http": 80, "https": 443}
ASKS = {"User-Agent": "Mozilla/5.0 (compatible; Lobby)", "Accept": "*/*", "Accept-Encoding": "identity"}

# Python calls these global, or might: clouds' own (Oracle's, Alibaba's, Azure's), 6to4 relays; of IPv6 what wraps an
# IPv4 address, and examples.
_NOT_PUBLIC = [ip_network(each) for each in ("192.0.0.0/24", "100.64.0.0/10", "168.63.129.16/32", "192.88.99.0/24",
                                             "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]  # fmt: skip
_GIVEN_OUT = ip_network("2000::/3")  # all of IPv6 that is in public use

_AS_THEY_ARE = "/%:@!$&'()*+,;=~-._?[]{}|^"  # other letters of a path are sent as UTF-8 in %XX

Why = Literal["address", "name", "silence", "tls", "answer", "redirects"]


class Unfetchable(Exception):
    """No answer.

    ``why``: "address": not one that we go to; "name": leads nowhere; "silence": no connection, or not in time; "tls":
    not proven to be who it says; "answer": not one that a web server gives; "redirects": too many.
    """

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Fetched:
    status: int
    url: str  # after all redirects
    content_type: str
    body: bytes  # unpacked
    is_whole: bool  # False: it was longer


def _resolve(host: str, port: int) -> list[str]:
    return [str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _connect(address: str, port: int, seconds: float) -> socket.socket:
    return socket.create_connection((address, port), seconds)


@dataclass(frozen=True, slots=True)
class Network:
    """How names become addresses and addresses connections; tests have one of their own."""

    resolve: Callable[[str, int], list[str]] = _resolve
    connect: Callable[[str, int, float], socket.socket] = _connect


@dataclass(frozen=True, slots=True)
class _Target:
    scheme: str
    host: str  # as it stands in a certificate
    port: int
    asked: str  # path and query

    @property
    def is_ours(self) -> bool:
        """Practice: the simulator and Lobby's own pages are on this machine, and may be linked to."""
        if not settings().is_practice:
            return False
        ours = (urlsplit(each) for each in (settings().base_url, settings().wechat_url))
        return (self.scheme, self.host, self.port) in [
            (each.scheme, each.hostname, each.port or PORTS[each.scheme]) for each in ours
        ]


def fetch(url: str, *, most_bytes: int = 64 * 1024, seconds: float = 10.0, network: Network | None = None) -> Fetched:
    """Ask for an address and return at most ``most_bytes`` of what it answers; ``seconds`` is for all of it.

    Raises:
        Unfetchable: there is no answer.
    """
    deadline = time.monotonic() + seconds
    network = network or Network()
    for _ in range(REDIRECTS + 1):
        found, location = _ask(url, most_bytes, deadline, network)
        if not location:
            return found
        url = urljoin(found.url, location)
    raise Unfetchable("redirects")


def is_public(address: str) -> bool:
    """Is it somewhere on the Internet, and nowhere near us?"""
    found = ip_address(address)
    if isinstance(found, IPv6Address) and found not in _GIVEN_OUT:
        return False
    return found.is_global and not found.is_multicast and not any(found in each for each in _NOT_PUBLIC)


def _ask(url: str, most_bytes: int, deadline: float, network: Network) -> tuple[Fetched, str]:
    """One answer, and where it leads on to."""
    target = _read(url)
    addresses = _look_up(target, deadline, network)
    try:
        wire = _Wire(_open(target, addresses, deadline, network), deadline, HEAD_BYTES + most_bytes)
    except ssl.SSLError:
        raise Unfetchable("tls") from None
    except OSError:
        raise Unfetchable("silence") from None
    host = f"[{target.host}]" if ":" in target.host else target.host
    named = host if target.port == PORTS[target.scheme] else f"{host}:{target.port}"
    connection = HTTPConnection(host)
    connection.auto_open = 0
    connection.sock = wire  # http.client needs no more of a socket
    try:
        connection.request("GET", target.asked, headers={"Host": named, **ASKS, "Connection": "close"})
        answer = connection.getresponse()
        location = answer.headers.get("Location", "") if answer.status in (301, 302, 303, 307, 308) else ""
        body, is_whole = (b"", True) if location else _body(answer, most_bytes)
    except (HTTPException, ValueError, zlib.error):  # a ValueError: a number that is none
        raise Unfetchable("answer") from None
    except OSError:
        raise Unfetchable("silence") from None
    finally:
        wire.hang_up()
    content_type = answer.headers.get("Content-Type", "")
    return Fetched(answer.status, url, content_type, body, is_whole), location


def _read(url: str) -> _Target:
    """What an address says.  Whoever reads it otherwise than we do has no say: only the parts go on."""
    if len(url) > 2048 or "\\" in url or any(character <= " " or character == "\x7f" for character in url):
        raise Unfetchable("address")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode().lower().removesuffix(".")
    except ValueError:  # UnicodeError is one
        raise Unfetchable("address") from None
    if parts.scheme not in PORTS or not host or "@" in parts.netloc or "%" in host:
        raise Unfetchable("address")
    asked = quote(parts.path or "/", safe=_AS_THEY_ARE)
    if parts.query:
        asked += "?" + quote(parts.query, safe=_AS_THEY_ARE)
    target = _Target(parts.scheme, host, port if port is not None else PORTS[parts.scheme], asked)
    if target.port not in PORTS.values() and not target.is_ours:
        raise Unfetchable("address")
    return target


def _look_up(target: _Target, deadline: float, network: Network) -> list[str]:
    """Once; every address must be one that we go to, as a public one among them may be a decoy."""
    pool = ThreadPoolExecutor(1)  # a resolver knows no time limit
    try:
        found = pool.submit(network.resolve, target.host, target.port).result(max(0.0, deadline - time.monotonic()))
    except TimeoutError:
        raise Unfetchable("silence") from None
    except (OSError, UnicodeError):
        raise Unfetchable("name") from None
    finally:
        pool.shutdown(wait=False)
    if not found:
        raise Unfetchable("name")
    if not target.is_ours and not all(is_public(address.partition("%")[0]) for address in found):
        raise Unfetchable("address")
    return list(dict.fromkeys(found))


def _open(target: _Target, addresses: list[str], deadline: float, network: Network) -> socket.socket:
    """A connection to the first address that takes one.

    Raises:
        OSError: none does.
    """
    problem: OSError = TimeoutError()
    for at, address in enumerate(addresses[:4]):
        left = deadline - time.monotonic()
        if left <= 0:
            break
        try:
            plain = network.connect(address, target.port, left / 2 if at + 1 < len(addresses) else left)
        except OSError as error:
            problem = error
            continue
        if target.scheme == "http":
            return plain
        try:
            plain.settimeout(max(0.01, deadline - time.monotonic()))
            return _tls().wrap_socket(plain, server_hostname=target.host)
        except BaseException:
            plain.close()
            raise
    raise problem


@lru_cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


class _Wire(io.RawIOBase):
    """A socket that gives up at the deadline, however slowly the bytes drip, and after so many of them."""

    def __init__(self, connected: socket.socket, deadline: float, most_bytes: int) -> None:
        self.socket, self.deadline, self.left = connected, deadline, most_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._hurry()
        if self.left <= 0:
            raise HTTPException("more than was asked for")
        count = self.socket.recv_into(memoryview(buffer)[: self.left])
        self.left -= count
        return count

    def sendall(self, data: bytes) -> None:
        self._hurry()
        self.socket.sendall(data)

    def makefile(self, *_how: object) -> io.BufferedReader:
        return io.BufferedReader(self)

    def close(self) -> None:
        """Nothing: http.client closes before it has read the body."""

    def hang_up(self) -> None:
        self.socket.close()

    def _hurry(self) -> None:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.socket.settimeout(left)


def _body(answer: HTTPResponse, most_bytes: int) -> tuple[bytes, bool]:
    """As much of it as was asked for, unpacked, and whether that is all."""
    match answer.headers.get("Content-Encoding", "identity").lower():
        case "" | "identity":
            body = answer.read(most_bytes + 1)
            return body[:most_bytes], len(body) <= most_bytes
        case "gzip" | "x-gzip":
            unpacking, unpacked = zlib.decompressobj(31), b""
        case _:
            raise HTTPException("an encoding that we did not ask for")
    while len(unpacked) <= most_bytes and (packed := answer.read(8192)):
        unpacked += unpacking.decompress(packed, most_bytes + 1 - len(unpacked))
    return unpacked[:most_bytes], len(unpacked) <= most_bytes
