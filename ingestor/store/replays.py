"""Chunks that were completed, as they would be claimed to be loaded again; nothing here writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from ingestor.job import Claim, Contents, JobPlan, PayloadRef
from ingestor.store.database import Database
from ingestor.store.queries import queries
from ingestor.vocabulary import ChunkId, Dataset, Fence, Priority, Schema

_REPLAYS = queries("replays")

Groups = Mapping[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Asked:
    """The request that a chunk was planned for.

    Attributes:
        start: Index timestamp, nanoseconds since 1970; `end` is exclusive.
    """

    request_id: int
    symbols: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Completed:
    """A completed chunk.

    Attributes:
        claim: As if it were claimed; it names the payload that was loaded.
        contents: Records and bounds of what was loaded.
        recut: Whether its payload has since been cut by the times of another mapping.
    """

    claim: Claim
    contents: Contents
    asked: Asked
    recut: bool = False


@dataclass(frozen=True, slots=True)
class Origin:
    """A job that is to be loaded again.

    Attributes:
        released_of: Where it stores quarantined records: the job they came from; else None.
        replays: Jobs so far that load it again.
    """

    name: str
    source: str
    priority: Priority
    released_of: UUID | None
    replays: int


@dataclass(frozen=True, slots=True)
class LoadedOtherwise:
    """A payload that was loaded by another mapping, and the job that did so last."""

    uri: str
    job_id: UUID
    name: str


async def completed_claims(database: Database, job_id: UUID | None) -> list[Claim]:
    """Completed chunks of a job, or of all jobs and then each payload once, in their order."""
    return [each.claim for each in await completed(database, job_id)]


async def completed_chunk(database: Database, chunk_id: int) -> Claim:
    """One of them."""
    [found] = await _found(database, None, [chunk_id])
    return found.claim


async def completed(database: Database, job_id: UUID | None) -> list[Completed]:
    """The same with what else is known of them."""
    return await _found(database, job_id, None)


async def _found(
    database: Database, job_id: UUID | None, chunk_ids: list[int] | None
) -> list[Completed]:
    rows = await database.fetch(_REPLAYS["completed"], job_id, chunk_ids)
    ids = {row[name] for row in rows for name in ("symbol_group_id", "asked_group_id")}
    groups = await _groups(database, ids)
    return [_completed(row, groups) for row in rows]


async def origin(database: Database, job_id: UUID) -> Origin:
    """What is to be known of a job before it is loaded again."""
    row = await database.fetchrow(_REPLAYS["job"], job_id)
    assert row is not None, "a job that was resolved is there"
    return Origin(
        row["name"], row["source"], list(Priority)[row["priority"]], row["released_of"],
        row["replays"],
    )  # fmt: skip


async def loaded_otherwise(database: Database, plan: JobPlan) -> LoadedOtherwise | None:
    """A payload of the plan that was last loaded by the times of another mapping, if there is."""
    told = {
        (chunk.payload.sha256, str(request.dataset), str(request.schema), chunk.cut_by): None
        for request in plan.requests
        for chunk in request.chunks
        if chunk.cut_by and chunk.payload is not None
    }
    if not told:
        return None
    columns = (list(column) for column in zip(*told, strict=True))
    row = await database.fetchrow(_REPLAYS["loaded_otherwise"], *columns)
    return None if row is None else LoadedOtherwise(row["uri"], row["job_id"], row["name"])


async def open_replay(database: Database, job_id: UUID) -> UUID | None:
    """The job that is loading this one again, while it has not ended."""
    found: UUID | None = await database.fetchval(_REPLAYS["open_replay"], job_id)
    return found


async def _groups(database: Database, ids: Iterable[int]) -> Groups:
    """Lists of symbols, each once: chunks by the thousand share one of 2,000 symbols."""
    rows = await database.fetch(_REPLAYS["symbols"], list(ids))
    return {row["symbol_group_id"]: tuple(row["symbols"]) for row in rows}


def _completed(row: Mapping[str, Any], groups: Groups) -> Completed:
    asked = Asked(
        row["request_id"],
        groups[row["asked_group_id"]],
        int(row["asked_start_ns"]),
        int(row["asked_end_ns"]),
    )
    contents = Contents(
        row["records"],
        index_min=_ns(row["index_min"]),
        index_max=_ns(row["index_max"]),
        event_min=_ns(row["event_min"]),
        event_max=_ns(row["event_max"]),
    )
    return Completed(_claim(row, groups), contents, asked, row["recut"])


def _ns(bound: Decimal | None) -> int | None:
    return None if bound is None else int(bound)


def _claim(row: Mapping[str, Any], groups: Groups) -> Claim:
    return Claim(
        chunk_id=ChunkId(row["chunk_id"]),
        job_id=row["job_id"],
        fence=Fence(row["fence"]),
        attempt=row["attempt"],
        max_attempts=row["max_attempts"],
        lost_count=row["lost_count"],
        deferrals=0,
        first_deferred_s=0.0,
        source=row["source"],
        dataset=Dataset(row["dataset"]),
        schema=Schema(row["schema"]),
        stype_in=row["stype_in"],
        symbols=groups[row["symbol_group_id"]],
        start=int(row["start_ns"]),
        end=int(row["end_ns"]),
        last_slice=row["last_slice"],
        expected=row["records"],
        payload=PayloadRef(row["uri"], row["sha256"], row["size"]),
        predecessors=tuple(_ref(line) for line in row["predecessors"]),
        partial=row["partial"],
        cut_by=row["cut_by"] or "",
    )


def _ref(lines: str) -> PayloadRef:
    uri, sha256, size = lines.rsplit("\n", 2)
    return PayloadRef(uri, sha256, int(size))
