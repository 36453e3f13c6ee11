"""How a plan becomes rows of the ledger: payloads, symbol lists, requests and chunks."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from ingestor.job import Contents, JobPlan, PayloadRef, RequestPlan
from ingestor.steps import counted
from ingestor.store.database import Connection
from ingestor.store.queries import queries
from ingestor.vocabulary import Realm

_JOBS = queries("jobs")


async def record_payloads(connection: Connection, plan: JobPlan) -> dict[PayloadRef, int]:
    """Records every payload that a plan names; their ids."""
    refs = {ref for request in plan.requests for chunk in request.chunks for ref in chunk.refs}
    return await payload_ids(connection, sorted(refs, key=lambda ref: ref.uri), None)


async def payload_ids(
    connection: Connection, refs: Sequence[PayloadRef], realm: Realm | None
) -> dict[PayloadRef, int]:
    """Records payloads unless they are recorded; their ids."""
    uris, hashes = [ref.uri for ref in refs], [ref.sha256 for ref in refs]
    sizes = [ref.size for ref in refs]
    await connection.execute(_JOBS["insert_payloads"], uris, hashes, sizes, realm)
    rows = await connection.fetch(_JOBS["payload_ids"], uris, hashes)
    ids = {(row["uri"], row["sha256"]): row["payload_id"] for row in rows}
    return {ref: ids[ref.uri, ref.sha256] for ref in refs}


async def record_request(
    connection: Connection,
    job_id: UUID,
    request: RequestPlan,
    payloads: dict[PayloadRef, int],
    max_attempts: int,
) -> None:
    """Records a request and its chunks, in their order."""
    groups = await _symbol_groups(connection, request)
    whole = groups[request.symbols]
    request_id = await connection.fetchval(
        _JOBS["insert_request"], job_id, request.dataset, request.schema, request.stype_in,
        whole, Decimal(request.start), Decimal(request.end),
    )  # fmt: skip
    rows = (
        (job_id, request_id, whole if chunk.symbols is None else groups[chunk.symbols],
         Decimal(chunk.start), Decimal(chunk.end), chunk.last, max_attempts,
         *_counted(chunk.contents), None if chunk.payload is None else payloads[chunk.payload],
         [payloads[ref] for ref in chunk.predecessors], chunk.partial, chunk.replays,
         chunk.cut_by or None)
        for chunk in counted("chunks recorded", request.chunks, len(request.chunks))
    )  # fmt: skip
    await connection.copy_records_to_table(
        "chunks", schema_name="ingest", records=rows, columns=_PLANNED_COLUMNS
    )


def _counted(contents: Contents | None) -> tuple[int | Decimal | None, ...]:
    """Records and bounds of a chunk's columns; nulls where nothing was counted yet."""
    if contents is None:
        return (None,) * 5
    return contents.records, *bounds_of(contents)


def bounds_of(contents: Contents) -> tuple[Decimal | None, ...]:
    """Smallest and largest of both times as NUMERIC(20) takes them; null where there is none."""
    bounds = (contents.index_min, contents.index_max, contents.event_min, contents.event_max)
    return tuple(None if bound is None else Decimal(bound) for bound in bounds)


_PLANNED_COLUMNS = (
    "job_id", "request_id", "symbol_group_id", "start_ns", "end_ns", "last_slice",
    "max_attempts", "expected", "index_min", "index_max", "event_min", "event_max",
    "payload_id", "predecessors", "partial", "replays", "cut_by",
)  # fmt: skip


async def _symbol_groups(
    connection: Connection, request: RequestPlan
) -> dict[tuple[str, ...], int]:
    """Ids of every list of symbols that the request and its chunks name."""
    # By identity first: chunks share their lists, and hashing 2,000 symbols takes 20 µs.
    shared = {id(chunk.symbols): chunk.symbols for chunk in request.chunks}
    lists = {request.symbols, *(each for each in shared.values() if each is not None)}
    # Sorted, so that two jobs never wait for each other's lists in a ring.
    return {each: await _symbol_group(connection, each) for each in sorted(lists)}


async def _symbol_group(connection: Connection, symbols: Sequence[str]) -> int:
    digest = hashlib.sha256("\n".join(symbols).encode()).hexdigest()
    made = await connection.fetchval(_JOBS["insert_symbols"], digest, list(symbols))
    group: int = made or await connection.fetchval(_JOBS["symbols_id"], digest)
    return group
