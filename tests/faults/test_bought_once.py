"""What was paid for is kept, whatever becomes of the attempt that bought it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ingestor.settings import Settings
from ingestor.simulator.server import Gateway
from ingestor.store.database import Database
from ingestor.vocabulary import Schema
from tests.acceptance.commands import submit
from tests.attempts import DIED
from tests.gateways import facing, gateway
from tests.invariants import check_invariants
from tests.processes import fleet, job_ended, until
from tests.values import served

__all__ = ["gateway"]
pytestmark = [pytest.mark.timescaledb, pytest.mark.redis, pytest.mark.faults]
DAY = ("2024-03-11", "2024-03-12")
REQUEST = (
    "--dataset", "GLBX.MDP3", "--schema", "trades", "--symbols", "ESM4",
    "--start", DAY[0], "--end", DAY[1],
)  # fmt: skip
ROWS = {Schema.TRADES: served(Schema.TRADES, *DAY, "ESM4")}


@pytest.fixture
def facts(settings: Settings, gateway: Gateway) -> Settings:
    return facing(settings, gateway)


async def buy(facts: Settings) -> None:
    said = await asyncio.to_thread(submit, facts, *REQUEST)
    assert said.code == 0, said.err


@pytest.mark.parametrize("point", ["vault_payload", "vault_index", "before_commit"])
async def test_a_worker_killed_after_the_download_does_not_buy_again(
    facts: Settings, gateway: Gateway, database: Database, tmp_path: Path, point: str
) -> None:
    """Neither once the vault has it, nor while it is being kept."""
    arm = tmp_path / "failpoint"
    arm.write_text(f"{point}:kill")
    with fleet(facts, tmp_path) as made:
        worker = made.worker(HDI_FAILPOINT=f"@{arm}")
        made.scheduler()
        await buy(facts)

        async def killed() -> bool:
            return DIED in worker.text()

        await until("the worker's process was killed", killed, timeout_s=30, fleet=made)
        arm.write_text("")
        await job_ended(database, made, timeout_s=40)
        made.stop()
        await check_invariants(database, expected=ROWS, fleet=made)
    row = await database.fetchrow("SELECT state, lost_count FROM ingest.chunks")
    assert row is not None
    assert tuple(row) == ("completed", 1)
    assert gateway.bill().calls == 1


async def test_an_attempt_that_ends_before_its_download_keeps_the_turn_to_buy(
    facts: Settings, gateway: Gateway, database: Database, tmp_path: Path
) -> None:
    """The soft time limit ends the attempt; what it buys is kept, and found by the next one."""
    gateway.fault("slow", bytes_per_s=500, count=1)
    limits = {
        "HDI_WORKER__SOFT_LIMIT_S": "2", "HDI_WORKER__HARD_LIMIT_S": "60",
        "HDI_RETRY__MAX_LOCAL_FAULTS": "5",
    }  # fmt: skip
    with fleet(facts, tmp_path) as made:
        made.worker(concurrency=2, **limits)
        made.scheduler()
        await buy(facts)
        await job_ended(database, made, timeout_s=60)
        made.stop()
        await check_invariants(database, expected=ROWS, fleet=made)
    tried = "SELECT count(*) FROM ingest.attempts WHERE outcome = 'retrying'"
    assert await database.fetchval(tried) >= 1
    assert gateway.bill().calls == 1
