"""Connections to PostgreSQL, and the one place where its errors become ours."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any, Self, TypeAlias
from urllib.parse import urlsplit

import asyncpg
import orjson
from asyncpg.pool import PoolConnectionProxy

from ingestor.errors import (
    DatabaseHalted,
    DatabaseUnavailable,
    IngestError,
    SchemaOutdated,
    Terminal,
    Unstorable,
)
from ingestor.settings import Settings
from ingestor.vocabulary import Role

# In quotes: asyncpg's classes are generic for type checkers only.
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"

# SQLSTATE classes and codes by what a worker does about them.
_PASSING = ("08", "40001", "40P01", "53300", "55P03", "57P", "57014", "25P03", "XX000")
# SQLSTATE → what is the matter, and the setting or command that mends it.
_HALTED = {
    "53100": (
        "the database server's disk is full",
        "make room on the volume of data_directory and temp_tablespaces; work waits for it",
    ),
    "53200": (
        "the server is out of lock or shared memory",
        "raise max_locks_per_transaction (512 or more) and restart the server; work waits for it",
    ),
    "53400": (
        "a configuration limit of the server was reached",
        "raise the setting that the server names (temp_file_limit); work waits for it",
    ),
    "25006": (
        "the database is read-only",
        "name the primary in HDI_DATABASE_URL, or turn default_transaction_read_only off",
    ),
    "42501": (
        "the database login lacks a privilege",
        "run `hdi db grant` with the owner's login; work waits for it",
    ),
}
_MISSING = {"42P01": "table", "3F000": "namespace", "42703": "column"}
_LOGIN = {"28000", "28P01", "3D000"}


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
            # One connection holds a turn to fetch, one loads, one renews the lease.
            pool_size=max(section.pool_size, 3),
            connect_timeout_s=section.connect_timeout_s,
            lock_timeout_s=section.lock_timeout_s,
            idle_in_transaction_timeout_s=section.idle_in_transaction_timeout_s,
        )

    def __repr__(self) -> str:
        return f"DatabaseOptions({place(self.dsn)})"


def place(dsn: str) -> str:
    """Host, port and database of a URL, without login: for people."""
    parts = urlsplit(dsn)
    host = "127.0.0.1"
    with contextlib.suppress(ValueError):
        host = f"{parts.hostname or 'localhost'}:{parts.port or 5432}"
    return f"{host}{parts.path}"


class Database:
    """A small pool of connections, made on the event loop that uses it."""

    def __init__(self, options: DatabaseOptions, *, name: str) -> None:
        """`name` is the application_name of idle connections, ``hdi:<who>``."""
        self.options = options
        self.name = name[:63]
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
            async with self._pool.acquire(timeout=self.options.connect_timeout_s) as connection:
                try:
                    yield connection
                except BaseException:
                    # One whose session has ended is back in the pool, and refuses: what went wrong
                    # must be told as it is.
                    with contextlib.suppress(asyncpg.InterfaceError):
                        connection.terminate()
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


async def _init(connection: Connection) -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=_dumps, decoder=json.loads, format="text"
        )


def _dumps(value: Any) -> str:
    return orjson.dumps(value).decode()


@contextlib.contextmanager
def translating(dsn: str) -> Iterator[None]:
    """Turns asyncpg's and the socket's errors into ours, by SQLSTATE or type, never by text."""
    try:
        yield
    except IngestError:
        raise
    except asyncpg.PostgresError as error:
        raise _by_sqlstate(error, dsn) from error
    # InternalClientError is what asyncpg says of a session that the server has ended, until it has
    # seen the end of its stream, too.
    except (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise DatabaseUnavailable(
            f"the database at {place(dsn)} cannot be reached: {_brief(error)}",
            hint="start it (`hdi stack up`), or check HDI_DATABASE_URL",
        ) from error


def _by_sqlstate(error: asyncpg.PostgresError, dsn: str) -> IngestError:
    state = error.sqlstate or ""
    said = _brief(error)
    if state in _HALTED:
        what, hint = _HALTED[state]
        return DatabaseHalted(f"{what}: {said}", sqlstate=state, hint=hint)
    if state in _LOGIN:
        return DatabaseUnavailable(
            f"the database at {place(dsn)} refuses the login or database: {said}",
            hint="check HDI_DATABASE_URL; `hdi config show --sources` tells where it comes from",
        )
    if state in _MISSING:
        return SchemaOutdated(
            f"the database at {place(dsn)} lacks a {_MISSING[state]}: {said}",
            hint="run `hdi db migrate`",
        )
    if state.startswith(_PASSING):
        return DatabaseUnavailable(f"the database passed this by ({state}): {said}")
    if state.startswith("22"):
        return Unstorable(f"the database cannot hold a value ({state}): {said}")
    return Terminal(f"the database refused a statement ({state}): {said}")


def _brief(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
