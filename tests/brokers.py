"""A Valkey of a test's own, to be killed, frozen and filled; the database stays the session's."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from ingestor.stack import launch, process, reset, valkey
from tests.conftest import Place, make_settings
from tests.private import Server
from tests.processes import Fleet, fleet


@dataclass(frozen=True, slots=True)
class OwnRedis:
    """A password-protected Valkey that keeps an append-only file, as the stack's does."""

    server: Server
    url: str

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url, socket_timeout=5)

    def fill(self) -> None:
        """From now on it refuses whatever takes memory."""
        with self.client() as client:
            client.config_set("maxmemory", "1")

    def make_room(self) -> None:
        with self.client() as client:
            client.config_set("maxmemory", "0")

    def waiting(self, queue: str = "hdi.normal") -> int:
        """Messages on a queue."""
        with self.client() as client:
            return int(client.llen(queue))

    def unacknowledged(self) -> int:
        """Messages that workers have taken and not acknowledged."""
        with self.client() as client:
            return int(client.hlen("unacked"))


@contextmanager
def own_redis() -> Iterator[OwnRedis]:
    """Started here, stopped and deleted at the end."""
    home = Path(tempfile.mkdtemp(prefix="hdi-redis-"))
    folder = launch.folder(home, "valkey")
    try:
        kept = launch.start_valkey(home, "auto", _silent)
        server = Server(
            folder, kept.port, lambda: launch.start_valkey(home, "auto", _silent).port,
            lambda: valkey.running(folder), signal.SIGTERM,
        )  # fmt: skip
        yield OwnRedis(server, f"redis://:{kept.password}@127.0.0.1:{kept.port}/0")
    finally:
        for pid in process.bearers(process.mark(folder)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        reset(home)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def running_redis() -> Iterator[OwnRedis]:
    """One for all tests of a file: each leaves it running and with room."""
    with own_redis() as made:
        yield made


@pytest.fixture
def broker(running_redis: OwnRedis) -> Iterator[OwnRedis]:
    with running_redis.client() as client:
        client.flushall()
    yield running_redis
    running_redis.server.thaw()
    running_redis.server.start()
    running_redis.make_room()


@pytest.fixture
def service(broker: OwnRedis, place: Place, tmp_path: Path) -> Iterator[Fleet]:
    """No process yet; its Redis is `broker`."""
    with fleet(make_settings(place, broker.url, tmp_path / "home"), tmp_path) as made:
        yield made


def _silent(line: str) -> None:
    """Nobody reads what the stack reports."""
