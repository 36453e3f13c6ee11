"""`hdi serve` as an operator starts it, and a cable to its servers that can be cut."""

from __future__ import annotations

import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from ingestor.settings import Settings
from tests.conftest import environment
from tests.processes import HDI, Process

TOKEN = "a-token-of-the-tests"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    json: Any

    @property
    def error(self) -> Any:
        assert set(self.json) == {"error"}
        return self.json["error"]


@dataclass(frozen=True)
class Api:
    """A process that answers."""

    process: Process
    url: str

    def get(self, path: str, headers: Mapping[str, str] = BEARER) -> Reply:
        request = urllib.request.Request(self.url + path, headers=dict(headers))
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return Reply(answer.status, answer.headers, json.load(answer))
        except urllib.error.HTTPError as answer:
            return Reply(answer.code, answer.headers, json.load(answer))

    def text(self, path: str, headers: Mapping[str, str] = BEARER) -> str:
        """What is no JSON."""
        request = urllib.request.Request(self.url + path, headers=dict(headers))
        with urllib.request.urlopen(request, timeout=20) as answer:
            return str(answer.read().decode())

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.process.text().splitlines()]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def serving(settings: Settings, log: Path, *words: str, **env: str) -> Iterator[Api]:
    """`hdi serve`, once it answers; killed at the end, should it still be there."""
    port = free_port()
    command = [*HDI, "serve", "--port", str(port), *words]
    process = Process(command, environment(settings) | env, log)
    api = Api(process, f"http://127.0.0.1:{port}")
    try:
        await_answer(api)
        yield api
    finally:
        process.stop()


def await_answer(api: Api) -> None:
    deadline = time.monotonic() + 30
    while True:
        assert api.process.popen.poll() is None, api.process.text()
        try:
            assert api.get("/healthz").json == {"status": "ok"}
            return
        except urllib.error.URLError:
            assert time.monotonic() < deadline, api.process.text()
            time.sleep(0.1)


class Cable:
    """Stands between a process and a server of the tests.

    Attributes:
        url: The server's, by way of this cable.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._server = (parts.hostname, parts.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port = self._listener.getsockname()[1]
        self._ends: list[socket.socket] = []
        login = parts.netloc.rpartition("@")[0]
        self.url = urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{self._port}"))
        self._listen()

    def _listen(self) -> None:
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(self._server)
                self._ends += [near, far]
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=_pump, args=pair, daemon=True).start()

    def cut(self) -> None:
        """Breaks every connection; new ones are refused."""
        # Wakes the thread that waits in accept, which would keep the port open.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._ends.clear()

    def mend(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._listen()

    close = cut


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while sent := source.recv(65_536):
            sink.sendall(sent)
        sink.shutdown(socket.SHUT_WR)


@contextmanager
def cabled(url: str) -> Iterator[Cable]:
    with closing(Cable(url)) as cable:
        yield cable
