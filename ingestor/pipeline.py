"""One chunk through the rooms, in order: fetch → decode → transform → validate → load → receipt.

Read this page first. Data goes one way, one frozen value through each door; the rooms do not know
each other, only this module joins them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace

from ingestor import failpoint
from ingestor.criteria import Criteria, judged, numbering_for
from ingestor.days import DAY_NS, DaySet
from ingestor.errors import ReplayInterrupted, Unstorable
from ingestor.job import Claim, Contents
from ingestor.lease import leased
from ingestor.logs import get_logger
from ingestor.model import Table
from ingestor.model.verdict import Verdict
from ingestor.purchase import obtain
from ingestor.receipt import Receipt
from ingestor.settings import Settings
from ingestor.sources.installed import Sources
from ingestor.sources.source import Payload, Source
from ingestor.store.binary_copy import encode
from ingestor.store.database import Database
from ingestor.store.feed import Batch, Progress
from ingestor.store.key_space import RemovalLimits
from ingestor.store.load import Load
from ingestor.store.loader import load
from ingestor.store.meta import check_realm
from ingestor.store.quarantine import Spool
from ingestor.store.tuning import Tuning
from ingestor.validate import Limit, check_raw
from ingestor.vocabulary import ALL_SYMBOLS

log = get_logger(__name__)


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
    rooms = _through_the_rooms(database, claim, settings, sources, worker, progress)
    return await leased(database, claim, settings, progress, rooms)


async def _through_the_rooms(
    database: Database,
    claim: Claim,
    settings: Settings,
    sources: Sources,
    worker: str,
    progress: Progress,
) -> Receipt:
    started = time.monotonic()
    if claim.releases:
        raise ReplayInterrupted(
            f"chunk {claim.chunk_id} was to store quarantined records again, and the command that "
            "did so has died; nothing was stored",
            hint="run `hdi quarantine replay` again",
        )
    origin = sources.named(claim.source)
    criteria = Criteria.of(settings.config_dir, origin, claim)
    table = criteria.mapping.table
    if claim.payload is None:
        await check_realm(database, origin.realm)
    payload = await obtain(database, origin, claim, worker=worker)
    failpoint.reach("fetched")
    fetched = time.monotonic()
    check_raw(claim, payload.metadata, payload.contents)
    refuse_scattered(payload.contents, table, claim, settings.store.max_hypertable_chunks)
    criteria = await criteria.informed(database, claim, payload)
    numbering = await asyncio.to_thread(numbering_for, origin, payload, claim, criteria.mapping)
    receipt = await load(
        database,
        Load(
            claim=claim,
            table=table,
            payload=payload.ref,
            realm=payload.realm,
            contents=payload.contents,
            rooms=lambda spool: _batches(
                judged(origin, payload, claim, criteria, numbering(), settings.store.batch_records),
                criteria.rulebook.limit(claim.schema, payload.contents.records),
                claim,
                origin,
                spool,
            ),
            intervals=payload.symbology,
            partial=claim.partial or payload.partial,
            covered_days=covered_days(claim, payload),
            covered_symbols=claim.symbols or (ALL_SYMBOLS,),
            proven=payload.proven,
            unresolved=payload.unresolved,
            silent=criteria.mapping.silent(payload.layout),
            nameless=nameless(payload),
            own_ids=payload.own_ids,
            removal_limits=RemovalLimits(
                settings.store.max_removal_share, settings.store.max_removal_rows
            ),
            data_source=origin.mapping_folder(claim.dataset),
            mapping_hash=criteria.mapping.digest,
            rules_hash=criteria.rulebook.digest,
            flags_kept=settings.store.flags_kept,
            worker=worker,
            merge_lock_timeout_s=settings.database.merge_lock_timeout_s,
            tuning=Tuning.of(settings.store),
            progress=progress,
        ),
    )
    return replace(receipt, seconds={"fetch": round(fetched - started, 4), **receipt.seconds})


def _batches(
    verdicts: Iterator[Verdict], limit: Limit, claim: Claim, origin: Source, spool: Spool
) -> Iterator[Batch]:
    """Validated → encoded, with what is refused put aside; runs in a thread.

    Raises:
        RejectionLimit, RuleStop: Too many records are refused, or one that stops its chunk.
    """
    for verdict in verdicts:
        limit.note(verdict)
        spool.add(verdict, origin.raw)
        if claim.replays is not None:
            refused = verdict.rejected.frame.take(verdict.rejected.storable)
            spool.refuse(encode(refused, chunk_id=claim.chunk_id))
        rows = encode(verdict.accepted, chunk_id=claim.chunk_id)
        accepted = len(verdict.accepted)
        yield Batch(rows, accepted, accepted + len(verdict.rejected))


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
