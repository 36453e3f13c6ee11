"""A server that writes down what it is asked and answers what it was told to; no simulator."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(slots=True)
class Captured:
    """What came in: a user name and no password is how the key travels."""

    verb: str
    path: str
    fields: dict[str, str]
    user: str
    password: str


@dataclass(slots=True)
class Capture:
    status: int
    headers: dict[str, str]
    body: bytes
    url: str = ""
    requests: list[Captured] = field(default_factory=list)


@contextmanager
def capturing(status: int, headers: dict[str, str], body: Any) -> Iterator[Capture]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    capture = Capture(status, headers, content)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self._answer(urlsplit(self.path).query)

        def do_POST(self):
            self._answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

        def _answer(self, fields):
            _, _, encoded = self.headers["Authorization"].partition(" ")
            user, _, password = base64.b64decode(encoded).decode().partition(":")
            capture.requests.append(
                Captured(
                    self.command, urlsplit(self.path).path,
                    dict(parse_qsl(fields, keep_blank_values=True)), user, password,
                )
            )  # fmt: skip
            self.send_response(capture.status)
            for name, value in capture.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(capture.body)))
            self.end_headers()
            self.wfile.write(capture.body)

        def log_message(self, *_):
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    capture.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield capture
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
