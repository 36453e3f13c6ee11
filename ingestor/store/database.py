"""Connections to PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any, Self, TypeAlias, TypeVar

import asyncpg
import orjson
from asyncpg.pool import PoolConnectionProxy

from ingestor.errors import (
    DatabaseUnavailable,
)
from ingestor.settings import Settings
from ingestor.store.session import Session
from ingestor.store.sqlstates import LOST, place, translating
from ingestor.vocabulary import Role

T = TypeVar("T")

# In quotes: asyncpg's classes are generic for type checkers only.
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"


@dataclass(frozen=True, slots=True)
class DatabaseOptions:
    """Where to connect, and how patiently."""

    dsn: str
    pool_size: int = 2
    connect_timeout_s: float = 10
    lock_timeout_s: float = 10
    idle_in_transaction_timeout_s: float = 60

    @classmethod
    def of(cls, settings: Settings, role: Role) -> Self:
        """How a process connects with the login of `role`.

        Raises:
            NotConfigured: No URL is set for it.
        """
        section = settings.database
        return cls(
            dsn=settings.dsn(role),
            # One loads, one renews the lease, one says that the process lives.
            pool_size=max(section.pool_size, 3),
            connect_timeout_s=section.connect_timeout_s,
            lock_timeout_s=section.lock_timeout_s,
            idle_in_transaction_timeout_s=section.idle_in_transaction_timeout_s,
        )

    def __repr__(self) -> str:
        return f"DatabaseOptions({place(self.dsn)})"


class Database:
    """A small pool of connections, made on the event loop that uses it.

    Attributes:
        facts: What was found in the database and does not change any more, by sort; so it need not
            be asked for with every chunk.
    """

    def __init__(self, options: DatabaseOptions, *, name: str) -> None:
        """`name` is the application_name of idle connections, ``hdi:<who>``."""
        self.options = options
        self.name = name[:63]
        self.facts: dict[str, set[Hashable]] = defaultdict(set)
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None

    async def open(self) -> None:
        """Opens the first connection, so that a wrong URL is told at once."""
        with translating(self.options.dsn):
            self._pool = await asyncpg.create_pool(
                self.options.dsn,
                min_size=1,
                max_size=self.options.pool_size,
                timeout=self.options.connect_timeout_s,
                # Five minutes: a laptop's firewall forgets silent connections after that.
                max_inactive_connection_lifetime=300,
                init=_init,
                connection_class=Session,
                server_settings=self._server_settings(),
            )

    def _server_settings(self) -> dict[str, str]:
        return {
            "application_name": self.name,
            "timezone": "UTC",
            "lock_timeout": f"{self.options.lock_timeout_s * 1000:.0f}",
            "idle_in_transaction_session_timeout": (
                f"{self.options.idle_in_transaction_timeout_s * 1000:.0f}"
            ),
            "tcp_keepalives_idle": "30",
            "tcp_keepalives_interval": "10",
            "tcp_keepalives_count": "3",
            "jit": "off",
        }

    @property
    def is_open(self) -> bool:
        return self._pool is not None

    async def close(self) -> None:
        if self._pool is not None:
            pool, self._pool = self._pool, None
            try:
                await asyncio.wait_for(pool.close(), timeout=5)
            except TimeoutError:
                pool.terminate()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection of the pool. After any error it is closed, not handed on."""
        assert self._pool is not None, "open() first"
        with translating(self.options.dsn):
            connection = await self._pool.acquire(timeout=self.options.connect_timeout_s)
        try:
            with self._speaking(connection):
                yield connection
        finally:
            with translating(self.options.dsn):
                await self._pool.release(connection)

    @contextlib.asynccontextmanager
    async def session(self) -> AsyncIterator[Connection]:
        """A connection beside the pool, for what holds one as long as it likes."""
        with translating(self.options.dsn):
            connection = await asyncpg.connect(
                self.options.dsn,
                timeout=self.options.connect_timeout_s,
                connection_class=Session,
                server_settings=self._server_settings(),
            )
        try:
            with self._speaking(connection):
                await _init(connection)
                yield connection
            # What was done with it is done, whatever its end says.
            with contextlib.suppress(*LOST):
                await connection.close(timeout=5)
        finally:
            connection.terminate()

    @contextlib.contextmanager
    def _speaking(self, connection: Connection) -> Iterator[None]:
        """Translates what the connection says of a statement; other errors of the body pass.

        After any error the connection is closed.
        """
        try:
            yield
        except BaseException as error:
            # A full disk under the body's own files is no word of the database's.
            foreign = isinstance(error, OSError) and not _broken(connection, error)
            # One whose session has ended is back in the pool, and refuses: what went wrong must be
            # told as it is.
            with contextlib.suppress(asyncpg.InterfaceError):
                connection.terminate()
            if foreign:
                raise
            with translating(self.options.dsn):
                raise

    async def fetch(self, query: str, *values: Any) -> list[asyncpg.Record]:
        async with self.connection() as connection:
            rows: list[asyncpg.Record] = await connection.fetch(query, *values)
            return rows

    async def fetchrow(self, query: str, *values: Any) -> asyncpg.Record | None:
        async with self.connection() as connection:
            return await connection.fetchrow(query, *values)

    async def fetchval(self, query: str, *values: Any) -> Any:
        async with self.connection() as connection:
            return await connection.fetchval(query, *values)


def _broken(connection: Connection, error: OSError) -> bool:
    """Whether an error of the operating system is about the connection."""
    try:
        return isinstance(error, ConnectionError) or connection.is_closed()
    except asyncpg.InterfaceError:
        return True


async def answered(work: Awaitable[T], *, within_s: float) -> T:
    """What the database says in answer to a statement that takes a moment.

    TCP waits a quarter of an hour for a network that drops everything, and for ever for an answer.

    Raises:
        DatabaseUnavailable: It has said nothing for `within_s` seconds.
    """
    try:
        async with asyncio.timeout(within_s):
            return await work
    except TimeoutError as error:
        raise DatabaseUnavailable(
            f"the database has said nothing for {within_s:g} s",
            hint="check the network between this host and the database",
        ) from error


async def _init(connection: Connection) -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=_dumps, decoder=json.loads, format="text"
        )


def _dumps(value: Any) -> str:
    return orjson.dumps(value).decode()
