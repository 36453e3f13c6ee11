"""Servers for the tests: real ones, started once, thrown away at the end; a fresh database each."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest

from ingestor.errors import IngestError
from ingestor.settings import Settings
from ingestor.settings.sections import StoreSection
from ingestor.store.database import Database, DatabaseOptions
from ingestor.vocabulary import Role

TEMPLATE = "hdi_template"
TIME_INDEX = StoreSection().time_index
"""Tables that have a time index where nothing else is set."""


@dataclass(frozen=True, slots=True)
class Servers:
    """A running stack with a migrated template database, cloned for every test.

    Attributes:
        redis_url: With a database number of its own for this pytest process.
    """

    urls: dict[Role, str]
    admin_url: str
    redis_url: str
    timescaledb: bool

    def of(self, role: Role, database: str) -> str:
        return _on(self.urls[role], database)


def _on(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def _start(edition: str, home: Path) -> Servers:
    from ingestor.stack import create_database, freeze_database, up
    from ingestor.store.migrate import migrate

    try:
        address = up(home, edition=edition, report=lambda line: None)
    except IngestError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no {edition} database here: {error.message}")
    assert address.admin_url is not None
    create_database(address, TEMPLATE)
    options = DatabaseOptions(_on(address.database_urls[Role.OWNER], TEMPLATE))
    asyncio.run(migrate(options, trades_interval="1 day", time_index=TIME_INDEX))
    freeze_database(address, TEMPLATE)
    return Servers(
        dict(address.database_urls), address.admin_url, address.redis_url, address.timescaledb
    )


async def _admin(url: str, statement: str) -> None:
    async with (
        Database(DatabaseOptions(url), name="hdi:tests") as database,
        database.connection() as connection,
    ):
        await connection.execute(statement)


def _servers(edition: str) -> Iterator[Servers]:
    from ingestor.stack import reset

    home = Path(tempfile.mkdtemp(prefix="hdi-tests-"))
    try:
        yield _start(edition, home)
    finally:
        reset(home)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """TimescaleDB and Valkey."""
    yield from _servers("timescaledb")


@pytest.fixture(scope="session")
def plain_servers() -> Iterator[Servers]:
    """PostgreSQL without TimescaleDB, and Valkey."""
    yield from _servers("plain")


@dataclass(frozen=True, slots=True)
class Place:
    """One test's own database: URLs per role."""

    urls: dict[Role, str]

    def options(self, role: Role = Role.WORKER) -> DatabaseOptions:
        return DatabaseOptions(self.urls[role], pool_size=4)

    def open(self, role: Role = Role.WORKER) -> Database:
        return Database(self.options(role), name="hdi:test")


def _place(servers: Servers) -> Iterator[Place]:
    name = f"t_{uuid4().hex}"
    asyncio.run(
        _admin(servers.admin_url, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} OWNER hdi_owner")
    )
    try:
        yield Place({role: servers.of(role, name) for role in Role})
    finally:
        asyncio.run(_admin(servers.admin_url, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def place(servers: Servers) -> Iterator[Place]:
    """A migrated TimescaleDB database of the test's own."""
    yield from _place(servers)


@pytest.fixture
def plain_place(plain_servers: Servers) -> Iterator[Place]:
    """The same on plain PostgreSQL."""
    yield from _place(plain_servers)


@pytest.fixture(params=["timescaledb", "plain"])
def any_place(request: pytest.FixtureRequest) -> Place:
    """A migrated database of the test's own, once on TimescaleDB and once on plain PostgreSQL."""
    name = "place" if request.param == "timescaledb" else "plain_place"
    place: Place = request.getfixturevalue(name)
    return place


@pytest.fixture
async def database(place: Place) -> AsyncIterator[Database]:
    """An open database with a worker's login."""
    async with place.open() as opened:
        yield opened


@pytest.fixture
def redis_url(servers: Servers) -> Iterator[str]:
    """Valkey, flushed before the test; tests of one pytest process run one after another."""
    import redis

    client = redis.Redis.from_url(servers.redis_url)
    client.flushall()
    try:
        yield servers.redis_url
    finally:
        client.flushall()
        client.close()


@pytest.fixture
def settings(place: Place, redis_url: str, tmp_path: Path) -> Settings:
    """Settings of a service on the test's own database, with times of tests."""
    return make_settings(place, redis_url, tmp_path)


def make_settings(place: Place, redis_url: str, home: Path) -> Settings:
    return Settings.model_validate(
        {
            "database_url": place.urls[Role.OWNER],
            "worker_database_url": place.urls[Role.WORKER],
            "reader_database_url": place.urls[Role.READER],
            "redis_url": redis_url,
            "home": home,
            "lease": {"duration_s": 3, "heartbeat_s": 1},
            "scheduler": {"idle_s": 0.2, "reap_s": 0.5, "requeue_grace_s": 1.5},
            "retry": {"backoff_base_s": 0.1, "backoff_cap_s": 1},
            "worker": {"concurrency": 1, "soft_shutdown_s": 2},
        }
    )


def environment(settings: Settings) -> dict[str, str]:
    """The same settings for a process of its own, as environment variables."""
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith("HDI_")},
        "HDI_DATABASE_URL": settings.dsn(Role.OWNER),
        "HDI_WORKER_DATABASE_URL": settings.dsn(Role.WORKER),
        "HDI_READER_DATABASE_URL": settings.dsn(Role.READER),
        "HDI_REDIS_URL": settings.redis_dsn(),
        "HDI_HOME": str(settings.home),
        "HDI_LOG_FORMAT": "json",
        "HDI_LEASE__DURATION_S": str(settings.lease.duration_s),
        "HDI_LEASE__HEARTBEAT_S": str(settings.lease.heartbeat_s),
        "HDI_SCHEDULER__IDLE_S": str(settings.scheduler.idle_s),
        "HDI_SCHEDULER__REAP_S": str(settings.scheduler.reap_s),
        "HDI_SCHEDULER__REQUEUE_GRACE_S": str(settings.scheduler.requeue_grace_s),
        "HDI_RETRY__BACKOFF_BASE_S": str(settings.retry.backoff_base_s),
        "HDI_RETRY__BACKOFF_CAP_S": str(settings.retry.backoff_cap_s),
        "HDI_WORKER__CONCURRENCY": str(settings.worker.processes),
        "HDI_WORKER__SOFT_SHUTDOWN_S": str(settings.worker.soft_shutdown_s),
        **_gateway(settings),
    }


def _gateway(settings: Settings) -> dict[str, str]:
    """The provider's part, where a test has one; a key of the caller's shell never gets in."""
    if settings.databento_gateway is None or settings.databento_api_key is None:
        return {"DATABENTO_API_KEY": ""}
    return {
        "HDI_DATABENTO_GATEWAY": str(settings.databento_gateway),
        "DATABENTO_API_KEY": settings.databento_api_key.get_secret_value(),
        **{
            f"HDI_DATABENTO__{name.upper()}": str(value)
            for name, value in settings.databento.model_dump().items()
        },
    }


@pytest.fixture(scope="session")
def corpus() -> Path:
    """A folder of real DBN files, one folder per dataset."""
    found = os.environ.get("HDI_DBN_CORPUS")
    if not found or not Path(found).is_dir():
        pytest.skip("no corpus: HDI_DBN_CORPUS names no folder")
    return Path(found)


Opener = Callable[[], Database]
