"""One chunk through the rooms, in order: fetch → decode → transform → validate → load → receipt.

Read this page first. Data goes one way, one frozen value through each door; the rooms do not know
each other, only this module joins them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from ingestor import failpoint
from ingestor.days import DAY_NS, DaySet
from ingestor.errors import LeaseLost, Unstorable
from ingestor.job import Claim, Contents, Receipt
from ingestor.logs import get_logger
from ingestor.model import Table
from ingestor.model.frame import Frame
from ingestor.settings import Settings
from ingestor.sources.source import Payload, Source, Sources
from ingestor.store import ledger
from ingestor.store.binary_copy import encode
from ingestor.store.database import Database
from ingestor.store.feed import Batch, Progress
from ingestor.store.key_space import RemovalLimits
from ingestor.store.load import Load
from ingestor.store.loader import load
from ingestor.store.meta import check_realm
from ingestor.store.quarantine import Spool
from ingestor.store.turns import own_turn
from ingestor.transform import Mapping, Numbering, load_mapping, numbering_of
from ingestor.validate import judge
from ingestor.vault import Vault
from ingestor.vocabulary import ALL_SYMBOLS

log = get_logger(__name__)

_EVERYTHING_BATCH = 1_000_000
_UNDER_WAY: set[asyncio.Task[Payload]] = set()


def open_sources(settings: Settings) -> Sources:
    """The sources with the vault they keep their payloads in; nothing is opened yet."""
    return Sources(settings, Vault.of(settings))


async def run_chunk(
    database: Database, claim: Claim, settings: Settings, sources: Sources, *, worker: str
) -> Receipt:
    """Takes a claimed chunk to its receipt, renewing its lease meanwhile.

    Raises:
        LeaseLost: Another worker owns the chunk now; nothing was written.
        IngestError: What went wrong otherwise; nothing was written.
    """
    failpoint.reach("claimed")
    progress = Progress()
    work = asyncio.create_task(
        _through_the_rooms(database, claim, settings, sources, worker, progress)
    )
    beat = asyncio.create_task(_keep_lease(database, claim, settings, progress))
    try:
        await asyncio.wait({work, beat}, return_when=asyncio.FIRST_COMPLETED)
        if progress.committing:
            await asyncio.wait({work})
        if not work.done():
            raise LeaseLost(f"chunk {claim.chunk_id} has another owner") from beat.exception()
        return work.result()
    finally:
        for task in (work, beat):
            task.cancel()
        await asyncio.gather(work, beat, return_exceptions=True)


async def _keep_lease(
    database: Database, claim: Claim, settings: Settings, progress: Progress
) -> None:
    """Renews the lease until it is lost. A database that does not answer is no such answer."""
    lease = settings.lease
    while True:
        await asyncio.sleep(lease.heartbeat_s)
        try:
            kept = await ledger.renew(
                database, claim, lease_s=lease.duration_s, rows=progress.fetched,
                bytes_=progress.bytes,
            )  # fmt: skip
        except Exception as error:  # noqa: BLE001 - only "no row" ends an attempt, no other answer
            log.warning("lease not renewed", error=str(error))
            continue
        if not kept:
            return


async def _through_the_rooms(
    database: Database,
    claim: Claim,
    settings: Settings,
    sources: Sources,
    worker: str,
    progress: Progress,
) -> Receipt:
    started = time.monotonic()
    origin = sources.named(claim.source)
    mapping = load_mapping(settings.config_dir / "mappings" / origin.mappings, claim.schema)
    await check_realm(database, origin.realm)
    payload = await _fetched(database, origin, claim, worker)
    failpoint.reach("fetched")
    fetched = time.monotonic()
    refuse_scattered(payload.contents, mapping.table, claim, settings.store.max_hypertable_chunks)
    numbering = await asyncio.to_thread(_numbering, origin, payload, claim, mapping)
    receipt = await load(
        database,
        Load(
            claim=claim,
            table=mapping.table,
            payload=payload.ref,
            realm=payload.realm,
            contents=payload.contents,
            rooms=lambda spool: _batches(
                origin, payload, claim, mapping, numbering(), spool, settings.store.batch_records
            ),
            intervals=payload.symbology,
            partial=claim.partial or payload.partial,
            covered_days=covered_days(claim, payload),
            covered_symbols=claim.symbols or (ALL_SYMBOLS,),
            proven=payload.proven,
            unresolved=payload.unresolved,
            silent=mapping.silent(payload.layout),
            nameless=nameless(payload),
            removal_limits=RemovalLimits(
                settings.store.max_removal_share, settings.store.max_removal_rows
            ),
            data_source=origin.mappings,
            mapping_hash=mapping.digest,
            worker=worker,
            merge_lock_timeout_s=settings.database.merge_lock_timeout_s,
            progress=progress,
        ),
    )
    return replace(receipt, seconds={"fetch": round(fetched - started, 4), **receipt.seconds})


async def _fetched(database: Database, origin: Source, claim: Claim, worker: str) -> Payload:
    """The payload; where it is bought, by one worker at a time: the next finds it in the vault."""
    key = origin.purchase(claim)
    if key is None:
        return await asyncio.to_thread(origin.fetch, claim)
    begun = asyncio.Event()
    work = asyncio.create_task(_fetched_alone(database, origin, claim, worker, key, begun))
    _UNDER_WAY.add(work)
    work.add_done_callback(_UNDER_WAY.discard)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        # A download under way cannot be stopped: it keeps its turn until it ends, lease or not, or
        # the next worker would buy the same beside it.
        if begun.is_set():
            work.add_done_callback(_look_at)
        else:
            work.cancel()
        raise


async def _fetched_alone(
    database: Database, origin: Source, claim: Claim, worker: str, key: str, begun: asyncio.Event
) -> Payload:
    async with own_turn(database, key, claim, worker=worker):
        begun.set()
        [outcome] = await asyncio.gather(
            asyncio.to_thread(origin.fetch, claim), return_exceptions=True
        )
    # Raised here: what a fetch says is nothing that the database said.
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


def _look_at(done: asyncio.Task[Payload]) -> None:
    if not done.cancelled() and (error := done.exception()) is not None:
        log.info("abandoned fetch ended", reason=str(error))


def _batches(
    origin: Source,
    payload: Payload,
    claim: Claim,
    mapping: Mapping,
    numbering: Numbering,
    spool: Spool,
    count: int,
) -> Iterator[Batch]:
    """Decode → transform → validate → encode, one batch at a time; runs in a thread."""
    for records, position in origin.batches(payload, claim, count):
        columns = mapping.columns(records)
        ordinals = numbering.ordinals(columns, position)
        verdict = judge(Frame(mapping.table, columns, records, position, ordinals))
        spool.add(verdict.rejected)
        rows = encode(verdict.accepted, chunk_id=claim.chunk_id)
        yield Batch(rows, len(verdict.accepted), len(records))


def _numbering(
    origin: Source, payload: Payload, claim: Claim, mapping: Mapping
) -> Callable[[], Numbering]:
    """A maker of numberings, one per try of the load, which share what had to be read for them."""
    preceding = origin.preceding(payload, claim)
    before = None if preceding is None else mapping.columns(preceding)
    ordered = payload.contents.ordered
    everything = None if ordered else _everything(origin, payload, claim, mapping)
    return lambda: numbering_of(
        mapping.table, ordered=ordered, before=before, everything=everything
    )


def _everything(
    origin: Source, payload: Payload, claim: Claim, mapping: Mapping
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Key columns and positions of all records of the slice: 34 bytes a record."""
    key = [name for name in mapping.table.key if name != "ordinal"]
    parts = [
        ({name: mapping.ops[name](records) for name in key}, position)
        for records, position in origin.batches(payload, claim, _EVERYTHING_BATCH)
    ]
    if not parts:
        return {name: np.empty(0, mapping.table[name].kind.frame) for name in key}, np.empty(
            0, np.uint64
        )
    columns = {name: np.concatenate([part[name] for part, _ in parts]) for name in key}
    return columns, np.concatenate([position for _, position in parts])


def covered_days(claim: Claim, payload: Payload) -> DaySet:
    """The whole days that the payload proves; none where it is partial or cut within a day."""
    if claim.partial or payload.partial or claim.start % DAY_NS or claim.end % DAY_NS:
        return DaySet()
    return DaySet([(claim.start // DAY_NS, claim.end // DAY_NS)]) - payload.uncovered


def nameless(payload: Payload) -> tuple[int, ...]:
    """Instruments of the payload that no interval of it gives a symbol to."""
    named = {each.target for each in payload.symbology}
    return tuple(each for each in payload.contents.instruments if str(each) not in named)


def refuse_scattered(contents: Contents, table: Table, claim: Claim, most: int) -> None:
    """One transaction may touch `most` hypertable chunks: more take the server's locks.

    Raises:
        Unstorable: The payload's events touch more.
    """
    days = contents.days_of(table.time_column)
    touched = len({day // table.interval_days for day in days})
    if touched > most:
        raise Unstorable(
            f"the events of chunk {claim.chunk_id} touch {touched} hypertable chunks of "
            f"{table.name}; at most {most} are loaded at once",
            hint="submit the range again with fewer --chunk-days",
        )
