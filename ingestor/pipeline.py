"""One chunk through the rooms, in order: fetch → decode → transform → validate → load → receipt.

Read this page first. Data goes one way, one frozen value through each door; the rooms do not know
each other, only this module joins them.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from ingestor import failpoint
from ingestor.errors import LeaseLost
from ingestor.job import Claim, Receipt
from ingestor.logs import get_logger
from ingestor.model.frame import Frame
from ingestor.model.kind import NANOSECONDS
from ingestor.settings import Settings
from ingestor.sources.source import Payload, Source, source
from ingestor.store import ledger
from ingestor.store.binary_copy import encode
from ingestor.store.database import Database
from ingestor.store.feed import Batch, Progress
from ingestor.store.loader import Load, load
from ingestor.store.quarantine import Spool
from ingestor.transform import Mapping, Numbering, load_mapping, numbering_of
from ingestor.validate import judge

log = get_logger(__name__)

_EPOCH = dt.date(1970, 1, 1)
_DAY_NS = 86_400 * NANOSECONDS
_EVERYTHING_BATCH = 1_000_000
ALL_SYMBOLS = "*"
"""How coverage spells a request for all symbols of a dataset."""


async def run_chunk(
    database: Database, claim: Claim, settings: Settings, *, worker: str
) -> Receipt:
    """Takes a claimed chunk to its receipt, renewing its lease meanwhile.

    Raises:
        LeaseLost: Another worker owns the chunk now; nothing was written.
        IngestError: What went wrong otherwise; nothing was written.
    """
    failpoint.reach("claimed")
    progress = Progress()
    work = asyncio.create_task(_through_the_rooms(database, claim, settings, worker, progress))
    beat = asyncio.create_task(_keep_lease(database, claim, settings, progress))
    try:
        await asyncio.wait({work, beat}, return_when=asyncio.FIRST_COMPLETED)
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
    database: Database, claim: Claim, settings: Settings, worker: str, progress: Progress
) -> Receipt:
    started = time.monotonic()
    origin = source(claim.source)
    mapping = load_mapping(settings.config_dir / "mappings" / origin.mappings, claim.schema)
    payload = await asyncio.to_thread(origin.fetch, claim)
    failpoint.reach("fetched")
    fetched = time.monotonic()
    numbering = await asyncio.to_thread(_numbering, origin, payload, claim, mapping)
    receipt = await load(
        database,
        Load(
            claim=claim,
            table=mapping.table,
            contents=payload.contents,
            rooms=lambda spool: _batches(
                origin, payload, claim, mapping, numbering(), spool, settings.store.batch_records
            ),
            intervals=payload.symbology,
            covered_days=_covered_days(claim),
            covered_symbols=_covered_symbols(claim),
            data_source=origin.mappings,
            mapping_hash=mapping.digest,
            worker=worker,
            merge_lock_timeout_s=settings.database.merge_lock_timeout_s,
            progress=progress,
        ),
    )
    return replace(receipt, seconds={"fetch": round(fetched - started, 4), **receipt.seconds})


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


def _covered_symbols(claim: Claim) -> tuple[str, ...]:
    """What was asked for; payloads of all symbols name either none or ALL_SYMBOLS."""
    return (ALL_SYMBOLS,) if claim.symbols in ((), ("ALL_SYMBOLS",)) else claim.symbols


def _covered_days(claim: Claim) -> tuple[dt.date, dt.date] | None:
    """The whole days that the chunk proves; None where its payload proves nothing."""
    if claim.partial or claim.start % _DAY_NS or claim.end % _DAY_NS:
        return None
    first, past = (dt.timedelta(days=ns // _DAY_NS) for ns in (claim.start, claim.end))
    return _EPOCH + first, _EPOCH + past
