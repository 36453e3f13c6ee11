"""Worker processes that are killed: a child at each moment of its chunk, and after every one."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from ingestor.settings import Settings
from ingestor.simulator.server import Gateway
from ingestor.store.database import Database
from ingestor.vocabulary import Schema
from tests.acceptance.commands import submit
from tests.attempts import (
    DIED,
    counted,
    holder,
)
from tests.gateways import facing, gateway
from tests.invariants import check_invariants
from tests.processes import Fleet, Process, fleet, job_ended, until
from tests.values import served

__all__ = ["gateway"]
pytestmark = [pytest.mark.timescaledb, pytest.mark.redis, pytest.mark.faults]
MOMENTS = ("claimed", "fetched", "before_copy", "copy@40", "before_commit", "after_commit")
TRADES = ("--dataset", "GLBX.MDP3", "--schema", "trades", "--symbols", "ESM4")
DAYS = ("2024-03-11", "2024-03-18")


def hasty(settings: Settings) -> Settings:
    """Leases of a second and a half: each of the deaths waits for one to run out."""
    lease = settings.lease.model_copy(update={"duration_s": 1.5, "heartbeat_s": 0.5})
    scheduler = settings.scheduler.model_copy(update={"reap_s": 0.2, "requeue_grace_s": 1.0})
    return settings.model_copy(update={"lease": lease, "scheduler": scheduler})


async def dies(worker: Process, started: Fleet, *, before: int) -> None:
    """Waits until one more child of the worker was killed than `before`."""

    async def died() -> bool:
        return worker.text().count(DIED) > before

    await until("a child dies", died, timeout_s=60, fleet=started)


@pytest.mark.slow
async def test_a_worker_outlives_its_children_that_are_killed_at_each_moment_of_a_chunk(
    database: Database, settings: Settings, gateway: Gateway, tmp_path: Path
) -> None:
    """While it downloads, while it loads, after its commit: it is done again once, or not at all.

    One worker all along. Nothing of what was bought whole is bought again.
    """
    arm = tmp_path / "failpoint"
    arm.write_text("")
    facts = facing(hasty(settings), gateway, read_timeout_s=20)
    gateway.fault("slow", bytes_per_s=300, count=1)
    # A chunk may be hit several times; here it is not to become poison.
    patient = {"HDI_RETRY__MAX_LOST": "30"}
    with fleet(facts, tmp_path) as started:
        started.scheduler(**patient)
        worker = started.worker(HDI_FAILPOINT=f"@{arm}", HDI_STORE__BATCH_RECORDS="5", **patient)
        said = submit(facts, *TRADES, "--start", DAYS[0], "--end", DAYS[1])
        assert said.code == 0, said.err
        _, child = await holder(database, started)

        async def downloading() -> bool:
            # The part is there before the call is.
            return gateway.bill().calls == 1 and any((facts.home / "vault").rglob("*.part"))

        await until("a download is under way", downloading, timeout_s=60, fleet=started)
        os.kill(child, signal.SIGKILL)
        await dies(worker, started, before=0)
        for moment in MOMENTS:
            before = worker.text().count(DIED)
            arm.write_text(f"{moment}:kill")
            await dies(worker, started, before=before)
        arm.write_text("")
        await job_ended(database, started, timeout_s=60)
        assert worker.popen.poll() is None
        assert await counted(database) == {"completed": 5, "completed_empty": 2}
        # The one that was cut off; every other was in the vault, or whole in its part.
        assert gateway.bill().calls == 6
        worker.terminate()
        assert worker.wait() == 0
        started.stop()
        expected = {Schema.TRADES: served(Schema.TRADES, *DAYS, "ESM4")}
        await check_invariants(database, expected=expected, fleet=started)
