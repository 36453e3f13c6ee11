"""What `hdi --version` says."""

from __future__ import annotations

import asyncio
import platform
from importlib.metadata import version

from ingestor import __version__
from ingestor.errors import IngestError


def versions() -> str:
    """HDI, Python, the DBN library, and the database where it answers."""
    lines = [
        f"hdi {__version__}",
        f"python {platform.python_version()}",
        f"dbn {version('databento-dbn')}",
        f"databento {version('databento')}",
    ]
    return "\n".join([*lines, *_database()])


def _database() -> list[str]:
    from ingestor.settings import load_settings
    from ingestor.store.database import Database, DatabaseOptions
    from ingestor.store.migrate import catalogue
    from ingestor.vocabulary import Role

    async def ask(dsn: str) -> list[str]:
        options = DatabaseOptions(dsn, pool_size=1, connect_timeout_s=3)
        async with Database(options, name="hdi:version") as database:
            found = await catalogue(database)
        timescaledb = f"timescaledb {found.timescaledb or 'none'}"
        return [f"postgresql {found.postgresql}", timescaledb]

    try:
        return asyncio.run(ask(load_settings().dsn(Role.READER)))
    except IngestError as error:
        return [f"postgresql not asked: {error.message}"]
