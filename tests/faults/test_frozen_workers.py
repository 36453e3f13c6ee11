"""Workers that are stopped for longer than their lease, and wake up when another has the chunk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from ingestor.settings import Settings
from ingestor.store.database import Database
from tests.attempts import (
    counted,
    frozen,
    holder,
    online,
    outcomes,
    process_state,
    publish,
    state,
    thaw,
)
from tests.day_files import submit_files, write_days
from tests.invariants import check_invariants
from tests.processes import Fleet, Process, fleet, job_ended, until

pytestmark = [pytest.mark.timescaledb, pytest.mark.redis, pytest.mark.faults]
LONG_S = 6
_LAPSED = """
SELECT lease_until < clock_timestamp()
       AND pg_postmaster_start_time() < clock_timestamp() - make_interval(secs => $1)
FROM ingest.leases
"""
"""For as long after the server's start a lease that is over is nobody's to take."""
SMALL_BATCHES = {"HDI_STORE__BATCH_RECORDS": "30"}
ENDS = ("chunk lost to another worker", "chunk failed", "chunk loaded")


async def idle(worker: Process, started: Fleet, database: Database, pid: int) -> None:
    """Waits until a woken attempt has ended: the process lives and holds nothing."""

    async def over() -> bool:
        return any(said in worker.text() for said in ENDS)

    await until("the woken attempt is over", over, timeout_s=30, fleet=started)
    assert process_state(pid) not in ("", "T", "Z"), "the process lives"
    assert not await database.fetchval(
        "SELECT EXISTS (SELECT 1 FROM ingest.leases WHERE worker LIKE '%/' || $1::TEXT)", str(pid)
    )


@pytest.mark.slow
@pytest.mark.parametrize(("moment", "lease_s"), [("copy@50", 20), ("before_commit", 6)])
async def test_others_load_beside_a_frozen_load_and_take_it_over_when_its_lease_is_over(
    database: Database, settings: Settings, tmp_path: Path, moment: str, lease_s: int
) -> None:
    """It holds row locks and an open transaction; woken up, it writes nothing and works again.

    One that had written its symbols and coverage as well keeps those rows from the others until
    the reaper ends its session. The first lease is as long as all others may take.
    """
    folder = tmp_path / "dbn"
    expected = write_days(folder, 8)
    lease = settings.lease.model_copy(update={"duration_s": lease_s, "heartbeat_s": 2})
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
        await job_ended(database, started, timeout_s=lease_s + 30)
        assert await outcomes(database, chunk) == ["lost", "completed"]
        assert process_state(pid) == "T"

        thaw(pid)
        await idle(sleeper, started, database, pid)
        assert "chunk loaded" not in sleeper.text()
        other.stop()
        expected = _both(expected, write_days(tmp_path / "more", 2, first=8))
        await submit_files(database, tmp_path / "more")
        await job_ended(database, started, timeout_s=30)
        assert sleeper.text().count("chunk loaded") == 2
        started.stop()
        await check_invariants(database, expected=expected, fleet=started)


@pytest.mark.parametrize("heirs_moment", ["fetched", "copy@50"])
async def test_of_two_workers_on_one_chunk_the_one_whose_lease_ran_out_writes_nothing(
    database: Database, settings: Settings, tmp_path: Path, heirs_moment: str
) -> None:
    """No scheduler: the second takes the chunk over itself, and has it when the first wakes.

    Before its load the second holds no lock: nothing but the fence keeps the first from loading.
    """
    folder = tmp_path / "dbn"
    expected = write_days(folder, 1)
    lease = settings.lease.model_copy(update={"duration_s": 1.5, "heartbeat_s": 0.5})
    long = {"HDI_LEASE__DURATION_S": str(LONG_S), "HDI_LEASE__HEARTBEAT_S": "2"}
    with fleet(settings.model_copy(update={"lease": lease}), tmp_path) as started:
        first = started.worker("first", HDI_FAILPOINT="fetched:stop", **SMALL_BATCHES)
        [chunk] = await submit_files(database, folder)
        publish(settings, chunk, 1)
        _, pid = await holder(database, started)
        await frozen(pid, started)
        arm = f"{heirs_moment}:stop"
        second = started.worker("second", HDI_FAILPOINT=arm, **SMALL_BATCHES, **long)
        await online(database, started, 2)

        async def lapsed() -> bool:
            return bool(await database.fetchval(_LAPSED, LONG_S))

        await until("the first lease is anybody's to take", lapsed, timeout_s=30, fleet=started)
        publish(settings, chunk, 2)
        _, heir = await holder(database, started, of="second")
        await frozen(heir, started)

        thaw(pid)
        await idle(first, started, database, pid)
        assert "chunk loaded" not in first.text()
        assert await state(database, chunk) == "in_progress"
        thaw(heir)
        await job_ended(database, started, timeout_s=30)
        assert "chunk loaded" in second.text()
        assert await outcomes(database, chunk) == ["lost", "completed"]
        row = await database.fetchrow("SELECT attempt, fence, lost_count FROM ingest.chunks")
        assert row is not None
        assert tuple(row) == (2, 2, 1)
        started.stop()
        await check_invariants(database, expected=expected, fleet=started)


def _both(some: Mapping, more: Mapping) -> Mapping:
    return {name: rows + more[name] for name, rows in some.items()}
