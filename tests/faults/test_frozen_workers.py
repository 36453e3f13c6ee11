"""Workers that are stopped for longer than their lease, and wake up when another has the chunk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from ingestor.broker import Broker
from ingestor.settings import Settings
from ingestor.store.database import Database
from ingestor.vocabulary import Priority
from tests.attempts import counted, frozen, holder, online, outcomes, process_state, state, thaw
from tests.day_files import submit_files, write_days
from tests.invariants import check_invariants
from tests.processes import Fleet, Process, fleet, job_ended, until

pytestmark = [pytest.mark.timescaledb, pytest.mark.redis, pytest.mark.faults]
SMALL_BATCHES = {"HDI_STORE__BATCH_RECORDS": "30"}
NOT_OURS = ("chunk lost to another worker", "chunk failed")


async def idle(worker: Process, started: Fleet, database: Database, pid: int) -> None:
    """Waits until a woken attempt has ended: the process lives and holds nothing."""

    async def over() -> bool:
        return any(said in worker.text() for said in NOT_OURS)

    await until("the woken attempt is over", over, timeout_s=30, fleet=started)
    assert process_state(pid) not in ("", "T", "Z"), "the process lives"
    assert not await database.fetchval(
        "SELECT EXISTS (SELECT 1 FROM ingest.leases WHERE worker LIKE '%/' || $1::TEXT)", str(pid)
    )


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["copy@50", "before_commit"])
async def test_others_load_beside_a_frozen_load_and_take_it_over_when_its_lease_is_over(
    database: Database, settings: Settings, tmp_path: Path, moment: str
) -> None:
    """It holds row locks and an open transaction; woken up, it writes nothing and works again.

    One that had written its symbols and coverage as well keeps those rows from the others until
    the reaper ends its session.
    """
    folder = tmp_path / "dbn"
    expected = write_days(folder, 8)
    lease = settings.lease.model_copy(update={"duration_s": 6, "heartbeat_s": 2})
    arm = tmp_path / "failpoint"
    arm.write_text(f"{moment}:stop")
    with fleet(settings.model_copy(update={"lease": lease}), tmp_path) as started:
        sleeper = started.worker("sleeper", HDI_FAILPOINT=f"@{arm}", **SMALL_BATCHES)
        other = started.worker("other")
        started.scheduler()
        await online(database, started, 2)
        chunks = await submit_files(database, folder)
        # Redis serves those who wait in turn: neither can take them all.
        chunk, pid = await holder(database, started, of="sleeper")
        await frozen(pid, started)
        arm.write_text("")

        async def others_loaded() -> bool:
            return (await counted(database)).get("completed", 0) == len(chunks) - 1

        if moment == "copy@50":
            await until("the other days are loaded", others_loaded, timeout_s=30, fleet=started)
            assert (process_state(pid), await state(database, chunk)) == ("T", "in_progress")
        await job_ended(database, started, timeout_s=30)
        assert await outcomes(database, chunk) == ["lost", "completed"]
        assert process_state(pid) == "T"

        thaw(pid)
        await idle(sleeper, started, database, pid)
        other.stop()
        expected = _both(expected, write_days(tmp_path / "more", 2, first=8))
        await submit_files(database, tmp_path / "more")
        await job_ended(database, started, timeout_s=30)
        assert sleeper.text().count("chunk loaded") == 2
        started.stop()
        await check_invariants(database, expected=expected, fleet=started)


async def test_of_two_workers_on_one_chunk_the_one_whose_lease_ran_out_writes_nothing(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    """No scheduler: the second takes the chunk over itself, and is loading when the first wakes."""
    folder = tmp_path / "dbn"
    expected = write_days(folder, 1)
    lease = settings.lease.model_copy(update={"duration_s": 1.5, "heartbeat_s": 0.5})
    long = {"HDI_LEASE__DURATION_S": "60", "HDI_LEASE__HEARTBEAT_S": "20"}
    with fleet(settings.model_copy(update={"lease": lease}), tmp_path) as started:
        first = started.worker("first", HDI_FAILPOINT="fetched:stop", **SMALL_BATCHES)
        [chunk] = await submit_files(database, folder)
        publish(settings, chunk, 1)
        _, pid = await holder(database, started)
        await frozen(pid, started)
        second = started.worker("second", HDI_FAILPOINT="copy@50:stop", **SMALL_BATCHES, **long)
        await online(database, started, 2)

        async def lapsed() -> bool:
            return await database.fetchval("SELECT lease_until < now() FROM ingest.leases")

        await until("the first lease is over", lapsed, timeout_s=10, fleet=started)
        publish(settings, chunk, 2)
        _, heir = await holder(database, started, of="second")
        await frozen(heir, started)

        thaw(pid)
        await idle(first, started, database, pid)
        assert await state(database, chunk) == "in_progress"
        assert "chunk loaded" not in first.text()
        thaw(heir)
        await job_ended(database, started, timeout_s=30)
        assert "chunk loaded" in second.text()
        assert await outcomes(database, chunk) == ["lost", "completed"]
        row = await database.fetchrow("SELECT attempt, fence, lost_count FROM ingest.chunks")
        assert row is not None
        assert tuple(row) == (2, 2, 1)
        started.stop()
        await check_invariants(database, expected=expected, fleet=started)


def publish(settings: Settings, chunk: int, dispatch: int) -> None:
    """Puts the chunk on the queue, as submit or the dispatcher does."""
    broker = Broker(settings)
    broker.publish([(chunk, dispatch, Priority.NORMAL)])
    broker.close()


def _both(some: Mapping, more: Mapping) -> Mapping:
    return {name: rows + more[name] for name, rows in some.items()}
