"""A TCP proxy on loopback that holds, cuts or swallows what passes through it."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from ingestor.stack.process import LOOPBACK
from tests.proxy_rules import Direction, Rule, Watch

_READ = 65_536
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of no seconds: the other end sees a reset, not an orderly end."""

T = TypeVar("T")


class _Cut(Exception):
    """A rule ends the connection; `reset`: with a reset, not in order."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__()
        self.reset = reset


class _Connection:
    """One client and its way to the server."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._watch = Watch()
        self.pumps: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        ways: tuple[tuple[socket.socket, socket.socket, Direction], ...] = (
            (self._client, self._server, "requests"),
            (self._server, self._client, "answers"),
        )
        self.pumps = [asyncio.create_task(self._pump(*way)) for way in ways]
        try:
            await asyncio.gather(*self.pumps)
        except (_Cut, OSError, asyncio.CancelledError) as why:
            if not isinstance(why, _Cut) or why.reset:
                self._reset()
        finally:
            for each in self.pumps:
                each.cancel()
            await asyncio.gather(*self.pumps, return_exceptions=True)
            for end in (self._client, self._server):
                end.close()

    def _reset(self) -> None:
        for end in (self._client, self._server):
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)

    async def _pump(self, source: socket.socket, sink: socket.socket, way: Direction) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                data = await loop.sock_recv(source, _READ)
            except OSError:
                # a network that drops every packet drops a reset, too
                await self._proxy.flowing[way].wait()
                raise
            await self._proxy.flowing[way].wait()
            if not data:
                sink.shutdown(socket.SHUT_WR)
                return
            rule = self._striking(data, way)
            if rule is None or not rule.drop:
                await loop.sock_sendall(sink, data)
            if rule is not None:
                self._proxy.note_cut()
                rule.struck.set()
                raise _Cut(reset=rule.drop)

    def _striking(self, data: bytes, way: Direction) -> Rule | None:
        for rule in list(self._proxy.rules):
            if self._watch.strikes(rule, data, way):
                self._proxy.rules.remove(rule)
                return rule
        return None


class Proxy:
    """Made by `proxy`; its calls come from other threads and return when they have taken effect.

    Attributes:
        port: Where it listens on loopback.
        accepted: Connections since it started.
        cuts: Connections that it ended itself.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._loop = asyncio.new_event_loop()
        self._open: dict[_Connection, asyncio.Task[None]] = {}
        self._listener = socket.create_server((LOOPBACK, 0), backlog=512)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self.rules: list[Rule] = []
        self.flowing: dict[Direction, asyncio.Event] = {}
        self.accepted = 0
        self.cuts = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def connections(self) -> int:
        """Connections that are open now."""
        return len(self._open)

    def url(self, url: str) -> str:
        """`url` with the proxy's host and port in place of the server's."""
        parts = urlsplit(url)
        login = parts.netloc.rpartition("@")[0]
        netloc = f"{login}@{LOOPBACK}:{self.port}" if login else f"{LOOPBACK}:{self.port}"
        return urlunsplit(parts._replace(netloc=netloc))

    def hold(self, *directions: Direction) -> None:
        """Lets nothing pass any more, as a network that drops every packet; both ways if none."""

        def clear() -> None:
            for each in directions or tuple(self.flowing):
                self.flowing[each].clear()

        self._call(clear)

    def release(self) -> None:
        """Lets pass what was held, and all that follows."""

        def let_flow() -> None:
            for each in self.flowing.values():
                each.set()

        self._call(let_flow)

    def cut_all(self) -> int:
        """Resets every connection, held or not; how many there were."""
        return asyncio.run_coroutine_threadsafe(self._cut_all(), self._loop).result(10)

    def cut_after(
        self, count: int, *, direction: Direction = "requests", after: bytes = b""
    ) -> Rule:
        """Cuts the first connection on which more than `count` bytes pass from now on.

        Args:
            after: Counting begins behind these bytes, in either direction.
        """
        return self._add(Rule(direction, after, bytes_=count))

    def cut_on(
        self, pattern: bytes, *, direction: Direction = "answers", after: bytes = b"",
        drop: bool = True,
    ) -> Rule:  # fmt: skip
        """Cuts the first connection on which `pattern` passes; `drop`: it does not arrive.

        Args:
            after: Only a connection that these bytes have passed before, in either direction.
        """
        return self._add(Rule(direction, after, pattern, drop=drop))

    def forget(self, rule: Rule) -> None:
        """Takes back a rule that has not struck."""

        def remove() -> None:
            if rule in self.rules:
                self.rules.remove(rule)

        self._call(remove)

    def note_cut(self) -> None:
        self.cuts += 1

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.release()
        self.cut_all()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._listener.close()

    def _add(self, rule: Rule) -> Rule:
        self._call(lambda: self.rules.append(rule))
        return rule

    async def _cut_all(self) -> int:
        ending = dict(self._open)
        for connection in ending:
            for pump in connection.pumps:
                pump.cancel()
        await asyncio.gather(*ending.values(), return_exceptions=True)
        self.cuts += len(ending)
        return len(ending)

    def _call(self, what: Callable[[], T]) -> T:
        async def done() -> T:
            return what()

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result(10)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        ways: tuple[Direction, ...] = ("requests", "answers")
        for way in ways:
            self.flowing[way] = asyncio.Event()
            self.flowing[way].set()
        accepting = self._loop.create_task(self._accept())
        try:
            self._loop.run_forever()
        finally:
            accepting.cancel()
            left: list[asyncio.Task[Any]] = [accepting, *self._open.values()]
            self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            self._loop.close()

    async def _accept(self) -> None:
        while True:
            client, _ = await self._loop.sock_accept(self._listener)
            self.accepted += 1
            task = self._loop.create_task(self._connect(client))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def _connect(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        for end in (client, server):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await self._loop.sock_connect(server, self._target)
        except OSError:
            # as where nothing listens: the client is cut
            for end in (client, server):
                end.close()
            return
        connection = _Connection(self, client, server)
        task = asyncio.current_task()
        assert task is not None
        self._open[connection] = task
        try:
            await connection.run()
        finally:
            del self._open[connection]


@contextmanager
def proxy(host: str, port: int) -> Iterator[Proxy]:
    """A proxy in front of a server, in a thread of its own."""
    made = Proxy(host, port)
    made.start()
    try:
        yield made
    finally:
        made.stop()


@contextmanager
def proxied(url: str) -> Iterator[Proxy]:
    """A proxy in front of the server that a URL names."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    with proxy(parts.hostname, parts.port) as made:
        yield made
