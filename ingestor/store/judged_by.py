"""Which mapping and rule files chunks were loaded by, as their receipts say."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from ingestor.store.database import Database
from ingestor.store.queries import queries
from ingestor.vocabulary import ChunkId, Dataset, Schema

_JUDGED_BY = queries("judged_by")


@dataclass(frozen=True, slots=True)
class JudgedBy:
    """A completed chunk.

    Attributes:
        job_id: Whose chunk it is.
        mapping_hash: sha256 of its mapping file.
        rules_hash: sha256 of its validation files; empty where there were none.
    """

    chunk_id: ChunkId
    job_id: UUID
    source: str
    dataset: Dataset
    schema: Schema
    mapping_hash: str
    rules_hash: str


async def judged_by(
    database: Database, job_id: UUID | None, chunk_ids: Collection[int] | None = None
) -> list[JudgedBy]:
    """Completed chunks of a job, or of all; of `chunk_ids` only, where they are given."""
    wanted = None if chunk_ids is None else list(chunk_ids)
    rows = await database.fetch(_JUDGED_BY["judged_by"], job_id, wanted)
    return [
        JudgedBy(ChunkId(row["chunk_id"]), row["job_id"], row["source"],
                 Dataset(row["dataset"]), Schema(row["schema"]),
                 row["mapping_hash"], row["rules_hash"])
        for row in rows
    ]  # fmt: skip
