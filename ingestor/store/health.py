"""What `hdi doctor` asks a database: version, limits, privileges, indexes. Nothing here writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ingestor.model import TABLES
from ingestor.store.database import Database
from ingestor.store.queries import queries
from ingestor.store.schema import qualified
from ingestor.vocabulary import Role

_HEALTH = queries("health")

MIN_VERSION: Final = 150000
"""PostgreSQL 15, as server_version_num."""

MIN_LOCKS: Final = 512
"""A transaction over ~2,200 hypertable chunks dies at PostgreSQL's own default of 64."""

_READ = ("ingest.jobs", "ingest.chunks", "ingest.workers", "public.symbol_mappings")
_WRITTEN = ("ingest.jobs", "ingest.chunks", "ingest.leases", "ingest.attempts")


@dataclass(frozen=True, slots=True)
class Server:
    """The server as one login sees it.

    Attributes:
        version: server_version_num: 170011 is 17.11.
        locks: max_locks_per_transaction.
        login: Who we are there.
    """

    version: int
    locks: int
    login: str


async def server(database: Database) -> Server:
    """Looks at the server, whatever is in the database."""
    row = await database.fetchrow(_HEALTH["server"])
    assert row is not None
    return Server(row["version"], row["locks"], row["login"])


async def lacking(database: Database, role: Role) -> list[str]:
    """What the login of the open database lacks of what `role` does: ``INSERT on …`` each.

    The database must have been migrated.
    """
    records = [qualified(table) for table in TABLES]
    pairs = [(name, "SELECT") for name in (*records, *_READ)]
    if role is not Role.READER:
        pairs += [(name, "INSERT") for name in (*records, *_WRITTEN)]
        pairs += [(name, "UPDATE") for name in (*records, "ingest.chunks", "ingest.leases")]
    names, privileges = zip(*pairs, strict=True)
    found: list[str] = await database.fetchval(_HEALTH["lacking"], list(names), list(privileges))
    return found


async def extra_indexes(database: Database) -> list[str]:
    """Indexes of record tables that HDI does not make: each one slows every load down."""
    tables = [table.name for table in TABLES]
    own = [f"{name}_time_idx" for name in tables]
    found: list[str] = await database.fetchval(_HEALTH["extra_indexes"], tables, own)
    return found
