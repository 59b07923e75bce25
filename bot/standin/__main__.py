"""The stand-in's process: ``python -m bot.standin --port PORT``, on this machine only."""

import argparse
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from bot.standin.app import Model


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128

    def server_bind(self) -> None:
        self.socket.settimeout(None)
        super().server_bind()


class Quiet(WSGIRequestHandler):
    """No line for each request, and no look at the name of who asks, which may take seconds."""

    def log_message(self, format: str, *args: object) -> None: ...

    def address_string(self) -> str:
        return str(self.client_address[0])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bot.standin")
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    with make_server("127.0.0.1", port, Model(), server_class=Server, handler_class=Quiet) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
