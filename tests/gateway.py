"""A gateway on loopback that answers every call as a test tells it to, byte for byte."""

from __future__ import annotations

import base64
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

KEY = "db-0123456789abcdefghijABCDEFGHI"

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass(frozen=True, slots=True)
class Request:
    """A call as it arrived."""

    method: str
    path: str
    fields: dict[str, str]
    headers: Mapping[str, str]
    at: float

    @property
    def key(self) -> str:
        user = base64.b64decode(self.headers["Authorization"].removeprefix("Basic "))
        return user.decode().removesuffix(":")


@dataclass(slots=True)
class Served:
    """Answers calls in the order of `answers`; the last one stays."""

    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def tell(self, *answers: Answer) -> None:
        self.answers[:] = answers
        self.requests.clear()

    @property
    def last(self) -> Request:
        return self.requests[-1]


def said(status: int, body: object = None, **headers: str) -> Answer:
    """A whole answer; `body` is sent as it is, or as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {"Content-Type": "application/json"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }

    def answer(handler: BaseHTTPRequestHandler) -> None:
        _begin(handler, status, named | {"Content-Length": str(len(content))})
        handler.wfile.write(content)

    return answer


def refused(status: int, case: str, message: str = "no", **headers: str) -> Answer:
    """An error as the provider spells it."""
    detail = {"case": case, "message": message, "status_code": status, "docs": "", "payload": {}}
    return said(status, {"detail": detail}, **headers)


def streamed(content: bytes, *, end: str, chunked: bool = True, status: int = 200,
             **headers: str) -> Answer:  # fmt: skip
    """A stream that ends ``well``, ``early`` (closed in order), or with a ``reset``.

    Without `chunked` the end of the connection is the end of the body.
    """

    def answer(handler: BaseHTTPRequestHandler) -> None:
        frame = {"Transfer-Encoding": "chunked"} if chunked else {"Connection": "close"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        _begin(handler, status, {"Content-Type": "application/octet-stream"} | frame | named)
        for at in range(0, len(content), 1000):
            piece = content[at : at + 1000]
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
        if chunked and end == "well":
            handler.wfile.write(b"0\r\n\r\n")
        handler.close_connection = True
        if end == "reset":
            time.sleep(0.1)  # what was sent arrives before the reset
            reset(handler)

    return answer


def sized(content: bytes, *, told: int) -> Answer:
    """A body whose Content-Length tells another size than comes."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        _begin(handler, 200, {"Content-Length": str(told)})
        handler.wfile.write(content)
        handler.close_connection = True

    return answer


def reset(handler: BaseHTTPRequestHandler) -> None:
    """The connection is torn down."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def closed(handler: BaseHTTPRequestHandler) -> None:
    """The connection ends before an answer."""
    handler.close_connection = True


def silent(seconds: float) -> Answer:
    """Nothing is said for so long."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(seconds)
        handler.close_connection = True

    return answer


def _begin(handler: BaseHTTPRequestHandler, status: int, headers: Mapping[str, str]) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()


@contextmanager
def gateway(host: str = "127.0.0.1", tls: Any = None) -> Iterator[Served]:
    """A gateway that answers nothing useful until it is told to."""
    made = Served(answers=[said(404, {"detail": "not told"})])
    turn = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            parts = urlsplit(self.path)
            fields = dict(parse_qsl(body or parts.query, keep_blank_values=True))
            with turn:
                made.requests.append(
                    Request(self.command, parts.path, fields, self.headers, time.monotonic())
                )
                told = made.answers.pop(0) if len(made.answers) > 1 else made.answers[0]
            told(self)

        do_GET = do_POST = _answer  # noqa: N815

        def log_message(self, *arguments: object) -> None:
            """Nothing: stderr is pytest's."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *arguments: object) -> None:
            """A client that went away is part of the tests."""

    server = Server((host, 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    made.url = f"{'https' if tls else 'http'}://{host}:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
