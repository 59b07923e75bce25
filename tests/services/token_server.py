"""WeChat's token call and one other call, with lives and refusals as a test wants them, counted."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class TokenServer:
    def __init__(self, life: float = 7200.0, told_life: int = 7200) -> None:
        self.life, self.told_life = life, told_life  # seconds a token really works, and what is said of it
        self.lock = threading.Lock()
        self.issued: list[tuple[str, float]] = []  # token and when, monotonic
        self.fetches = 0
        self.calls = 0
        self.refused = 0
        self.refuse_all = False
        self.token_error: dict[str, object] | None = None
        self.delay = 0.0
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.answer(server.fetch())

            def do_GET(self) -> None:
                self.answer(server.call(self.path.partition("access_token=")[2].partition("&")[0]))

            def answer(self, body: dict[str, object]) -> None:
                data = json.dumps(body).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None: ...

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

        self.http = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.http.server_port}"

    def fetch(self) -> dict[str, object]:
        time.sleep(self.delay)
        with self.lock:
            self.fetches += 1
            if self.token_error:
                return self.token_error
            if not self.issued or self._is_dead(time.monotonic()) or self.refuse_all:
                self.issued.append((f"plain-token-{len(self.issued)}", time.monotonic()))
            return {"access_token": self.issued[-1][0], "expires_in": self.told_life}

    def call(self, token: str) -> dict[str, object]:
        with self.lock:
            self.calls += 1
            if self.refuse_all or not self.issued or token != self.issued[-1][0] or self._is_dead(time.monotonic()):
                self.refused += 1
                return {"errcode": 40001, "errmsg": "invalid credential, access_token is invalid or not latest"}
            return {"tags": []}

    @property
    def expiries(self) -> int:
        with self.lock:
            return len(self.issued) - (not self._is_dead(time.monotonic()))

    def _is_dead(self, now: float) -> bool:
        return now - self.issued[-1][1] >= self.life
