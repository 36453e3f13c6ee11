"""A download cannot be stopped: what it outlives goes on beside it, and nothing of it stays."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from ingestor.settings import Settings
from ingestor.simulator.server import Gateway
from ingestor.store.database import Database
from ingestor.vocabulary import Schema
from tests.acceptance.commands import hdi, submit
from tests.attempts import outcomes
from tests.gateways import facing, gateway, streams
from tests.invariants import check_files, check_invariants
from tests.processes import Fleet, fleet, job_ended, until
from tests.values import served

__all__ = ["gateway"]
pytestmark = [pytest.mark.timescaledb, pytest.mark.redis, pytest.mark.faults, pytest.mark.slow]
LEASE_S = 2.0
SLOW_S = 9.0
"""Four leases, and far longer than the five seconds after which a process says that it lives."""
_LIVES = """
SELECT w.last_seen > l.started_at + INTERVAL '0.5 seconds' AND l.lease_until > now()
FROM ingest.leases l JOIN ingest.workers w USING (worker) WHERE l.chunk_id = $1
"""
DAYS = ("2024-03-11", "2024-03-12", "2024-03-13", "2024-03-14", "2024-03-15")


@pytest.fixture
def facts(settings: Settings, gateway: Gateway) -> Settings:
    lease = settings.lease.model_copy(update={"duration_s": LEASE_S, "heartbeat_s": 0.5})
    facts = facing(settings, gateway, read_timeout_s=60.0, patience_s=60.0)
    return facts.model_copy(update={"lease": lease})


class Buyer:
    """Jobs of one day each, bought slowly."""

    def __init__(self, database: Database, facts: Settings, gateway: Gateway, made: Fleet) -> None:
        self.database = database
        self.facts = facts
        self.gateway = gateway
        self.fleet = made

    async def submit(self, day: int) -> tuple[str, int]:
        """Job and chunk."""
        said = await asyncio.to_thread(
            submit, self.facts, "--dataset", "GLBX.MDP3", "--schema", "trades", "--symbols",
            "ESM4", "--start", DAYS[day], "--end", DAYS[day + 1], "--json",
        )  # fmt: skip
        assert said.code == 0, said.err
        job_id = said.json["job_id"]
        query = "SELECT chunk_id FROM ingest.chunks WHERE job_id = $1::TEXT::UUID"
        return job_id, await self.database.fetchval(query, job_id)

    async def downloading(self, day: int) -> tuple[str, int]:
        """A job whose download is under way, and comes byte by byte."""
        self.gateway.fault("slow", bytes_per_s=20, match={"start": DAYS[day]})
        billed = self.gateway.bill().calls
        job_id, chunk_id = await self.submit(day)
        incoming = self.facts.home / "vault" / "incoming"

        async def under_way() -> bool:
            # The part is there before the call is.
            return self.gateway.bill().calls > billed and any(incoming.glob(f"*.{chunk_id}.*.part"))

        await until("the download is under way", under_way, timeout_s=60, fleet=self.fleet)
        return job_id, chunk_id

    async def cancel(self, job_id: str) -> None:
        said = await asyncio.to_thread(hdi, self.facts, "cancel", job_id)
        assert said.code == 0, said.err
        await job_ended(self.database, self.fleet, timeout_s=30)

    async def bought(self, day: int) -> str:
        """A job of a call that is longer than a lease, completed; the process that did it.

        While it waits for the answer, it renews its lease and says that it lives.
        """
        self.gateway.fault("slow", delay_s=SLOW_S, match={"start": DAYS[day]})
        _, chunk_id = await self.submit(day)

        async def lives() -> bool:
            return bool(await self.database.fetchval(_LIVES, chunk_id))

        await until("it says that it lives", lives, timeout_s=20, fleet=self.fleet)
        await job_ended(self.database, self.fleet, timeout_s=40)
        assert await outcomes(self.database, chunk_id) == ["completed"], self.fleet.logs_text()
        found = await self.database.fetchrow(
            "SELECT k.lost_count, a.worker FROM ingest.chunks k JOIN ingest.attempts a"
            " USING (chunk_id) WHERE chunk_id = $1", chunk_id,
        )  # fmt: skip
        assert found is not None
        assert found["lost_count"] == 0
        return str(found["worker"])


@pytest.mark.timeout(150)
async def test_a_chunk_after_cancelled_downloads_keeps_its_lease_and_is_bought_once(
    database: Database, facts: Settings, gateway: Gateway, tmp_path: Path
) -> None:
    """Beside one download that goes on, in the same process; after two of them in a new one."""
    with fleet(facts, tmp_path) as made:
        buyer = Buyer(database, facts, gateway, made)
        made.scheduler()
        worker = made.worker()
        await buyer.cancel((await buyer.downloading(0))[0])
        beside_one = await buyer.bought(1)
        await buyer.cancel((await buyer.downloading(2))[0])
        after_two = await buyer.bought(3)

        assert beside_one != after_two
        assert "downloads that outlive their chunks" in worker.text()
        assert worker.popen.poll() is None
        days = [start for _, start, _ in streams(gateway)]
        assert sorted(days) == sorted(DAYS[:4])
        made.stop()
        rows = served(Schema.TRADES, DAYS[1], DAYS[2], "ESM4")
        rows += served(Schema.TRADES, DAYS[3], DAYS[4], "ESM4")
        incoming = facts.home / "vault" / "incoming"
        for part in incoming.glob("*.part"):  # of the two that were cancelled; swept below
            part.unlink()
        await check_invariants(database, expected={Schema.TRADES: rows}, fleet=made)


async def test_a_killed_download_of_a_cancelled_chunk_is_removed_by_the_next_worker(
    database: Database, facts: Settings, gateway: Gateway, tmp_path: Path
) -> None:
    """Where it has not grown for a day. Before, a retry of the chunk might find it whole."""
    with fleet(facts, tmp_path) as made:
        buyer = Buyer(database, facts, gateway, made)
        worker = made.worker("first")
        job_id, _ = await buyer.downloading(0)
        worker.signal_all(signal.SIGKILL)
        await buyer.cancel(job_id)
        [part] = (facts.home / "vault" / "incoming").glob("*.part")
        then = time.time() - 86_400 - 60
        os.utime(part, (then, then))
        second = made.worker("second")

        async def swept() -> bool:
            return "abandoned downloads removed" in second.text()

        await until("it is removed", swept, timeout_s=30, fleet=made)
        check_files(facts.home)
        made.stop()
        await check_invariants(database, expected={}, fleet=made)
