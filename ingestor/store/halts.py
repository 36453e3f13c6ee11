"""The stopped line: what keeps every worker from loading, until an operator mends the server.

A disk that is full or a login without a privilege fails every chunk alike. The first worker to meet
it raises a halt in the ledger; while one stands no worker claims a chunk but one at a time, to
probe, and the first load that commits lifts it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from ingestor.errors import DatabaseHalted
from ingestor.store.database import Database
from ingestor.store.ledger import short
from ingestor.store.queries import queries

_HALTS = queries("halts")


@dataclass(frozen=True, slots=True)
class Halt:
    """A halt that stands.

    Attributes:
        reason: What the server said, and the setting it is about.
        hint: What an operator does.
        worker: Who met it last.
        probes: Chunks that were tried since, one at a time.
        stands_s: Since it was raised.
        probe_in_s: Until the next chunk is tried.
    """

    sqlstate: str
    reason: str
    hint: str
    worker: str
    raised_at: dt.datetime
    probes: int
    stands_s: float
    probe_in_s: float


async def raise_halt(
    database: Database, error: DatabaseHalted, *, worker: str, probe_s: float
) -> None:
    """Stops the line; the next chunk is tried after `probe_s`.

    Raises:
        DatabaseHalted, DatabaseUnavailable: The server does not even take this.
    """
    await database.fetchval(
        _HALTS["raise"], error.sqlstate, short(error.message), short(error.hint), worker, probe_s
    )


async def standing(database: Database) -> list[Halt]:
    """What stops the line, oldest first; empty where it runs."""
    return [Halt(**row) for row in await database.fetch(_HALTS["standing"])]


async def closed(database: Database) -> bool:
    """Whether nobody may claim a chunk at this moment."""
    return bool(await database.fetchval(_HALTS["closed"]))


async def read_only(database: Database) -> bool:
    """Whether the server takes no writes: it stops the line, though no halt can say so."""
    return bool(await database.fetchval(_HALTS["read_only"]))
