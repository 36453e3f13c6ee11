"""One chunk's rows into its table: rows, quarantine, symbols, coverage, receipt and state, or none.

Where nothing of these instruments and days is stored yet, rows are copied straight in. Where
something is, they are staged and merged. A race between two first loads ends in a key violation;
the whole transaction is then rolled back and done again as a merge. A forced load of a whole
payload is always a merge, and also removes what the payload lacks of its key space. So is a replay,
which removes what today's rules do not make of its payload.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import asyncpg

from ingestor import failpoint
from ingestor.days import DAY_NS
from ingestor.errors import (
    CorruptPayload,
    DatabaseUnavailable,
    LeaseLost,
    UnlikeRequest,
)
from ingestor.receipt import Receipt
from ingestor.store import hypertables, ledger, meta
from ingestor.store.binary_copy import columns_of
from ingestor.store.coverage import cover
from ingestor.store.database import Connection, Database
from ingestor.store.day_locks import own_days, share_days
from ingestor.store.feed import feed
from ingestor.store.key_space import KeySpace, open_space, remove, supersede_quarantined
from ingestor.store.lineage import (
    lineage,
    open_lineage,
    remove_unmade,
    resolve,
    supersede_lineage,
)
from ingestor.store.load import Load
from ingestor.store.merge import STAGE, merge_statement, probe_statement, stage_statement
from ingestor.store.quarantine import Spool
from ingestor.store.queries import queries
from ingestor.store.schema import NAMESPACE
from ingestor.store.symbols import (
    count_nameless,
    keep_intervals,
    learn_definitions,
    refuse_shared_ids,
)

_LOAD = queries("load")


async def load(database: Database, job: Load) -> Receipt:
    """Loads the chunk whole and commits, or leaves nothing.

    Raises:
        LeaseLost: The chunk has another owner now, or a record that it releases is not there.
        CorruptPayload: The payload did not hold the records that the check pass counted.
        UnlikeRequest: A publisher or instrument id of it belongs to another dataset or symbol.
        RejectionLimit: Too many of its records are refused.
        BadJob: It replays a payload that a forced load has outdated.
        RemovalLimit: It is forced, and its payload lacks too much of what is stored.
        DatabaseUnavailable, DatabaseHalted: The transaction did not happen; it may be repeated.
    """
    await _know_publishers(database, job)
    await hypertables.prepare(database, job.table, job.days)
    always = job.replays or job.key_space is not None
    receipt = await _transaction(database, job, merge=always)
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
            transaction = connection.transaction()
            await transaction.start()
            try:
                receipt = await _write(connection, job, merge=merge)
            except _KeyTaken:
                await transaction.rollback()
                return None
            failpoint.reach("before_commit")
            committing = job.progress.committing = True
            await transaction.commit()
    except DatabaseUnavailable:
        # A commit whose answer was lost is unknown: only the ledger can tell.
        if not (committing and await ledger.settled(database, job.claim)):
            raise
    return receipt


async def _write(connection: Connection, job: Load, *, merge: bool) -> Receipt:
    if not await ledger.lock(connection, job.claim, worker=job.worker):
        raise LeaseLost(f"chunk {job.claim.chunk_id} has another owner")
    await job.tuning.begin(connection)
    job.progress.fetched = job.progress.accepted = job.progress.bytes = 0
    started = job.clock()
    with Spool(job.claim.chunk_id, job.rules_hash, job.flags_kept) as spool:
        outcome = await _rows(connection, job, spool, merge=merge)
        await _judged(connection, job, spool)
    _count_check(job, spool.count)
    nameless = await _names(connection, job)
    await cover(
        connection, dataset=job.claim.dataset, schema=job.claim.schema,
        stype_in=job.claim.stype_in, symbols=job.covered_symbols, days=job.covered_days,
    )  # fmt: skip
    # Last before the receipt: first loads that meet here wait for one commit only.
    await meta.keep_realm(connection, job.realm)
    receipt = _receipt(job, outcome, spool, nameless, job.clock() - started)
    proof = ledger.Proof(job.payload, job.contents, job.realm)
    if not await ledger.finish(connection, job.claim, receipt, proof):
        raise LeaseLost(f"chunk {job.claim.chunk_id} has another owner")
    return receipt


async def _judged(connection: Connection, job: Load, spool: Spool) -> None:
    """Writes what is refused and flagged in the place of what is known of the payload so far."""
    await connection.execute(_LOAD["forget_judged"], job.claim.chunk_id)
    await spool.copy_to(connection)
    if job.replays:
        await supersede_lineage(connection, job.claim.chunk_id)
    await resolve(connection, job)


@dataclass(frozen=True, slots=True)
class _Outcome:
    stored: int
    already_stored: int
    corrected: int
    way: str
    removed: int = 0


async def _rows(connection: Connection, job: Load, spool: Spool, *, merge: bool) -> _Outcome:
    if job.replays:
        return await _replay(connection, job, spool)
    if (space := job.key_space) is not None:
        return await _replace(connection, job, spool, space)
    bounds = job.bounds
    if bounds is None:
        stored = await _copy(connection, job, spool, job.table.name, NAMESPACE)
        return _Outcome(stored, 0, 0, "copy")
    days, patience = job.days, job.merge_lock_timeout_s
    if not merge:
        await share_days(connection, job.table, days, timeout_s=patience)
        ids = list(job.contents.instruments)
        if not await connection.fetchval(probe_statement(job.table), ids, *bounds):
            stored = await _copy(connection, job, spool, job.table.name, NAMESPACE)
            return _Outcome(stored, 0, 0, "copy")
        raise _KeyTaken
    await own_days(connection, job.table, days, timeout_s=patience)
    await _stage(connection, job, spool)
    return await _merge(connection, job)


async def _replace(connection: Connection, job: Load, spool: Spool, space: KeySpace) -> _Outcome:
    """A merge that also removes what the payload lacks of its key space."""
    opened = await open_space(connection, space, job.days, timeout_s=job.merge_lock_timeout_s)
    await _stage(connection, job, spool)
    removed = await remove(connection, opened, job.removal_limits)
    await supersede_quarantined(connection, opened)
    return replace(await _merge(connection, job), removed=removed)


async def _replay(connection: Connection, job: Load, spool: Spool) -> _Outcome:
    """A merge that also removes what its payload made before and does not make today."""
    opened = await open_lineage(connection, job)
    await _stage(connection, job, spool)
    removed = await remove_unmade(connection, opened, job, spool)
    return replace(await _merge(connection, job), removed=removed)


async def _stage(connection: Connection, job: Load, spool: Spool) -> None:
    await connection.execute(stage_statement(job.table))
    await _copy(connection, job, spool, STAGE, None)
    await job.tuning.merge(connection)


async def _merge(connection: Connection, job: Load) -> _Outcome:
    bounds = job.bounds
    if bounds is None:  # no record that has a time: none was staged
        return _Outcome(0, 0, 0, "merge")
    values: list[object] = [job.claim.chunk_id, *bounds]
    if again := job.claim.replays is not None:
        values.append((await lineage(connection, job.claim.chunk_id)).delivered)
    row = await connection.fetchrow(merge_statement(job.table, job.silent, replay=again), *values)
    assert row is not None
    stored = row["inserted"] + row["corrected"]
    return _Outcome(stored, row["total"] - stored, row["corrected"], "merge")


async def _names(connection: Connection, job: Load) -> int:
    """Keeps what the payload says of symbols; how many of its instruments are still nameless."""
    dataset = job.claim.dataset
    if job.own_ids:
        await refuse_shared_ids(connection, dataset, job.intervals)
    await keep_intervals(connection, dataset, job.intervals, source=job.data_source)
    bounds = job.bounds
    if bounds is not None:
        await learn_definitions(connection, job.table, dataset, job.claim.chunk_id, bounds)
    first, past = job.claim.start // DAY_NS, -(-job.claim.end // DAY_NS)
    return await count_nameless(connection, dataset, job.nameless, (first, past))


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
    known = database.facts[f"publishers of {dataset}"]
    if known.issuperset(ids):
        return
    async with database.connection() as connection:
        await connection.execute(_LOAD["learn_publishers"], ids, dataset)
        wrong = await connection.fetchrow(_LOAD["contradicting_publisher"], ids, dataset)
    if wrong is not None:
        raise UnlikeRequest(
            f"publisher {wrong['publisher_id']} belongs to {wrong['dataset']}, "
            f"the payload says {dataset}",
            hint="metadata of DBN name another dataset than its records; for text files, give the "
            "dataset a publisher_id of its own in its mapping",
        )
    known.update(ids)


def _receipt(job: Load, outcome: _Outcome, spool: Spool, nameless: int, seconds: float) -> Receipt:
    return Receipt(
        fetched=job.progress.fetched,
        stored=outcome.stored,
        quarantined=spool.count,
        already_stored=outcome.already_stored,
        corrected=outcome.corrected,
        flagged=spool.flagged_records,
        sha256=job.payload.sha256,
        mapping_hash=job.mapping_hash,
        partial=job.partial,
        way=outcome.way,
        seconds={"load": round(seconds, 4)},
        nameless=nameless,
        removed=outcome.removed,
        rules_hash=job.rules_hash,
        rejected=spool.rejected,
        flags=spool.flags,
        undecided=spool.undecided,
        still_quarantined=job.still_quarantined,
    )
