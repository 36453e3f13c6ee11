"""What a replay takes away: what its payload made by yesterday's rules and does not make today.

Several chunks may have loaded one payload, or some of its records: the first, and those that replay
it. They are its lineage; their rows are the payload's.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from ingestor.errors import BadJob, LeaseLost
from ingestor.job import Contents
from ingestor.model import Table
from ingestor.store.binary_copy import columns_of
from ingestor.store.database import Connection
from ingestor.store.day_locks import own_days
from ingestor.store.lineage_sql import (
    REFUSED,
    refused_stage_statement,
    remove_refused_statement,
    remove_unmade_statement,
    row_days_statement,
)
from ingestor.store.load import Load, instants
from ingestor.store.quarantine import Spool
from ingestor.store.queries import queries

_LINEAGE = queries("lineage")


@dataclass(frozen=True, slots=True)
class Lineage:
    """All chunks that loaded one payload.

    Attributes:
        delivered: When the first of them did.
        contents: Bounds of what any of them holds, nothing else.
    """

    chunks: tuple[int, ...]
    delivered: dt.datetime
    contents: Contents

    def bounds(self, table: Table) -> tuple[dt.datetime, dt.datetime] | None:
        """Smallest and largest value of the time column; None where no row can be."""
        return instants(self.contents.span_of(table.time_column))


async def lineage(connection: Connection, chunk_id: int) -> Lineage:
    """The lineage that a chunk belongs to."""
    row = await connection.fetchrow(_LINEAGE["members"], chunk_id)
    assert row is not None
    bounds = Contents(
        0,
        _ns(row["index_min"]),
        _ns(row["index_max"]),
        _ns(row["event_min"]),
        _ns(row["event_max"]),
    )
    return Lineage(tuple(row["chunks"]), row["delivered"], bounds)


def _ns(bound: Decimal | None) -> int | None:
    return None if bound is None else int(bound)


async def open_lineage(connection: Connection, job: Load) -> Lineage:
    """Owns the days of the lineage's rows and of the payload's until the transaction ends.

    As `key_space.open_space` does: it looks again until it owns all that it finds.

    Raises:
        BadJob: A forced load has taken rows of it away since.
    """
    wanted, table = frozenset(job.days), job.table
    while True:
        attempt = connection.transaction()
        await attempt.start()
        await own_days(connection, table, wanted, timeout_s=job.merge_lock_timeout_s)
        found = await lineage(connection, job.claim.chunk_id)
        held = await _days(connection, found, table)
        if held <= wanted:
            await attempt.commit()
            await _refuse_withdrawn(connection, job, found)
            return found
        await attempt.rollback()
        wanted |= held


async def remove_unmade(connection: Connection, of: Lineage, job: Load, spool: Spool) -> int:
    """Removes the lineage's rows that the stage lacks, and anybody's that a rule refuses.

    How many; each is recorded as a supersession.
    """
    removed, bounds = 0, of.bounds(job.table)
    if bounds is not None:
        statement = remove_unmade_statement(job.table)
        removed += await connection.fetchval(
            statement, list(of.chunks), *bounds, job.claim.chunk_id
        )
    if spool.refuses and job.bounds is not None:
        await connection.execute(refused_stage_statement(job.table))
        await spool.copy_refused(connection, REFUSED, columns_of(job.table))
        await connection.execute(_LINEAGE["analyze_refused"])
        statement = remove_refused_statement(job.table)
        removed += await connection.fetchval(
            statement, of.delivered, *job.bounds, job.claim.chunk_id
        )
    return removed


async def resolve(connection: Connection, job: Load) -> None:
    """Marks the quarantined records that a release stores.

    Raises:
        LeaseLost: One of them was resolved meanwhile, or its payload loaded again.
    """
    if not job.releases:
        return
    rows = await connection.fetch(_LINEAGE["resolve"], list(job.releases), job.claim.chunk_id)
    if len(rows) != len(set(job.releases)):
        raise LeaseLost(
            f"{len(set(job.releases)) - len(rows):,} of the {len(set(job.releases)):,} records "
            "that were to be stored are not in quarantine any more; nothing was stored",
            hint="another command was faster: look with `hdi quarantine list`",
        )


async def supersede_lineage(connection: Connection, chunk_id: int) -> None:
    """Marks what the lineage of a replay had quarantined as judged again by it.

    What was discarded, and is refused by the same rule again, stays discarded: the chunk's own
    quarantine must be there already.
    """
    of = await lineage(connection, chunk_id)
    await connection.execute(_LINEAGE["supersede_quarantined"], list(of.chunks), chunk_id)
    await connection.execute(_LINEAGE["keep_discarded"], chunk_id)


async def _days(connection: Connection, of: Lineage, table: Table) -> frozenset[int]:
    """Days of the time column on which rows of the lineage are."""
    bounds = of.bounds(table)
    if bounds is None:
        return frozenset()
    rows = await connection.fetch(row_days_statement(table), list(of.chunks), *bounds)
    return frozenset(row["day"] for row in rows)


async def _refuse_withdrawn(connection: Connection, job: Load, of: Lineage) -> None:
    row = await connection.fetchrow(_LINEAGE["withdrawn"], list(of.chunks))
    if row is not None:
        raise BadJob(
            f"the payload of chunk {job.claim.replays} is outdated: the forced load of chunk "
            f"{row['new_chunk']} took {row['rows']:,} of its rows away, and a replay would bring "
            "them back",
            hint=f"replay the newer delivery instead: `hdi replay {row['job_id']}`",
        )
