"""Workers that buy while Redis is away: each keeps to its share, none is refused for its pace."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from ingestor.settings import Settings
from ingestor.simulator.server import SimulatorOptions, running
from ingestor.store.database import Database
from ingestor.vocabulary import Schema
from tests.acceptance.commands import submit
from tests.brokers import own_redis
from tests.conftest import Place, make_settings
from tests.gateways import facing
from tests.invariants import check_invariants
from tests.processes import fleet, job_ended, until
from tests.values import served

pytestmark = [pytest.mark.timescaledb, pytest.mark.redis, pytest.mark.faults]
ALONE = "rate limits are not shared while Redis is away"
TOGETHER = "rate limits are shared again"
FIRST, LATER, PAST = "2024-03-11", "2024-04-06", "2024-05-11"


async def buy(settings: Settings, start: str, end: str) -> None:
    """Submits a job of a chunk per day."""
    request = ("--dataset", "GLBX.MDP3", "--schema", "trades", "--symbols", "ESM4",
               "--start", start, "--end", end, "--chunk-days", 1)  # fmt: skip
    said = await asyncio.to_thread(submit, settings, *request)
    assert said.code == 0, said


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_chunks_under_way_are_bought_at_a_local_rate_until_redis_is_back(
    place: Place, database: Database, tmp_path: Path
) -> None:
    """The provider enforces its limits throughout; four processes are at it when Redis dies."""
    limited = SimulatorOptions(per_day=20, limits=True)
    with own_redis() as broker, running(limited) as gateway:
        settings = facing(
            make_settings(place, broker.url, tmp_path / "home"), gateway,
            patience_s=20.0, read_timeout_s=20.0,
        )  # fmt: skip
        with fleet(settings, tmp_path) as service:
            service.scheduler()
            worker = service.worker(concurrency=4)
            for _ in range(4):  # the answer, and then the call after it
                gateway.fault(kind="slow", delay_s=3, skip=2, method="timeseries.get_range")
                gateway.fault(kind="reset", skip=2, method="timeseries.get_range")
            await buy(settings, FIRST, LATER)

            async def all_at_it() -> bool:
                return int(await database.fetchval("SELECT count(*) FROM ingest.leases")) == 4

            await until("four chunks are bought", all_at_it, timeout_s=60, fleet=service)
            broker.server.kill()

            async def alone() -> bool:
                return ALONE in worker.text()

            await until("somebody buys by itself", alone, timeout_s=60, fleet=service)
            broker.server.start()
            await job_ended(database, service, timeout_s=120)
            # A process that was alone asks for Redis every 5 s, when it has something to buy.
            await asyncio.sleep(5)
            await buy(settings, LATER, PAST)
            await job_ended(database, service, timeout_s=120)
            assert TOGETHER in worker.text()
            refused = Counter(each.status for each in gateway.requests())[429]
            # When Redis goes and comes back nobody knows the calls of the second before: each of
            # the four processes may then be told to wait once, and does.
            assert refused <= 2 * 4, f"{refused} calls were too many"
            expected = served(Schema.TRADES, FIRST, PAST, "ESM4", per_day=20)
            await check_invariants(database, expected={Schema.TRADES: expected}, fleet=service)
