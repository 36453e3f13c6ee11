"""Failed chunks as whoever retries or discards them must know them; nothing here writes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ingestor.store.database import Database
from ingestor.store.letters import Choice
from ingestor.store.queries import queries
from ingestor.vocabulary import ChunkState

_CASES = queries("cases")


@dataclass(frozen=True, slots=True)
class Case:
    """A chunk and its latest dead letter.

    Attributes:
        paused: Whether its job is.
        lettered: Whether it has a letter, open or closed.
        resolution: Of that letter: ``retried`` or ``discarded``; empty while it is open.
        note: Why it was discarded; empty where nobody said.
        release_of: Job whose quarantined records the chunk was to store; None of a payload's chunk.
    """

    chunk_id: int
    job_id: UUID
    state: ChunkState
    paused: bool
    lettered: bool
    resolution: str
    note: str
    release_of: UUID | None

    @property
    def open(self) -> bool:
        """Whether its latest letter is."""
        return self.lettered and not self.resolution

    @property
    def retryable(self) -> bool:
        """Whether a retry does its work again."""
        return self.state is ChunkState.FAILED and self.release_of is None


async def codes(database: Database, wanted: Choice) -> Mapping[str, int]:
    """Letters per error code, most first."""
    rows = await database.fetch(_CASES["codes"], *_values(wanted))
    return {row["error_code"]: row["letters"] for row in rows}


async def lettered(database: Database, wanted: Choice) -> list[int]:
    """Ids of the chunks whose letters are meant, ascending."""
    rows = await database.fetch(_CASES["lettered"], *_values(wanted))
    return [row["chunk_id"] for row in rows]


async def cases(database: Database, chunk_ids: Sequence[int]) -> list[Case]:
    """Those of the chunks that there are, by id."""
    rows = await database.fetch(_CASES["cases"], list(chunk_ids))
    return [Case(**{**row, "state": ChunkState(row["state"])}) for row in rows]


async def releases(
    database: Database, job_id: UUID, states: Collection[ChunkState]
) -> Mapping[int, UUID]:
    """Chunks of a job that store quarantined records, each with the job that refused them."""
    rows = await database.fetch(_CASES["releases"], job_id, [str(state) for state in states])
    return {row["chunk_id"]: row["release_of"] for row in rows}


def _values(wanted: Choice) -> tuple[Any, ...]:
    ids = None if wanted.chunk_ids is None else list(wanted.chunk_ids)
    return (wanted.job_id, ids, wanted.code, wanted.open)
