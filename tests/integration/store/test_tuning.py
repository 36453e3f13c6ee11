"""What of the server is set for a load's transaction is set for that alone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ingestor.simulator.market import make_trades
from ingestor.store import tuning
from ingestor.store.database import Connection
from ingestor.store.merge import STAGE
from ingestor.store.tuning import Tuning
from ingestor.vocabulary import Schema
from tests.loads import Bench, write

pytestmark = [pytest.mark.timescaledb]
USUAL = Tuning(synchronous_commit=True, merge_memory_mb=64, direct_compress=False)


async def shown(connection: Connection, name: str) -> str:
    return str(await connection.fetchval("SELECT current_setting($1)", name))


async def test_a_commit_need_not_wait_for_the_disk_in_this_transaction(
    timescale_bench: Bench,
) -> None:
    async with timescale_bench.database.connection() as connection:
        for waits, said in ((True, "on"), (False, "off")):
            async with connection.transaction():
                await Tuning(waits, 64, direct_compress=False).begin(connection)
                assert await shown(connection, "synchronous_commit") == said
            assert await shown(connection, "synchronous_commit") == "on"


@pytest.mark.parametrize(("session", "merge"), [("4MB", "64MB"), ("256MB", "256MB")])
async def test_a_merge_has_at_least_so_much_memory_and_never_less_than_its_session(
    timescale_bench: Bench, session: str, merge: str
) -> None:
    async with timescale_bench.database.connection() as connection:
        await connection.execute(f"SET work_mem = '{session}'")
        async with connection.transaction():
            await connection.execute(f"CREATE TEMP TABLE {STAGE} (n INT) ON COMMIT DROP")
            await USUAL.merge(connection)
            assert await shown(connection, "work_mem") == merge
        assert await shown(connection, "work_mem") == session


async def test_direct_compress_is_left_out_where_the_server_has_none(
    timescale_bench: Bench,
) -> None:
    """TimescaleDB 2.19 refuses the name of a setting that it does not know."""
    async with timescale_bench.database.connection() as connection, connection.transaction():
        tuning._tell_once.cache_clear()
        with capture_logs() as told:
            await Tuning(True, 64, direct_compress=True).begin(connection)
            await Tuning(True, 64, direct_compress=True).begin(connection)
        assert [each["event"] for each in told] == ["no direct compress"]
        assert await connection.fetchval("SELECT 1") == 1


async def test_a_load_with_all_of_them_stores_what_one_without_stores(
    timescale_bench: Bench, tmp_path: Path
) -> None:
    """Copied first, then merged with what is there."""
    store = timescale_bench.settings.store.model_copy(
        update={"synchronous_commit": False, "merge_memory_mb": 1, "direct_compress": True}
    )
    settings = timescale_bench.settings.model_copy(update={"store": store})
    tuned = Bench(timescale_bench.place, settings, timescale_bench.database)
    path = await asyncio.to_thread(write, tmp_path / "a.dbn", make_trades(2_000, seed=3))
    [first] = await tuned.load(path)
    rows = await tuned.rows(Schema.TRADES)
    [again] = await tuned.load(path)
    assert (first.way, first.stored, again.way, again.already_stored) == (
        "copy", 2_000, "merge", 2_000,
    )  # fmt: skip
    assert await tuned.rows(Schema.TRADES) == rows
