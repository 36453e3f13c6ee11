"""Throw-away servers, and a fresh migrated database for every run."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from ingestor import stack
from ingestor.settings import Settings
from ingestor.stack import StackAddress, launch, postgres, state
from ingestor.stack.postgres import Postgres
from ingestor.store.database import Database, DatabaseOptions
from ingestor.store.migrate import migrate
from ingestor.vocabulary import Role

TEMPLATE = "bench_template"
_SHOWN = (
    "server_version",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "shared_buffers",
    "max_wal_size",
    "checkpoint_timeout",
    "wal_level",
    "max_connections",
)

# What a session may set for itself.
_OF_SESSION = (
    "synchronous_commit",
    "work_mem",
    "maintenance_work_mem",
    "commit_delay",
    "wal_compression",
    "jit",
)


@dataclass(frozen=True, slots=True)
class Place:
    """One run's own database, migrated and empty."""

    address: StackAddress
    home: Path

    def url(self, role: Role) -> str:
        return self.address.database_urls[role]

    def open(self, role: Role = Role.WORKER) -> Database:
        return Database(DatabaseOptions(self.url(role), pool_size=4), name="hdi:bench")

    def settings(self) -> Settings:
        return Settings.model_validate(
            {
                "database_url": self.url(Role.OWNER),
                "worker_database_url": self.url(Role.WORKER),
                "redis_url": self.address.redis_url,
                "home": self.home,
            }
        )

    def environment(self, **more: str) -> dict[str, str]:
        """The same settings for a process of its own; nothing of the user's gets in."""
        return clean_environment() | stack.env(self.address) | {"HDI_HOME": str(self.home)} | more


def clean_environment() -> dict[str, str]:
    """The environment without any setting of HDI; Python may keep bytecode, as an install does.

    Else a source tree is compiled anew by each process: 5 ms of `hdi-submit --help`.
    """
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("HDI_") and name != "PYTHONDONTWRITEBYTECODE"
    }


def end(process: subprocess.Popen[Any], *, within_s: float) -> None:
    """SIGTERM, and SIGKILL to one that takes longer."""
    process.terminate()
    try:
        process.wait(within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@dataclass(frozen=True, slots=True)
class Servers:
    """A running stack and a template that the runs' databases are cloned from.

    Attributes:
        exchange: Folder that psql sees too; it runs where the server runs.
    """

    address: StackAddress
    programs: Postgres
    exchange: Path

    @contextmanager
    def database(self) -> Iterator[Place]:
        """A fresh database after a checkpoint, so that no run pays for the one before it."""
        name = f"bench_{uuid4().hex[:12]}"
        place = stack.create_database(self.address, name, template=TEMPLATE)
        try:
            self.checkpoint()
            yield Place(place, self.address.home)
        finally:
            stack.drop_database(self.address, name)

    @contextmanager
    def borrowed(self, place: Place | None) -> Iterator[Place]:
        """The database of `place`, which stays, or else a fresh one; after a checkpoint, too."""
        if place is None:
            with self.database() as fresh:
                yield fresh
            return
        self.checkpoint()
        yield place

    def checkpoint(self) -> None:
        asyncio.run(self._as_admin("CHECKPOINT"))

    def set(self, **changed: str | None) -> None:
        """Sets what takes no restart, for the whole server; None: as the stack has it."""
        for name, value in changed.items():
            said = f"SET {name} TO '{value}'" if value is not None else f"RESET {name}"
            asyncio.run(self._as_admin(f"ALTER SYSTEM {said}"))
        asyncio.run(self._as_admin("SELECT pg_reload_conf()"))

    async def _as_admin(self, statement: str) -> None:
        assert self.address.admin_url is not None
        options = DatabaseOptions(self.address.admin_url)
        async with Database(options, name="hdi:bench") as server, server.connection() as connection:
            await connection.execute(statement)

    def psql(self, place: Place, *commands: str) -> str:
        """Runs commands with the server's own psql, over TCP, as the owner; its stdout."""
        parts = urlsplit(place.url(Role.OWNER))
        named = {
            "PGHOST": parts.hostname or "",
            "PGPORT": str(parts.port),
            "PGUSER": parts.username or "",
            "PGDATABASE": parts.path.lstrip("/"),
            "PGPASSWORD": parts.password or "",
        }
        arguments = [argument for command in commands for argument in ("-c", command)]
        return self.programs.jail.run(
            self.programs.program("psql"),
            *("-XAt", "-v", "ON_ERROR_STOP=1"),
            *arguments,
            env=named,
            timeout_s=3600,
        )

    async def settings(self) -> Mapping[str, Any]:
        """The server's settings that decide how fast it can be."""
        async with Database(
            DatabaseOptions(self.address.database_urls[Role.OWNER]), name="hdi:bench"
        ) as database:
            rows = await database.fetch(
                "SELECT name, current_setting(name) AS value FROM pg_settings"
                " WHERE name = ANY ($1) ORDER BY array_position($1, name)",
                list(_SHOWN),
            )
            extension = await database.fetchval(
                "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'"
            )
        shown = {row["name"]: row["value"] for row in rows}
        return {**shown, "timescaledb": extension, "redis": self.address.redis_edition}

    def of_session(self, place: Place) -> dict[str, str]:
        """What holds in a worker's session."""
        return asyncio.run(self._of_session(place))

    async def _of_session(self, place: Place) -> dict[str, str]:
        async with place.open() as database:
            return {
                name: await database.fetchval("SELECT current_setting($1)", name)
                for name in _OF_SESSION
            }

    def of_psql(self, place: Place) -> dict[str, str]:
        """The same in psql's."""
        said = self.psql(place, *(f"SELECT current_setting('{name}')" for name in _OF_SESSION))
        return dict(zip(_OF_SESSION, said.splitlines(), strict=True))


@contextmanager
def servers() -> Iterator[Servers]:
    """Starts TimescaleDB (plain PostgreSQL where it cannot be had) and Valkey; deletes both.

    Raises:
        StackUnavailable: Neither can be started here.
    """
    home = Path(tempfile.mkdtemp(prefix="hdi-bench-"))
    try:
        address = stack.up(home, report=lambda line: print(f"# {line}"))
        kept = state.load(home).postgres
        assert kept is not None
        folder = launch.folder(home, "postgres")
        programs = postgres.install(folder, kept.kind, lambda line: None)
        _make_template(address)
        yield Servers(address, programs, programs.jail.private_folder("exchange"))
    finally:
        stack.reset(home)
        shutil.rmtree(home, ignore_errors=True)


def _make_template(address: StackAddress) -> None:
    template = stack.create_database(address, TEMPLATE)
    options = DatabaseOptions(template.database_urls[Role.OWNER])
    laid_out = Settings().store
    asyncio.run(
        migrate(options, trades_interval=laid_out.trades_interval, time_index=laid_out.time_index)
    )
    stack.freeze_database(address, TEMPLATE)
