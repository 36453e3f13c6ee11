"""Records in quarantine and records that are flagged: which there are, and what becomes of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, Literal
from uuid import UUID, uuid4

import asyncpg

from ingestor.job import Claim, PayloadRef
from ingestor.store.database import Connection, Database
from ingestor.store.queries import queries
from ingestor.vocabulary import ChunkId, Dataset, Fence, Realm, Schema

_QUARANTINE = queries("quarantine")

PARTIAL = "some quarantined records of a chunk, not a payload"
"""Why a release proves no coverage."""

Kept = Literal["refused", "flagged"]
"""Where a record that broke a rule is: in quarantine, or stored and flagged."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which records are meant; None leaves a thing open.

    Attributes:
        symbol: Any symbol that stood for the instrument on the record's day, or the instrument id.
        start: Index timestamp, nanoseconds since 1970; `end` is exclusive. A record that has none
            counts at the last moment of its chunk.
        ids: Of quarantine, or of flagged records.
        everything: Also what is resolved, superseded, or of a chunk that was loaded again since.
    """

    job_id: UUID | None = None
    rule: str | None = None
    dataset: str | None = None
    symbol: str | None = None
    start: int | None = None
    end: int | None = None
    ids: tuple[int, ...] | None = None
    everything: bool = False

    def values(self) -> list[Any]:
        """The parameters of the statements."""
        return [
            self.job_id, self.rule, self.dataset, self.symbol, _numeric(self.start),
            _numeric(self.end), None if self.ids is None else list(self.ids), self.everything,
        ]  # fmt: skip


def _numeric(ns: int | None) -> Decimal | None:
    return None if ns is None else Decimal(ns)


@dataclass(frozen=True, slots=True)
class Entry:
    """One record that broke a rule, as it was recorded.

    Attributes:
        id: In quarantine, or among flagged records.
        source: Of the job that delivered it.
        position: 0-based place in its payload.
        symbol: Raw symbol on the day of its index timestamp; None where none is known.
        index_ns: Index timestamp, nanoseconds since 1970; None where it has none.
        ordinal: None where it was not kept: records from before HDI kept it.
        rules_hash: Of the validation files that it broke; None where that was not kept.
        readable: Its columns for people; None where they were not kept.
        resolution: replayed or discarded; None while it waits, and of flagged records.
        resolved_by: Chunk that stored it later.
        superseded_by: Chunk that took the place of all that was delivered before.
    """

    id: int
    chunk_id: int
    job_id: UUID
    source: str
    dataset: Dataset
    schema: Schema
    position: int
    rule: str
    field: str
    value: str
    reason: str
    publisher_id: int
    instrument_id: int
    symbol: str | None
    index_ns: int | None
    ordinal: int | None
    rules_hash: str | None
    readable: dict[str, Any] | None
    recorded_at: dt.datetime
    resolution: str | None
    resolved_at: dt.datetime | None
    resolved_by: int | None
    resolved_reason: str | None
    superseded_by: int | None


@dataclass(frozen=True, slots=True)
class Raw:
    """A record in quarantine as it was delivered.

    Attributes:
        rule: That it broke then.
        ordinal: Place among delivered records that share every other key column; None: not kept.
    """

    id: int
    position: int
    rule: str
    ordinal: int | None
    raw: bytes


@dataclass(frozen=True, slots=True)
class Origin:
    """A chunk that refused records.

    Attributes:
        start: Index timestamp, nanoseconds since 1970, as planned; `end` is exclusive.
        realm: Kind of gateway that its payload came from; None for files.
    """

    chunk_id: int
    job_id: UUID
    source: str
    dataset: Dataset
    schema: Schema
    stype_in: str
    symbols: tuple[str, ...]
    start: int
    end: int
    last_slice: bool
    payload: PayloadRef
    realm: Realm | None

    def claim(self, chunk_id: int, fence: int, job_id: UUID, *, records: int | None) -> Claim:
        """The claim of a release of some of its records, by the number that it was given."""
        return Claim(
            chunk_id=ChunkId(chunk_id), job_id=job_id, fence=Fence(fence), attempt=1,
            max_attempts=1, lost_count=0, deferrals=0, first_deferred_s=0, source=self.source,
            dataset=self.dataset, schema=self.schema, stype_in=self.stype_in,
            symbols=self.symbols, start=self.start, end=self.end, last_slice=self.last_slice,
            expected=records, payload=self.payload, predecessors=(), partial=PARTIAL,
            replays=self.chunk_id, releases=True,
        )  # fmt: skip


async def rules(database: Database, kept: Kept, wanted: Filters) -> dict[str, int]:
    """How many records broke each rule, most first."""
    rows = await database.fetch(_statement(kept, "rules"), *wanted.values())
    return {row["rule"]: row["records"] for row in rows}


async def entries(
    database: Database, kept: Kept, wanted: Filters, *, limit: int, after: int = 0
) -> list[Entry]:
    """At most `limit` records behind id `after`, by id."""
    rows = await database.fetch(_statement(kept, "records"), *wanted.values(), limit, after)
    return [_entry(row) for row in rows]


async def unlisted(database: Database, wanted: Filters) -> dict[str, int]:
    """By rule, flagged records that receipts and rechecks count and nothing lists.

    Of `wanted` job, rule and dataset are looked at: no more is known of them.
    """
    query = _QUARANTINE["replayed"] + _QUARANTINE["unlisted"]
    values = (wanted.job_id, wanted.rule, wanted.dataset, wanted.everything)
    return {row["rule"]: row["records"] for row in await database.fetch(query, *values)}


async def ids(database: Database, wanted: Filters) -> list[int]:
    """Records in quarantine, ascending."""
    rows = await database.fetch(_statement("refused", "ids"), *wanted.values())
    return [row["id"] for row in rows]


async def by_chunk(
    database: Database, chosen: Sequence[int], *, discarded: bool = False
) -> dict[int, list[int]]:
    """Chunk → those of its chosen records that wait, in the order of its payload.

    Args:
        discarded: Whether those that were discarded are among them.
    """
    rows = await database.fetch(_QUARANTINE["chunks_of"], list(chosen), discarded)
    return {row["chunk_id"]: row["ids"] for row in rows}


async def take_back(database: Database, chosen: Sequence[int]) -> None:
    """Lets those of the records that were discarded wait again."""
    await database.fetch(_QUARANTINE["take_back"], list(chosen))


async def raw(database: Database, chosen: Sequence[int]) -> list[Raw]:
    """Records with their bytes, by chunk and place in the payload."""
    rows = await database.fetch(_QUARANTINE["raw"], list(chosen))
    return [
        Raw(row["id"], row["position"], row["rule"], row["ordinal"], row["raw"]) for row in rows
    ]


async def discard(database: Database, chosen: Sequence[int], *, reason: str) -> int:
    """Marks those of the records that still wait; how many."""
    return len(await database.fetch(_QUARANTINE["discard"], list(chosen), reason))


async def origin(database: Database, chunk_id: int) -> Origin:
    """The chunk that refused a record."""
    row = await database.fetchrow(_QUARANTINE["origin"], chunk_id)
    assert row is not None, "a chunk with quarantined records has a payload"
    return Origin(
        row["chunk_id"], row["job_id"], row["source"], Dataset(row["dataset"]),
        Schema(row["schema"]), row["stype_in"], tuple(row["symbols"]), int(row["start_ns"]),
        int(row["end_ns"]), row["last_slice"],
        PayloadRef(row["uri"], row["sha256"], row["size"]),
        None if row["realm"] is None else Realm(row["realm"]),
    )  # fmt: skip


async def open_releases(
    database: Database,
    parts: Sequence[tuple[Origin, int]],
    *,
    name: str,
    spec: dict[str, Any],
    worker: str,
    lease_s: float,
) -> list[Claim]:
    """Records a job, of one source, with a claimed chunk for each (origin, records) of `parts`."""
    job_id = uuid4()
    async with database.connection() as connection, connection.transaction():
        await connection.execute(
            _QUARANTINE["open_job"], job_id, name, parts[0][0].source, spec, len(parts)
        )
        return [await _open_release(connection, job_id, *part, worker, lease_s) for part in parts]


async def _open_release(
    connection: Connection, job_id: UUID, of: Origin, records: int, worker: str, lease_s: float
) -> Claim:
    row = await connection.fetchrow(
        _QUARANTINE["open_release"], job_id, of.chunk_id, records, worker, lease_s, PARTIAL
    )
    assert row is not None
    return of.claim(row["chunk_id"], row["fence"], job_id, records=records)


async def renew(database: Database, waiting: Sequence[Claim], *, lease_s: float) -> None:
    """Renews the leases of release chunks that wait for their turn; they have one fence."""
    if waiting:
        chunk_ids = [claim.chunk_id for claim in waiting]
        await database.fetch(_QUARANTINE["renew"], chunk_ids, waiting[0].fence, lease_s)


async def end_session(database: Database, claim: Claim) -> None:
    """Ends what the server still does for a load that was given up, so that its chunk is free."""
    await database.fetch(_QUARANTINE["end_session"], claim.chunk_id, claim.fence)


@cache
def _statement(kept: Kept, tail: str) -> str:
    head = _QUARANTINE["replayed"] + ", " if kept == "flagged" else "WITH "
    return f"{head}matching AS ({_QUARANTINE[kept]}) {_QUARANTINE[tail]}"


def _entry(row: asyncpg.Record) -> Entry:
    told = {name: row[name] for name in Entry.__slots__}
    index_ns = row["index_ns"]
    return Entry(
        **told
        | {
            "dataset": Dataset(row["dataset"]),
            "schema": Schema(row["schema"]),
            "index_ns": None if index_ns is None else int(index_ns),
        }
    )
