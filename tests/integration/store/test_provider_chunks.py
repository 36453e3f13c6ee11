"""The ledger's moves for chunks that are fetched from a provider."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest

from ingestor.errors import WrongRealm
from ingestor.job import ChunkPlan, Contents, PayloadRef
from ingestor.simulator.market import DAY, MONDAY
from ingestor.store import ledger, meta, steering
from ingestor.store.database import Database
from ingestor.vocabulary import ChunkState, Realm
from tests.conftest import Place
from tests.plans import claimed, job_plan, receipt

pytestmark = pytest.mark.timescaledb
KEPT = PayloadRef("vault:payloads/cd/cd.dbn.zst", "cd" * 32, 77)


async def submitted(database: Database, *symbols: tuple[str, ...]) -> tuple[UUID, list[int]]:
    """A job of chunks without payload: a day each, of these symbols."""
    plan = job_plan(0)
    chunks = tuple(
        ChunkPlan(MONDAY + n * DAY, MONDAY + (n + 1) * DAY, symbols=each)
        for n, each in enumerate(symbols)
    )
    whole = tuple(sorted({symbol for each in symbols for symbol in each}))
    request = replace(plan.requests[0], symbols=whole, chunks=chunks)
    accepted = await ledger.submit(
        database, replace(plan, requests=(request,), quoted_usd=12.5), max_attempts=5
    )
    rows = await database.fetch("SELECT chunk_id FROM ingest.chunks ORDER BY chunk_id")
    return accepted.job_id, [row["chunk_id"] for row in rows]


async def test_a_claim_carries_the_symbols_of_its_chunk_and_no_payload(database: Database) -> None:
    """Symbols may hold blanks; what is to be fetched has neither bytes nor a count yet."""
    blank = ("AAPL  250221C00250000", "UD:1V: SG 2850060")
    _, [first, second] = await submitted(database, blank, ("ESM4",))
    one, two = await claimed(database, first), await claimed(database, second)
    assert (one.symbols, one.payload, one.expected) == (blank, None, None)
    assert two.symbols == ("ESM4",)


async def test_the_quote_of_a_job_is_kept(database: Database) -> None:
    job_id, _ = await submitted(database, ("ESM4",))
    quoted = "SELECT quoted_usd::FLOAT8 FROM ingest.jobs WHERE job_id = $1"
    assert await database.fetchval(quoted, job_id) == 12.5


async def test_the_payload_is_recorded_with_the_receipt(database: Database) -> None:
    """And the kind of gateway that it came from."""
    _, [chunk_id] = await submitted(database, ("ESM4",))
    claim = await claimed(database, chunk_id)
    async with database.connection() as connection, connection.transaction():
        assert await ledger.lock(connection, claim)
        proof = ledger.Proof(KEPT, Contents(records=1), Realm.SIMULATED)
        assert await ledger.finish(connection, claim, receipt(), proof)
    row = await database.fetchrow(
        "SELECT uri, sha256, size, realm FROM ingest.chunks JOIN ingest.payloads USING (payload_id)"
    )
    assert row is not None
    assert tuple(row) == (KEPT.uri, KEPT.sha256, KEPT.size, "simulated")


async def test_a_withdrawn_chunk_leaves_no_dead_letter(database: Database) -> None:
    """Days that were never published are nobody's failure; its job can be taken up again."""
    job_id, [chunk_id] = await submitted(database, ("ESM4",))
    claim = await claimed(database, chunk_id)
    assert await ledger.withdraw(database, claim, code="NotYetAvailable", text="not yet")
    assert not await ledger.withdraw(database, claim, code="NotYetAvailable", text="not yet")
    state = await database.fetchrow(
        "SELECT state, error_code, (SELECT count(*) FROM ingest.dead_letters) AS letters,"
        " (SELECT count(*) FROM ingest.leases) AS leases FROM ingest.chunks"
    )
    assert state is not None
    assert tuple(state) == ("cancelled", "NotYetAvailable", 0, 0)
    assert await ledger.end_job(database, job_id) == "cancelled"


async def test_a_refused_job_asks_no_more_and_can_be_retried(database: Database) -> None:
    """One chunk is held by another worker: it ends by itself; the rest fail with a letter each."""
    job_id, ids = await submitted(database, *[("ESM4",)] * 4)
    mine, other = await claimed(database, ids[0]), await claimed(database, ids[1])
    assert await ledger.fail(database, mine, code="AuthenticationFailed", text="401")
    rest = await ledger.refuse_rest(database, job_id, code="AuthenticationFailed", text="not asked")
    assert rest == ids[2:]
    states = await database.fetch("SELECT state FROM ingest.chunks ORDER BY chunk_id")
    assert [row["state"] for row in states] == ["failed", "in_progress", "failed", "failed"]
    assert await database.fetchval("SELECT count(*) FROM ingest.dead_letters") == 3
    assert await ledger.fail(database, other, code="AuthenticationFailed", text="401")
    assert await ledger.end_job(database, job_id) == "failed"
    assert await steering.retry(database, job_id, [ChunkState.FAILED]) == 4
    assert (await claimed(database, ids[3])).fence > 1


async def test_a_forced_job_is_told_to_its_claims(database: Database) -> None:
    plan = replace(job_plan(1), spec={"force": True})
    await ledger.submit(database, plan, max_attempts=5)
    chunk_id = await database.fetchval("SELECT chunk_id FROM ingest.chunks")
    assert (await claimed(database, chunk_id)).forced


async def test_a_fact_of_the_database_is_fixed_by_the_first_to_tell_it(place: Place) -> None:
    """However many tell one at once."""

    async def tell(value: str) -> str:
        async with place.open() as database, database.connection() as connection:
            return await meta.settle(connection, meta.Fact.VAULT_ID, value)

    told = await asyncio.gather(*(tell(f"vault {n}") for n in range(8)))
    assert len(set(told)) == 1


async def test_a_database_holds_payloads_of_one_realm(database: Database) -> None:
    """Files belong to either; the first payload of a gateway decides."""
    await meta.check_realm(database, Realm.REAL)
    async with database.connection() as connection:
        await meta.keep_realm(connection, None)
        await meta.keep_realm(connection, Realm.SIMULATED)
    await meta.check_realm(database, None)
    await meta.check_realm(database, Realm.SIMULATED)
    with pytest.raises(WrongRealm):
        await meta.check_realm(database, Realm.REAL)
    with pytest.raises(WrongRealm):
        async with database.connection() as connection:
            await meta.keep_realm(connection, Realm.REAL)


async def test_a_realm_that_is_rolled_back_was_never_fixed(database: Database) -> None:
    """It holds with the first completed payload, not with the first attempt."""
    async with database.connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await meta.keep_realm(connection, Realm.REAL)
        await transaction.rollback()
    assert await meta.fact(database, meta.Fact.REALM) is None
