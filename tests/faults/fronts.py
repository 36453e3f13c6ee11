"""A gateway before the simulator's: it passes every call on, and hands out other payloads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from ingestor.simulator.routes import GET_RANGE, HEADER

Fields = Mapping[str, str]
Change = Callable[[Fields, bytes], Iterable[bytes]]
"""The request's fields and the simulator's payload → the pieces of the body to send instead."""

_PASSED_ON: Final = ("Content-Type", "Retry-After", "X-Warning", HEADER)


class Front:
    """Attributes: `url`; `change`, which may be set while it serves; `longest` body, in bytes."""

    def __init__(self, behind: str, change: Change) -> None:
        self.behind = urlsplit(behind).netloc
        self.change = change
        self.url = ""
        self.longest = 0

    def ask(self, handler: BaseHTTPRequestHandler) -> tuple[int, dict[str, str], bytes, Fields]:
        """What the simulator answers, and what it was asked."""
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        connection = HTTPConnection(self.behind, timeout=60)
        named = ("Authorization", "Content-Type", "Accept", "User-Agent")
        headers = {name: found for name in named if (found := handler.headers.get(name))}
        connection.request(handler.command, handler.path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        passed = {name: found for name in _PASSED_ON if (found := answer.getheader(name))}
        return answer.status, passed, content, dict(parse_qsl(body.decode()))


@contextmanager
def in_front(behind: str, change: Change) -> Iterator[Front]:
    """Serves in threads of this process until the block ends."""
    front = Front(behind, change)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(front))
    server.daemon_threads = True
    front.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, name="front", daemon=True)
    thread.start()
    try:
        yield front
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(front: Front) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._pass_on()

        def do_POST(self) -> None:
            self._pass_on()

        def _pass_on(self) -> None:
            status, headers, content, fields = front.ask(self)
            pieces: Iterable[bytes] = (content,)
            if self.path.endswith(GET_RANGE) and status < 300:
                pieces = front.change(fields, content)
            # Its end is the connection's: a body of any length, and no word of how long it is.
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            sent = 0
            with suppress(ConnectionError):
                for piece in pieces:
                    self.wfile.write(piece)
                    sent += len(piece)
            front.longest = max(front.longest, sent)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    return Handler
