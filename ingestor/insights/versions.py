"""Which versions are at work."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.metadata import version

from ingestor import __version__
from ingestor.errors import IngestError
from ingestor.insights.readiness import PATIENCE_S
from ingestor.store.database import Database
from ingestor.store.migrate import catalogue


@dataclass(frozen=True, slots=True)
class Versions:
    """Versions of what this process runs on.

    Attributes:
        dbn: Databento's library that decodes payloads.
        postgresql: None where the database does not answer; so are the next two.
        timescaledb: None for plain tables too.
        migration: The one the database is at; None where it was never migrated.
    """

    hdi: str
    python: str
    dbn: str
    postgresql: str | None
    timescaledb: str | None
    migration: str | None


async def versions(opened: Callable[[], Awaitable[Database]]) -> Versions:
    """The versions, those of the database where it answers within `PATIENCE_S`."""
    own = (__version__, platform.python_version(), version("databento-dbn"))
    try:
        async with asyncio.timeout(PATIENCE_S):
            found = await catalogue(await opened())
    except (IngestError, TimeoutError):
        return Versions(*own, None, None, None)
    return Versions(*own, found.postgresql, found.timescaledb, found.revision)
