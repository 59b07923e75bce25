"""T35-T37: an address that a person typed leads to public web servers only, and costs what was asked for."""

import gzip
import itertools
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from bot import fetching
from bot.fetching import Network, Unfetchable, fetch, is_public
from bot.settings import settings
from tests.stack import until

PUBLIC = "93.184.215.14"


class Server:
    """Answers each connection as it is told, and remembers what it was asked."""

    def __init__(self, answer: bytes | Callable[[socket.socket], None], context: ssl.SSLContext | None = None) -> None:
        self.answer, self.context = answer, context
        self.asked: list[bytes] = []
        self.connections = 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connected, _address = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._one, args=(connected,), daemon=True).start()

    def _one(self, connected: socket.socket) -> None:
        with suppress(OSError):
            if self.context is not None:
                connected = self.context.wrap_socket(connected, server_side=True)
            self.asked.append(connected.recv(65536))
            if callable(self.answer):
                self.answer(connected)
            else:
                connected.sendall(self.answer)
            connected.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    made: list[Server] = []

    def serve(answer: bytes | Callable[[socket.socket], None], context: ssl.SSLContext | None = None) -> Server:
        made.append(Server(answer, context))
        return made[-1]

    yield serve
    for server in made:
        server.socket.close()


def http(body: bytes = b"", status: str = "200 OK", *headers: str) -> bytes:
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers])
    return f"{head}\r\n\r\n".encode() + body


def leading_to(server: Server, **names: str) -> Network:
    """Every name is at a public address, or where it is said to be; public addresses are the server."""

    def resolve(host: str, port: int) -> list[str]:
        try:
            return [str(each[4][0]) for each in socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST)]
        except OSError:
            return [names.get(host.partition(".")[0], PUBLIC)]

    def connect(address: str, port: int, seconds: float) -> socket.socket:
        to = server.port if is_public(address) else port
        return socket.create_connection(("127.0.0.1", to), seconds)

    return Network(resolve, connect)


def why(url: str, network: Network, **options: object) -> str:
    with pytest.raises(Unfetchable) as refusal:
        fetch(url, network=network, **options)  # type: ignore[arg-type]
    return refusal.value.why


def test_a_page_is_read_and_nothing_of_ours_is_sent(serve):
    server = serve(http("你好".encode(), "200 OK", "Content-Type: text/html", "Set-Cookie: a=b"))

    found = fetch("http://shop.example.com/秋茶?a=1#x", network=leading_to(server))

    assert (found.status, found.body.decode(), found.is_whole) == (200, "你好", True)
    assert found.content_type == "text/html"
    head = server.asked[0].decode().lower()
    assert head.startswith("get /%e7%a7%8b%e8%8c%b6?a=1 http/1.1\r\n")
    names = {line.partition(":")[0] for line in head.split("\r\n")[1:] if line}
    assert names == {"host", "user-agent", "accept", "accept-encoding", "connection"}
    assert "host: shop.example.com\r\n" in head


NEAR_US = [
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001",
    "0177.0.0x1", "127.0.0.1.", "0", "0.0.0.0", "00000000", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[::ffff:0:127.0.0.1]", "[64:ff9b::7f00:1]",
    "[64:ff9b::127.0.0.1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::]", "[2001:0:7f00:1::]",
    "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.1.1", "0xc0a80101",
    "3232235777", "169.254.169.254", "0xa9fea9fe", "2852039166", "0251.0376.0251.0376", "[::ffff:169.254.169.254]",
    "[fd00:ec2::254]", "100.64.0.1", "100.100.100.200", "0x64646464", "100.127.255.255", "168.63.129.16",
    "192.0.0.192", "192.0.0.1", "198.18.0.1", "198.19.255.254", "192.0.2.1", "198.51.100.1", "203.0.113.1",
    "192.88.99.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "[fe80::1]", "[fec0::1]",
    "[fc00::1]", "[fd12:3456::1]", "[ff02::1]", "[2001:db8::1]", "[3fff::1]", "[100::1]", "[5f00::1]", "[::2]",
    "１２７.０.０.１", "127。0。0。1", "①②⑦.0.0.1", "localhost", "LOCALHOST", "localhost.", "ⓛocalhost",
]  # fmt: skip


@pytest.mark.parametrize("host", NEAR_US)
def test_t35_no_spelling_leads_to_us(serve, host):
    canary = serve(http(b"secret"))
    network = leading_to(canary, localhost="127.0.0.1")
    to_canary = Network(network.resolve, lambda *_: socket.create_connection(("127.0.0.1", canary.port)))

    for scheme in ("http", "https"):
        assert why(f"{scheme}://{host}/", to_canary) in ("address", "name")
    assert canary.connections == 0


def test_t35_the_real_resolver_is_refused_too():
    for host in ("localhost", "127.0.0.1", "0x7f.1", "[::1]"):
        assert why(f"http://{host}/", Network()) == "address"


@pytest.mark.parametrize(
    "url",
    ["", "/", "shop.example.com", "//shop.example.com", "ftp://shop.example.com", "file:///etc/passwd", "gopher://a.com",
     "javascript:alert(1)", "http://", "http:///x", "http://me@shop.example.com", "http://me:pw@shop.example.com/",
     "http://@shop.example.com", "http://shop.example.com:8000", "http://shop.example.com:22/", "http://a.com:0",
     "http://a.com:99999", "http://a.com:x", "http://shop.example.com\\@127.0.0.1/", "http://a.com/\r\nHost: b",
     "http://a.com/a b", "http://a\tb.com/", "http://[fe80::1%25eth0]/", "http://a..com/", f"http://{'a' * 64}.com/",
     "http://a.com/" + "a" * 2048, "http://a\x00.com/", " http://a.com/"],
)  # fmt: skip
def test_what_is_no_public_web_address_is_refused(serve, url):
    server = serve(http())
    assert why(url, leading_to(server)) == "address"
    assert server.connections == 0


@pytest.mark.parametrize("address", ["8.8.8.8", "223.5.5.5", "1.1.1.1", "2400:3200::1", "2606:4700::1111"])
def test_a_public_address_is_one(address):
    assert is_public(address)


def test_a_public_address_beside_a_private_one_is_a_decoy(serve):
    server = serve(http())
    mixed = Network(lambda *_: [PUBLIC, "10.0.0.1"], leading_to(server).connect)
    assert why("http://shop.example.com/", mixed) == "address"
    assert server.connections == 0


def flips(canary: Server, server: Server) -> tuple[Network, list[str]]:
    """A name that is public, then ours, then public …; where connections went."""
    turn = itertools.cycle([PUBLIC, "127.0.0.1"])
    went: list[str] = []

    def connect(address: str, port: int, seconds: float) -> socket.socket:
        went.append(address)
        to = server if is_public(address) else canary
        return socket.create_connection(("127.0.0.1", to.port), seconds)

    return Network(lambda *_: [next(turn)], connect), went


def test_t36_a_name_that_changes_after_the_look_gains_nothing(serve):
    canary, server = serve(http(b"secret")), serve(http(b"public"))
    network, went = flips(canary, server)

    bodies = set()
    for _ in range(1000):
        with suppress(Unfetchable):
            bodies.add(fetch("http://flip.example.com/", network=network).body)

    assert bodies == {b"public"}
    assert canary.connections == 0
    assert set(went) == {PUBLIC}


def test_t36_negative_control_who_looks_twice_finds_the_canary(serve):
    canary, server = serve(http(b"secret")), serve(http(b"public"))
    network, _went = flips(canary, server)

    [checked] = network.resolve("flip.example.com", 80)
    assert is_public(checked)
    network.connect(*network.resolve("flip.example.com", 80), 80, 5).close()

    assert until(lambda: canary.connections == 1, 5)


def test_redirects_are_followed_three_times_and_no_further(serve):
    server = serve(http(b"", "302 Found", "Location: /next"))
    assert why("http://shop.example.com/", leading_to(server)) == "redirects"
    assert server.connections == 4


def test_a_redirect_may_lead_elsewhere(serve):
    def answer(connected: socket.socket) -> None:
        is_first = len(server.asked) == 1
        connected.sendall(http(b"", "301 Moved", "Location: //other.example.com/b") if is_first else http(b"there"))

    server = serve(answer)
    found = fetch("http://shop.example.com/a", network=leading_to(server))

    assert (found.url, found.body) == ("http://other.example.com/b", b"there")
    assert b"Host: other.example.com" in server.asked[1]


@pytest.mark.parametrize("to", ["http://127.0.0.1/", "http://169.254.169.254/latest/meta-data", "http://10.0.0.1/",
                                "file:///etc/passwd", "http://inside.example.com/", "http://me@a.com/", "http://a.com:22/",
                                "//[::1]/", "gopher://a.com"])  # fmt: skip
def test_each_redirect_is_checked_anew(serve, to):
    server = serve(http(b"", "302 Found", f"Location: {to}"))
    assert why("http://shop.example.com/", leading_to(server, inside="10.1.2.3")) == "address"
    assert server.connections == 1


def test_a_long_body_is_cut(serve):
    found = fetch("http://a.com/", most_bytes=1000, network=leading_to(serve(http(b"x" * 100_000))))
    assert (len(found.body), found.is_whole) == (1000, False)


def test_an_endless_body_is_cut(serve):
    def answer(connected: socket.socket) -> None:
        connected.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connected.sendall(b"x" * 65536)

    found = fetch("http://a.com/", most_bytes=1000, network=leading_to(serve(answer)))
    assert (len(found.body), found.is_whole) == (1000, False)


def test_a_packed_body_is_unpacked_up_to_what_was_asked_for(serve):
    bomb = gzip.compress(b"\0" * 50_000_000)
    network = leading_to(serve(http(bomb, "200 OK", "Content-Encoding: gzip")))
    begun = time.monotonic()

    found = fetch("http://a.com/", most_bytes=65536, network=network)

    assert (len(found.body), found.is_whole) == (65536, False)
    assert time.monotonic() - begun < 1
    small = leading_to(serve(http(gzip.compress(b"tea"), "200 OK", "Content-Encoding: gzip")))
    assert fetch("http://a.com/", network=small).body == b"tea"


def drip(connected: socket.socket) -> None:
    connected.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        connected.sendall(b"x")
        time.sleep(0.1)


def drip_head(connected: socket.socket) -> None:
    while True:
        connected.sendall(b"x")
        time.sleep(0.1)


@pytest.mark.parametrize("answer", [drip, drip_head, lambda _connected: time.sleep(5)])
def test_a_slow_answer_ends_at_the_time_limit(serve, answer):
    begun = time.monotonic()
    assert why("http://a.com/", leading_to(serve(answer)), seconds=0.6) == "silence"
    assert time.monotonic() - begun < 2


def test_the_time_is_for_all_redirects_together(serve):
    def answer(connected: socket.socket) -> None:
        time.sleep(0.4)
        connected.sendall(http(b"", "302 Found", "Location: /again"))

    assert why("http://a.com/", leading_to(serve(answer)), seconds=0.6) == "silence"


def test_a_slow_name_ends_at_the_time_limit(serve):
    slow = Network(lambda *_: time.sleep(3) or [PUBLIC], leading_to(serve(http())).connect)  # type: ignore[func-returns-value]
    begun = time.monotonic()
    assert why("http://a.com/", slow, seconds=0.3) == "silence"
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize(
    "answer",
    [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 10_000 + b"\r\n",
     b"HTTP/1.1 200 OK\r\nA: " + b"x" * 200_000 + b"\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n" * 100_000,
     http(b"x", "200 OK", "Content-Encoding: br"), http(b"no gzip", "200 OK", "Content-Encoding: gzip"),
     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
)  # fmt: skip
def test_what_is_no_answer_is_none(serve, answer):
    assert why("http://a.com/", leading_to(serve(answer)), seconds=5) in ("answer", "silence")


def test_a_name_that_leads_nowhere_says_so(serve):
    def nowhere(host: str, port: int) -> list[str]:
        raise socket.gaierror("no such name")

    connect = leading_to(serve(http())).connect
    assert why("http://a.com/", Network(nowhere, connect)) == "name"
    assert why("http://a.com/", Network(lambda *_: [], connect)) == "name"


def test_the_next_address_is_tried_when_one_is_silent(serve):
    server = serve(http(b"second"))
    tried: list[str] = []

    def connect(address: str, port: int, seconds: float) -> socket.socket:
        tried.append(address)
        if len(tried) == 1:
            raise ConnectionRefusedError
        return socket.create_connection(("127.0.0.1", server.port), seconds)

    assert fetch("http://a.com/", network=Network(lambda *_: ["8.8.8.8", PUBLIC], connect)).body == b"second"
    assert tried == ["8.8.8.8", PUBLIC]


# TLS ------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def certified(tmp_path, monkeypatch) -> Iterator[ssl.SSLContext]:
    """A server's own certificate, for shop.example.com, that this machine trusts."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=shop.example.com", "-addext", "subjectAltName=DNS:shop.example.com",
         "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    fetching._tls.cache_clear()
    yield context
    fetching._tls.cache_clear()


def test_tls_is_proven_against_the_name(serve, certified, monkeypatch):
    server = serve(http(b"safe"), certified)
    network = leading_to(server)

    assert fetch("https://shop.example.com/", network=network).body == b"safe"
    assert fetch("https://SHOP.example.com./", network=network).body == b"safe"
    assert why("https://other.example.com/", network) == "tls"
    assert why(f"https://{PUBLIC}/", network) == "tls"

    monkeypatch.delenv("SSL_CERT_FILE")
    fetching._tls.cache_clear()
    assert why("https://shop.example.com/", network) == "tls"  # nobody vouches for it
    assert why("https://shop.example.com/", leading_to(serve(http(b"plain")))) == "tls"


# Practice -------------------------------------------------------------------------------------------------------------


@contextmanager
def told(monkeypatch, **values: str) -> Iterator[None]:
    with monkeypatch.context() as patch:
        for name, value in values.items():
            patch.setenv(f"LOBBY_{name.upper()}", value)
        settings.cache_clear()
        yield
    settings.cache_clear()


def test_in_practice_lobby_and_its_simulator_may_be_linked_to_and_nothing_else_here(serve, monkeypatch):
    lobby, simulator, other = serve(http(b"lobby")), serve(http(b"simulator")), serve(http(b"other"))
    addresses = [f"http://127.0.0.1:{server.port}" for server in (lobby, simulator, other)]

    with told(monkeypatch, base_url=addresses[0], wechat_url=addresses[1]):
        assert fetch(f"{addresses[0]}/p/1").body == b"lobby"
        assert fetch(f"{addresses[1]}/x").body == b"simulator"
        assert why(f"{addresses[2]}/", Network()) == "address"
        assert why(f"http://localhost:{lobby.port}/", Network()) == "address"
        assert why("http://127.0.0.1/", Network()) == "address"
    with told(monkeypatch, base_url=addresses[0], wechat_url="https://api.weixin.qq.com"):
        assert (
            why(f"{addresses[0]}/p/1", Network()) == "address"
        )  # no practice: WeChat's phones could not open it either
    assert other.connections == 0
