"""What workers that have died left behind: chunks whose lease ran out, sessions that stay."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from ingestor.store.database import Database
from ingestor.store.queries import queries
from ingestor.vocabulary import ChunkState

_CHUNKS = queries("chunks")


@dataclass(frozen=True, slots=True)
class Reaped:
    """A chunk whose lease had run out, and where it went."""

    chunk_id: int
    job_id: UUID
    state: ChunkState


async def reap(database: Database, *, max_lost: int, grace_s: float = 0.0) -> list[Reaped]:
    """Takes back every chunk whose lease ran out; lost too often, it fails as poison.

    None for `grace_s` after the server's start: while it was down nobody could renew a lease.
    """
    rows = await database.fetch(_CHUNKS["reap"], max_lost, grace_s)
    return [Reaped(row["chunk_id"], row["job_id"], ChunkState(row["state"])) for row in rows]


@dataclass(frozen=True, slots=True)
class Stuck:
    """A database session whose worker does not answer.

    Attributes:
        pid: Of its backend.
        ended: False where it belongs to a login whose privileges ours lacks.
    """

    pid: int
    chunk_id: int
    ended: bool


async def end_stuck_sessions(database: Database, *, after_s: float) -> list[Stuck]:
    """Ends sessions of loads whose lease ran out `after_s` ago."""
    return [Stuck(**row) for row in await database.fetch(_CHUNKS["stuck"], after_s)]


async def end_stale_sessions(database: Database, *, unseen_s: float) -> list[Stuck]:
    """Ends sessions of attempts that are over and whose workers are unseen for `unseen_s`."""
    return [Stuck(**row) for row in await database.fetch(_CHUNKS["stale"], unseen_s)]
