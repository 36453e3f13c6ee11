"""The stopped line: nobody claims, one probes, the first commit lifts it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from ingestor.errors import DatabaseHalted
from ingestor.insights import presence_warnings
from ingestor.job import Claim
from ingestor.store import dispatch, halts, ledger
from ingestor.store.database import Database
from ingestor.vocabulary import Role
from tests.conftest import Place
from tests.plans import claimed, complete, submitted

FULL = DatabaseHalted("the disk is full", sqlstate="53100", hint="make room on data_directory")
READ_ONLY = DatabaseHalted("it is read-only", sqlstate="25006", hint="name the primary")


@pytest.fixture
async def db(plain_place: Place) -> AsyncIterator[Database]:
    async with Database(replace(plain_place.options(), pool_size=8), name="hdi:test") as opened:
        yield opened


async def halt(db: Database, error: DatabaseHalted = FULL, *, probe_s: float = 60) -> None:
    await halts.raise_halt(db, error, worker="w/1", probe_s=probe_s)


async def due(db: Database) -> None:
    """The time for the next probe has come."""
    await db.fetch("UPDATE ingest.halts SET probe_at = clock_timestamp()")


async def take(db: Database, chunk_id: int) -> Claim | None:
    return await ledger.claim(db, chunk_id, worker="w/2", lease_s=60, max_lost=3, probe_s=60)


async def test_no_worker_claims_while_the_line_is_stopped(db: Database) -> None:
    _, [chunk] = await submitted(db)
    await halt(db)
    assert await take(db, chunk) is None


async def test_one_chunk_is_tried_when_the_time_has_come_and_no_second(db: Database) -> None:
    """The probe puts the next one off, however it ends."""
    _, ids = await submitted(db, 2)
    await halt(db)
    await due(db)
    assert await take(db, ids[0]) is not None
    assert await take(db, ids[1]) is None
    [standing] = await halts.standing(db)
    assert standing.probes == 1


async def test_of_eight_claims_at_once_one_is_the_probe(db: Database) -> None:
    """They race for the halt's row."""
    _, ids = await submitted(db, 8)
    for _ in range(20):
        await db.fetch("DELETE FROM ingest.leases")
        await db.fetch("UPDATE ingest.chunks SET state = 'pending'")
        await halt(db)
        await due(db)
        claims = await asyncio.gather(*(take(db, chunk) for chunk in ids))
        assert sum(claim is not None for claim in claims) == 1


async def test_the_load_that_commits_lifts_every_halt(db: Database) -> None:
    """And all may claim again."""
    _, ids = await submitted(db, 2)
    await halt(db)
    await halt(db, READ_ONLY)
    await due(db)
    probe = await take(db, ids[0])
    assert probe is not None
    assert await complete(db, probe)
    assert await halts.standing(db) == []
    assert await take(db, ids[1]) is not None


async def test_a_load_that_began_before_the_halt_does_not_lift_it(db: Database) -> None:
    """Its rows may have been written while there was room."""
    _, ids = await submitted(db, 2)
    early = await claimed(db, ids[0])
    await halt(db)
    assert await complete(db, early)
    assert len(await halts.standing(db)) == 1


async def test_two_halts_are_probed_once_both_are_due(db: Database) -> None:
    _, [chunk] = await submitted(db)
    await halt(db)
    await due(db)
    await halt(db, READ_ONLY)
    assert await take(db, chunk) is None


async def test_the_same_fault_met_again_is_one_halt(db: Database) -> None:
    """Eight workers fail within a second: an operator reads one line, with the latest words."""
    await halt(db)
    await halt(db, DatabaseHalted("still full", sqlstate="53100", hint="make room"))
    [standing] = await halts.standing(db)
    assert standing.reason == "still full"


async def test_the_dispatcher_publishes_nothing_that_nobody_could_claim(db: Database) -> None:
    await submitted(db, 3)
    await halt(db)
    assert await dispatch.enqueue(db, window=8, retry_grace_s=0) == []
    await due(db)
    assert len(await dispatch.enqueue(db, window=8, retry_grace_s=0)) == 3
    await halt(db)
    assert await dispatch.overdue(db, grace_s=0) == []


async def test_the_operator_is_told_what_stands_still_and_what_to_do(
    db: Database, plain_place: Place
) -> None:
    """With the login of a reader, as `hdi status` and the API have it."""
    await halt(db)
    async with plain_place.open(Role.READER) as reader:
        told = [str(notice) for notice in await presence_warnings(reader)]
    assert any("the disk is full" in line and "data_directory" in line for line in told)
