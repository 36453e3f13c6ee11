"""Dead letters in the ledger: read, and closed by an operator who lets them be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ingestor.dead_letters import Letter, Tried
from ingestor.job import PayloadRef
from ingestor.store.database import Database
from ingestor.store.queries import queries
from ingestor.vocabulary import ChunkState, Dataset, Schema

_LETTERS = queries("letters")

ALL = 1_000_000
"""More letters than anybody has."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which letters are meant: those that all of it fits.

    Attributes:
        job_id: Of this job; None for any.
        chunk_ids: Of these chunks; None for any.
        code: With this error code; None for any.
        open: Whether only letters that nobody has retried or discarded.
    """

    job_id: UUID | None = None
    chunk_ids: Sequence[int] | None = None
    code: str | None = None
    open: bool = True

    @property
    def _values(self) -> tuple[Any, ...]:
        ids = None if self.chunk_ids is None else list(self.chunk_ids)
        return (self.job_id, ids, self.code, self.open)


async def letters(database: Database, choice: Choice, *, limit: int = ALL) -> list[Letter]:
    """Letters with all their attempts, latest first."""
    rows = await database.fetch(_LETTERS["letters"], *choice._values, limit)
    tried = await _tried(database, sorted({row["chunk_id"] for row in rows}))
    return [_letter(row, tuple(tried[row["chunk_id"]])) for row in rows]


async def count(database: Database, choice: Choice) -> int:
    """How many letters are meant."""
    return int(await database.fetchval(_LETTERS["count"], *choice._values))


async def recent(database: Database, *, from_s: float, to_s: float) -> list[tuple[int, int]]:
    """(chunk, fence) of open letters that are at most `from_s` and at least `to_s` seconds old."""
    rows = await database.fetch(_LETTERS["recent"], from_s, to_s)
    return [(row["chunk_id"], row["fence"]) for row in rows]


async def discard(database: Database, chunk_ids: Sequence[int], *, note: str) -> list[int]:
    """Closes the open letters of those chunks, which stay failed; the chunks that had one."""
    rows = await database.fetch(_LETTERS["discard"], list(chunk_ids), note)
    return sorted(row["chunk_id"] for row in rows)


async def _tried(database: Database, chunk_ids: Sequence[int]) -> Mapping[int, list[Tried]]:
    found: dict[int, list[Tried]] = defaultdict(list)
    for row in await database.fetch(_LETTERS["tried"], list(chunk_ids)):
        values = dict(row)
        found[values.pop("chunk_id")].append(Tried(**values))
    return found


def _letter(row: Mapping[str, Any], tried: tuple[Tried, ...]) -> Letter:
    values = dict(row)
    uri, sha256, size = (values.pop(name) for name in ("uri", "sha256", "size"))
    values["start"], values["end"] = int(values.pop("start_ns")), int(values.pop("end_ns"))
    values["symbols"] = tuple(values["symbols"])
    for name, kind in (("state", ChunkState), ("dataset", Dataset), ("schema", Schema)):
        values[name] = kind(values[name])
    payload = None if uri is None else PayloadRef(uri, sha256, size)
    return Letter(**values, payload=payload, tried=tried)
