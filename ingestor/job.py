"""Frozen values that travel between the rooms: job, request, chunk, claim, payload.

Times are UTC nanoseconds since 1970 unless a name says otherwise; ends are exclusive.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from ingestor.vocabulary import (
    ChunkId,
    ChunkState,
    Dataset,
    Fence,
    Priority,
    Realm,
    Schema,
)

C = ChunkState

CHUNK_MOVES: Final[Mapping[ChunkState, frozenset[ChunkState]]] = {
    # Unclaimed ones fail where the provider refuses their whole job.
    C.PENDING: frozenset({C.QUEUED, C.IN_PROGRESS, C.FAILED, C.CANCELLED}),
    # Pausing a job takes its chunks off the queue.
    C.QUEUED: frozenset({C.QUEUED, C.PENDING, C.IN_PROGRESS, C.FAILED, C.CANCELLED}),
    C.RETRYING: frozenset({C.QUEUED, C.IN_PROGRESS, C.FAILED, C.CANCELLED}),
    C.IN_PROGRESS: frozenset(
        {C.IN_PROGRESS, C.COMPLETED, C.COMPLETED_EMPTY, C.RETRYING, C.FAILED, C.CANCELLED}
    ),
    C.COMPLETED: frozenset(),
    C.COMPLETED_EMPTY: frozenset(),
    C.FAILED: frozenset({C.PENDING}),
    C.CANCELLED: frozenset({C.PENDING}),
}
"""Every move a chunk may make; a trigger-free ledger keeps it by the WHERE of each statement."""


@dataclass(frozen=True, slots=True)
class PayloadRef:
    """Raw bytes as delivered, and where they are.

    Attributes:
        uri: Absolute path of a file, or ``vault:`` and a path inside the vault.
        sha256: Hex digest of its bytes when it was recorded; another one later is refused.
        size: Bytes.
    """

    uri: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class SymbolInterval:
    """One interval of a symbol: `symbol` (of `stype_in`) was `target` from start to end (dates)."""

    stype_in: str
    symbol: str
    stype_out: str
    target: str
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What the check pass over a payload found, or the slice of it that a chunk takes.

    Attributes:
        records: Records in the slice.
        index_min: Smallest defined index timestamp; None where there is none.
        index_max: Largest defined index timestamp.
        event_min: Smallest defined ts_event.
        event_max: Largest defined ts_event.
        ordered: Whether the index timestamp never decreases in the whole payload.
        instruments: Distinct instrument ids, ascending.
        publishers: Distinct publisher ids, ascending.
        event_days: Days since 1970 of ts_event, ascending: they name the hypertable chunks.
        index_days: Records per day since 1970 of the index timestamp.
    """

    records: int
    index_min: int | None = None
    index_max: int | None = None
    event_min: int | None = None
    event_max: int | None = None
    ordered: bool = True
    instruments: tuple[int, ...] = ()
    publishers: tuple[int, ...] = ()
    event_days: tuple[int, ...] = ()
    index_days: Mapping[int, int] = field(default_factory=dict)

    def days_of(self, column: str) -> tuple[int, ...]:
        """Days since 1970 of a time column, ascending: ts_event, else the index timestamp."""
        return self.event_days if column == "ts_event" else tuple(sorted(self.index_days))

    def span_of(self, column: str) -> tuple[int, int] | None:
        """Smallest and largest value of a time column; None where none is defined."""
        low, high = self.index_min, self.index_max
        if column == "ts_event":
            low, high = self.event_min, self.event_max
        return None if low is None or high is None else (low, high)


@dataclass(frozen=True, slots=True)
class ChunkPlan:
    """One chunk as planned, before the ledger has given it a number.

    Attributes:
        start: First index timestamp it takes, inclusive.
        end: Where it ends, exclusive.
        payload: Its bytes; None where they are to be fetched.
        contents: What the check pass found; None where there was nothing to check yet.
        symbols: Those of the request that it takes; None for all of them.
        predecessors: Parts of the same delivery whose last records share an index microsecond with
            this payload's first: ordinals go on from them.
        partial: Why the chunk proves no coverage; empty where it does.
        last: Whether it is its payload's last slice, which also takes the records whose index
            timestamp is undefined.
        replays, cut_by: As in `Claim`.
    """

    start: int
    end: int
    payload: PayloadRef | None = None
    contents: Contents | None = None
    symbols: tuple[str, ...] | None = None
    predecessors: tuple[PayloadRef, ...] = ()
    partial: str = ""
    last: bool = True
    replays: int | None = None
    cut_by: str = ""

    @property
    def refs(self) -> tuple[PayloadRef, ...]:
        """Every payload that it names."""
        return self.predecessors if self.payload is None else (self.payload, *self.predecessors)


@dataclass(frozen=True, slots=True)
class RequestPlan:
    """One schema × range of a job, with its chunks."""

    dataset: Dataset
    schema: Schema
    stype_in: str
    symbols: tuple[str, ...]
    start: int
    end: int
    chunks: tuple[ChunkPlan, ...]


@dataclass(frozen=True, slots=True)
class JobPlan:
    """A job, resolved: what the ledger writes in one transaction.

    Attributes:
        key: Hash over the resolved request; the same one is the same job.
        spec: What the person asked, as JSON values, for people to read.
        notes: Lines a person should read before it runs (files left out, copies).
        quoted_usd: What the provider says it costs; None where nothing is bought.
        realm: Kind of gateway it asks; None for files.
        symbology: What its symbols mean, where that is known before anything is fetched.
    """

    key: str
    name: str
    source: str
    priority: Priority
    spec: Mapping[str, Any]
    requests: tuple[RequestPlan, ...]
    notes: tuple[str, ...] = ()
    quoted_usd: float | None = None
    realm: Realm | None = None
    symbology: tuple[SymbolInterval, ...] = ()

    @property
    def chunk_count(self) -> int:
        return sum(len(request.chunks) for request in self.requests)


@dataclass(frozen=True, slots=True)
class Claim:
    """A chunk that this attempt owns until its lease ends: everything a worker needs.

    Attributes:
        fence: Presented with every write; a stale one is refused.
        attempt: 1 for the first try.
        max_attempts: Beyond which a Retryable failure is final.
        deferrals: Attempts given back so far (throttling, database restarts).
        first_deferred_s: Seconds since the first of them; 0 where there was none.
        local_faults: Attempts in a row before this one that ended because their host lacked
            memory, disk or time.
        expected: Records that the plan counted in the slice; None where it could not count.
        payload: Its bytes; None where they are to be fetched.
        forced: Whether the job was told to load again what may be held already.
        accept_removals: Whether a forced load may remove however many rows its payload lacks.
        replays: The completed chunk whose payload is loaded again by today's rules; its rows that
            these do not make again are removed. Of a release: the one that refused the records.
        releases: Whether the chunk stores some quarantined records of `replays`, not a payload.
        cut_by: Digest of the mapping whose times cut the payload; empty where its own times do.
    """

    chunk_id: ChunkId
    job_id: UUID
    fence: Fence
    attempt: int
    max_attempts: int
    lost_count: int
    deferrals: int
    first_deferred_s: float
    source: str
    dataset: Dataset
    schema: Schema
    stype_in: str
    symbols: tuple[str, ...]
    start: int
    end: int
    last_slice: bool
    expected: int | None
    payload: PayloadRef | None
    predecessors: tuple[PayloadRef, ...]
    partial: str
    forced: bool = False
    accept_removals: bool = False
    local_faults: int = 0
    replays: int | None = None
    releases: bool = False
    cut_by: str = ""


@dataclass(frozen=True, slots=True)
class PayloadMetadata:
    """What a payload says of itself, to be held against the request.

    Attributes:
        start: First index timestamp that was asked for; None where it does not say.
        end: Where that range ends, exclusive; None where it is open.
        symbols: As asked for; empty where it names none.
        limit: Most records that were asked for; None where there was no limit.
    """

    dataset: str
    schema: str
    start: int | None = None
    end: int | None = None
    symbols: tuple[str, ...] = ()
    limit: int | None = None
