"""A stack of a test's own, whose servers it may kill, freeze and start again."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

from ingestor.settings import Settings
from ingestor.stack import (
    StackAddress,
    create_database,
    freeze_database,
    launch,
    postgres,
    process,
    reset,
    up,
    valkey,
)
from ingestor.store.database import Database, DatabaseOptions
from ingestor.store.migrate import migrate
from ingestor.vocabulary import Role
from tests.conftest import TEMPLATE, TIME_INDEX, Place, make_settings

_GONE_S = 20.0
_EDITION: Final = "timescaledb"


@dataclass(frozen=True, slots=True)
class Server:
    """One server of a private stack; every effect is waited for before a call returns.

    Attributes:
        folder: Where it lives; its processes bear the folder's mark.
        start_it: Starts it, or does nothing where it runs; its port afterwards.
        end: The signal by which its main process ends at once and in order of its own.
    """

    folder: Path
    port: int
    start_it: Callable[[], int]
    running: Callable[[], int | None]
    end: signal.Signals

    def pids(self) -> list[int]:
        """Its processes now, the main one first."""
        main = self.running()
        found = process.bearers(process.mark(self.folder))
        return sorted(found, key=lambda pid: (pid != main, pid))

    def kill(self) -> int:
        """SIGKILL to every process of it, as when its host dies; how many there were."""
        count = self._signal(signal.SIGKILL)
        self._gone()
        return count

    def crash(self) -> None:
        """An immediate shutdown: nothing is flushed, clients are cut, the next start recovers."""
        main = self.running()
        assert main is not None, f"no server in {self.folder}"
        os.kill(main, self.end)
        self._gone()

    def freeze(self) -> int:
        """SIGSTOP to every process of it, the one that makes new ones first; how many."""
        return self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def start(self) -> None:
        """Starts it where it was, on the same port and data, and waits until it answers."""
        port = self.start_it()
        assert port == self.port, f"port {self.port} was taken meanwhile"

    def _signal(self, number: signal.Signals) -> int:
        pids = self.pids()
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        # whatever the main process had made between listing and signal
        for pid in set(self.pids()) - set(pids):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        return len(pids)

    def _gone(self) -> None:
        assert process.wait_until(lambda: not self.pids(), _GONE_S), f"{self.folder} lives on"


@dataclass
class PrivateStack:
    """TimescaleDB and Valkey of a test's own, with as many migrated databases as it wants."""

    address: StackAddress
    postgres: Server
    valkey: Server

    @property
    def admin_url(self) -> str:
        """The superuser's, to the database `postgres`."""
        assert self.address.admin_url is not None
        return self.address.admin_url

    @property
    def redis_url(self) -> str:
        return self.address.redis_url

    def url(self, role: Role, database: str) -> str:
        return named(self.address.database_urls[role], database)

    @cached_property
    def _template(self) -> str:
        made = create_database(self.address, TEMPLATE)
        options = DatabaseOptions(made.database_urls[Role.OWNER])
        asyncio.run(migrate(options, trades_interval="1 day", time_index=TIME_INDEX))
        freeze_database(self.address, TEMPLATE)
        return TEMPLATE

    def place(self) -> Place:
        """A fresh migrated database, as the fixture `place` gives one. Not on a running loop."""
        made = create_database(self.address, f"t_{uuid4().hex}", template=self._template)
        return Place(dict(made.database_urls))

    def settings(self, place: Place, home: Path) -> Settings:
        """Settings of a service on one of its databases, with times of tests."""
        return make_settings(place, self.redis_url, home)

    def admin(self, place: Place | None = None) -> DatabaseOptions:
        """The superuser's way to a place's database, or to `postgres`."""
        name = "postgres" if place is None else database_of(place)
        return DatabaseOptions(named(self.admin_url, name))

    async def administer(self, *statements: str, place: Place | None = None) -> None:
        """Runs statements as the superuser, each in a transaction of its own."""
        options = self.admin(place)
        async with Database(options, name="tests") as admin, admin.connection() as connection:
            for statement in statements:
                await connection.execute(statement)

    def mend(self) -> None:
        """Everything thawed and running again, whatever a test left behind."""
        for server in (self.postgres, self.valkey):
            server.thaw()
            server.start()


def named(url: str, database: str) -> str:
    """The same server and login, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def database_of(place: Place) -> str:
    """The name of a place's database."""
    return urlsplit(place.urls[Role.OWNER]).path.lstrip("/")


@contextmanager
def private_stack() -> Iterator[PrivateStack]:
    """Started here (1.3 s, its first database 1.4 s more); stopped and deleted at the end."""
    home = Path(tempfile.mkdtemp(prefix="hdi-private-"))
    try:
        address = up(home, edition=_EDITION, report=_silent)
        yield PrivateStack(address, _postgres(home, address), _valkey(home, address))
    finally:
        for name in ("postgres", "valkey"):
            for pid in process.bearers(process.mark(launch.folder(home, name))):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
        reset(home)
        shutil.rmtree(home, ignore_errors=True)


def _postgres(home: Path, address: StackAddress) -> Server:
    folder = launch.folder(home, "postgres")
    return Server(
        folder,
        _port(address.database_urls[Role.OWNER]),
        lambda: launch.start_postgres(home, _EDITION, _silent).port,
        lambda: postgres.running(folder),
        signal.SIGQUIT,
    )


def _valkey(home: Path, address: StackAddress) -> Server:
    folder = launch.folder(home, "valkey")
    return Server(
        folder,
        _port(address.redis_url),
        lambda: launch.start_valkey(home, "auto", _silent).port,
        lambda: valkey.running(folder),
        signal.SIGTERM,
    )


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


def _silent(line: str) -> None:
    """Nobody reads what the stack reports."""
