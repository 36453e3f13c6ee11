"""What the ledger knows of single chunks, as frozen values; nothing here writes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ingestor.store.database import Database
from ingestor.store.queries import queries
from ingestor.vocabulary import ChunkState, Dataset, Schema

_INSIGHTS = queries("insights")


@dataclass(frozen=True, slots=True)
class Trouble:
    """A chunk that failed, or is tried again, and why.

    Attributes:
        start: Index timestamp, nanoseconds since 1970; `end` is exclusive.
        uri: The payload; empty where it has none.
        attempts: All that were made, those before a `hdi retry` too.
        again_in_s: Seconds until it may be tried again; None where it does not wait for a time.
    """

    chunk_id: int
    state: ChunkState
    dataset: Dataset
    schema: Schema
    start: int
    end: int
    uri: str
    error_text: str
    error_code: str
    attempts: int
    lost_count: int
    finished_at: dt.datetime | None
    again_in_s: float | None


@dataclass(frozen=True, slots=True)
class ChunkLine:
    """A chunk of a job, with its receipt once it has one.

    Attributes:
        start: Index timestamp, nanoseconds since 1970; `end` is exclusive.
        uri: The payload; empty where it has none.
        receipt: `Receipt.as_json`; None while the chunk is open or where it failed.
    """

    chunk_id: int
    state: ChunkState
    dataset: Dataset
    schema: Schema
    start: int
    end: int
    uri: str
    error_text: str
    attempt: int
    receipt: dict[str, Any] | None


def _chunk(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a line of every sort says of its chunk."""
    return {
        "chunk_id": row["chunk_id"],
        "state": ChunkState(row["state"]),
        "dataset": Dataset(row["dataset"]),
        "schema": Schema(row["schema"]),
        "start": int(row["start_ns"]),
        "end": int(row["end_ns"]),
        "uri": row["uri"] or "",
        "error_text": row["error_text"] or "",
    }


async def troubles(
    database: Database, job_id: UUID, states: Collection[ChunkState], *, limit: int
) -> list[Trouble]:
    """Chunks in those states that have an error to tell, latest first."""
    wanted = [str(state) for state in states]
    rows = await database.fetch(_INSIGHTS["troubles"], job_id, wanted, limit)
    names = ("error_code", "attempts", "lost_count", "finished_at", "again_in_s")
    return [Trouble(**_chunk(row), **{name: row[name] for name in names}) for row in rows]


async def chunk_lines(
    database: Database, job_id: UUID, states: Collection[ChunkState], *, after: int, limit: int
) -> list[ChunkLine]:
    """Chunks of a job in the order they were planned: those in `states`, with ids above `after`."""
    wanted = [str(state) for state in states]
    rows = await database.fetch(_INSIGHTS["chunk_lines"], job_id, wanted, after, limit)
    return [
        ChunkLine(**_chunk(row), attempt=row["attempt"], receipt=row["receipt"]) for row in rows
    ]
