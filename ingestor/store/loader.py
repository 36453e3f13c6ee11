"""One chunk's rows into its table: rows, quarantine, symbols, coverage, receipt and state, or none.

Where nothing of these instruments and days is stored yet, rows are copied straight in. Where
something is, they are staged and merged. A race between two first loads ends in a key violation;
the whole transaction is then rolled back and done again as a merge.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import asyncpg

from ingestor import failpoint
from ingestor.days import DaySet
from ingestor.errors import (
    CorruptPayload,
    DatabaseUnavailable,
    LeaseLost,
    UnlikeRequest,
)
from ingestor.job import Claim, Contents, PayloadRef, Receipt, SymbolInterval
from ingestor.model import Table
from ingestor.store import hypertables, ledger, meta
from ingestor.store.binary_copy import columns_of
from ingestor.store.coverage import cover
from ingestor.store.database import Connection, Database
from ingestor.store.feed import Progress, Rooms, feed
from ingestor.store.merge import STAGE, merge_statement, probe_statement, stage_statement
from ingestor.store.quarantine import Spool
from ingestor.store.queries import queries
from ingestor.store.schema import NAMESPACE
from ingestor.store.symbols import keep_intervals
from ingestor.vocabulary import Realm

_LOAD = queries("load")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Load:
    """Everything that one load transaction writes.

    Attributes:
        payload: The bytes that are loaded.
        realm: Kind of gateway they came from; None for files.
        covered_days: What a complete payload proves for `covered_symbols`; empty where it proves
            nothing.
        nameless: Instruments that nothing gives a symbol to.
        merge_lock_timeout_s: How long to wait for the sole use of a table's days.
    """

    claim: Claim
    table: Table
    payload: PayloadRef
    realm: Realm | None
    contents: Contents
    rooms: Rooms
    intervals: Sequence[SymbolInterval]
    partial: str
    covered_days: DaySet
    covered_symbols: Sequence[str]
    nameless: int
    data_source: str
    mapping_hash: str
    worker: str
    merge_lock_timeout_s: float
    clock: Callable[[], float] = time.monotonic
    progress: Progress = field(default_factory=Progress)


async def load(database: Database, job: Load) -> Receipt:
    """Loads the chunk whole and commits, or leaves nothing.

    Raises:
        LeaseLost: The chunk has another owner now.
        CorruptPayload: The payload did not hold the records that the check pass counted.
        DatabaseUnavailable, DatabaseHalted: The transaction did not happen; it may be repeated.
    """
    await _know_publishers(database, job)
    await hypertables.prepare(database, job.table, job.contents.event_days)
    receipt = await _transaction(database, job, merge=False)
    if receipt is None:
        receipt = await _transaction(database, job, merge=True)
    assert receipt is not None
    failpoint.reach("after_commit")
    return receipt


class _KeyTaken(Exception):
    """Rows are there already, or came in while we were copying: the load must be a merge."""


async def _transaction(database: Database, job: Load, *, merge: bool) -> Receipt | None:
    """One try: its receipt, or None where it was rolled back because it must be a merge."""
    receipt: Receipt | None = None
    committing = False
    try:
        async with database.connection() as connection:
            await _name_session(connection, job)
            transaction = connection.transaction()
            await transaction.start()
            try:
                receipt = await _write(connection, job, merge=merge)
            except _KeyTaken:
                await transaction.rollback()
                return None
            failpoint.reach("before_commit")
            committing = True
            await transaction.commit()
    except DatabaseUnavailable:
        # A commit whose answer was lost is unknown: only the ledger can tell.
        if not (committing and await ledger.settled(database, job.claim)):
            raise
    return receipt


async def _name_session(connection: Connection, job: Load) -> None:
    """Names the session, so that the reaper can find it: ``hdi:<chunk>:<fence>:<worker>``."""
    name = f"hdi:{job.claim.chunk_id}:{job.claim.fence}:{job.worker}"
    await connection.execute(_LOAD["name_session"], name[:63])


async def _write(connection: Connection, job: Load, *, merge: bool) -> Receipt:
    if not await ledger.lock(connection, job.claim):
        raise LeaseLost(f"chunk {job.claim.chunk_id} has another owner")
    job.progress.fetched = job.progress.accepted = job.progress.bytes = 0
    started = job.clock()
    with Spool(job.claim.chunk_id) as spool:
        outcome = await _rows(connection, job, spool, merge=merge)
        await connection.execute(_LOAD["quarantine_stage"], job.claim.chunk_id)
        await spool.copy_to(connection)
        quarantined = spool.count
    _count_check(job, quarantined)
    await keep_intervals(connection, job.claim.dataset, job.intervals, source=job.data_source)
    await cover(
        connection, dataset=job.claim.dataset, schema=job.claim.schema,
        stype_in=job.claim.stype_in, symbols=job.covered_symbols, days=job.covered_days,
    )  # fmt: skip
    # Last before the receipt: first loads that meet here wait for one commit only.
    await meta.keep_realm(connection, job.realm)
    receipt = _receipt(job, outcome, quarantined, job.clock() - started)
    proof = ledger.Proof(job.payload, job.contents, job.realm)
    if not await ledger.finish(connection, job.claim, receipt, proof):
        raise LeaseLost(f"chunk {job.claim.chunk_id} has another owner")
    return receipt


@dataclass(frozen=True, slots=True)
class _Outcome:
    stored: int
    already_stored: int
    corrected: int
    way: str


async def _rows(connection: Connection, job: Load, spool: Spool, *, merge: bool) -> _Outcome:
    bounds = _event_bounds(job.contents)
    if bounds is None:
        stored = await _copy(connection, job, spool, job.table.name, NAMESPACE)
        return _Outcome(stored, 0, 0, "copy")
    days = list(job.contents.event_days)
    if not merge:
        await _own(connection, "share_days", job, days)
        ids = list(job.contents.instruments)
        if not await connection.fetchval(probe_statement(job.table), ids, *bounds):
            stored = await _copy(connection, job, spool, job.table.name, NAMESPACE)
            return _Outcome(stored, 0, 0, "copy")
        raise _KeyTaken
    await _own(connection, "own_days", job, days)
    await connection.execute(stage_statement(job.table))
    await _copy(connection, job, spool, STAGE, None)
    await connection.execute(_LOAD["analyze_stage"])
    return await _merge(connection, job, bounds)


async def _merge(
    connection: Connection, job: Load, bounds: tuple[dt.datetime, dt.datetime]
) -> _Outcome:
    row = await connection.fetchrow(merge_statement(job.table), job.claim.chunk_id, *bounds)
    assert row is not None
    stored = row["inserted"] + row["corrected"]
    return _Outcome(stored, row["total"] - stored, row["corrected"], "merge")


async def _own(connection: Connection, how: str, job: Load, days: list[int]) -> None:
    """Waits for the days of the table: shared among appends, alone for a merge."""
    wait_ms = str(round(job.merge_lock_timeout_s * 1000))
    usual = await connection.fetchval(_LOAD["lock_timeout"])
    await connection.execute(_LOAD["set_lock_timeout"], wait_ms)
    await connection.execute(_LOAD[how], job.table.name, days)
    await connection.execute(_LOAD["set_lock_timeout"], usual)


async def _copy(
    connection: Connection, job: Load, spool: Spool, table: str, namespace: str | None
) -> int:
    failpoint.reach("before_copy")
    stream = feed(job.rooms(spool), job.progress, expected=job.contents.records)
    try:
        status = await connection.copy_to_table(
            table,
            schema_name=namespace,
            columns=columns_of(job.table),
            source=stream,
            format="binary",
        )
    except asyncpg.UniqueViolationError as error:
        raise _KeyTaken from error
    finally:
        # asyncpg leaves it open after an error, with a thread that still reads ahead.
        await stream.aclose()
    copied = int(status.rpartition(" ")[2])
    if copied != job.progress.accepted:
        raise CorruptPayload(f"{job.progress.accepted} rows were sent, {copied} arrived")
    return copied


def _count_check(job: Load, quarantined: int) -> None:
    counted, seen = job.contents.records, job.progress.fetched
    if seen != counted or job.progress.accepted + quarantined != counted:
        raise CorruptPayload(
            f"the payload of chunk {job.claim.chunk_id} held {counted} records when it was checked "
            f"and {seen} when it was loaded",
            hint="something writes to the file; submit it again when it is whole",
        )


async def _know_publishers(database: Database, job: Load) -> None:
    """Learns publishers ahead: inside the load, two first loads would wait for each other's end."""
    ids, dataset = list(job.contents.publishers), job.claim.dataset
    async with database.connection() as connection:
        await connection.execute(_LOAD["learn_publishers"], ids, dataset)
        wrong = await connection.fetchrow(_LOAD["contradicting_publisher"], ids, dataset)
    if wrong is not None:
        raise UnlikeRequest(
            f"publisher {wrong['publisher_id']} belongs to {wrong['dataset']}, "
            f"the payload says {dataset}",
            hint="the metadata of the payload name another dataset than its records",
        )


def _receipt(job: Load, outcome: _Outcome, quarantined: int, seconds: float) -> Receipt:
    return Receipt(
        fetched=job.progress.fetched,
        stored=outcome.stored,
        quarantined=quarantined,
        already_stored=outcome.already_stored,
        corrected=outcome.corrected,
        flagged=0,
        sha256=job.payload.sha256,
        mapping_hash=job.mapping_hash,
        partial=job.partial,
        way=outcome.way,
        seconds={"load": round(seconds, 4)},
        nameless=job.nameless,
    )


def _event_bounds(contents: Contents) -> tuple[dt.datetime, dt.datetime] | None:
    """Smallest and largest ts_event of the slice, to the microsecond; None where it has none."""
    if contents.event_min is None or contents.event_max is None:
        return None
    return _time(contents.event_min), _time(contents.event_max)


def _time(ns: int) -> dt.datetime:
    return _EPOCH + dt.timedelta(microseconds=ns // 1000)
