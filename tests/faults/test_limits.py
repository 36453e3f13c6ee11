"""Chunks that want more memory or time than a worker gives: local faults, then dead letters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ingestor.settings import Settings
from ingestor.store.database import Database
from tests.attempts import counted, outcomes, state
from tests.day_files import submit_files, write_days
from tests.invariants import check_invariants
from tests.processes import fleet, job_ended, until

pytestmark = [pytest.mark.timescaledb, pytest.mark.redis, pytest.mark.faults]


def letter(home: Path, chunk: int) -> Any:
    """The dead letter's file of a chunk."""
    [path] = (home / "dlq").glob(f"chunk-{chunk}-*.json")
    return json.loads(path.read_text())


@pytest.mark.slow
async def test_a_chunk_that_wants_too_much_memory_is_a_dead_letter_and_the_worker_lives_on(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    """Refused by the limit of its process three times in a row.

    A process that was refused memory is replaced: what it keeps of it would be missing to the next
    chunk, which would pay for that with its attempts.
    """
    write_days(tmp_path / "large", 1, per_day=250_000)
    expected = write_days(tmp_path / "small", 2, first=1)
    env = {"HDI_WORKER__MEMORY_LIMIT_MB": "512", "HDI_STORE__BATCH_RECORDS": "1000000"}
    with fleet(settings, tmp_path) as started:
        worker = started.worker(**env)
        started.scheduler()
        [large] = await submit_files(database, tmp_path / "large")
        await job_ended(database, started, timeout_s=60)
        assert await state(database, large) == "failed", worker.text()
        assert await outcomes(database, large) == ["retrying", "retrying", "failed"]
        error = letter(settings.home, large)["error"]
        assert error["code"] == "LocalFault"
        assert "memory" in error["text"]

        for chunk in await submit_files(database, tmp_path / "small"):
            await job_ended(database, started, timeout_s=60)
            assert await outcomes(database, chunk) == ["completed"], worker.text()
        assert worker.popen.poll() is None
        assert "Traceback" not in worker.text()
        started.stop()
        await check_invariants(database, expected=expected, fleet=started)


@pytest.mark.slow
async def test_an_attempt_without_end_is_asked_to_stop_and_then_killed(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    """Asked three times, it is a dead letter; one that does not listen dies with its process."""
    arm = tmp_path / "failpoint"
    arm.write_text("")
    write_days(tmp_path / "slow", 1, per_day=100_000)
    expected = write_days(tmp_path / "small", 2, first=1)
    env = {"HDI_WORKER__SOFT_LIMIT_S": "2", "HDI_WORKER__HARD_LIMIT_S": "5"}
    with fleet(settings, tmp_path) as started:
        # Fifteen thousand batches take far longer than the limit.
        worker = started.worker(HDI_FAILPOINT=f"@{arm}", HDI_STORE__BATCH_RECORDS="20", **env)
        started.scheduler()
        [slow] = await submit_files(database, tmp_path / "slow")
        await job_ended(database, started, timeout_s=60)
        assert await outcomes(database, slow) == ["retrying", "retrying", "failed"], worker.text()
        error = letter(settings.home, slow)["error"]
        assert error["code"] == "LocalFault"
        assert "worker.soft_limit_s (2 s)" in error["text"]
        assert not await database.fetchval("SELECT count(*) FROM trades_data")

        arm.write_text("copy@50:spin")
        [first, _] = await submit_files(database, tmp_path / "small")

        async def killed() -> bool:
            return "Hard time limit" in worker.text()

        await until("the child that spins is killed", killed, timeout_s=30, fleet=started)
        arm.write_text("")
        await job_ended(database, started, timeout_s=60)
        print(worker.text())
        assert (await outcomes(database, first))[0] == "lost"
        assert await counted(database) == {"failed": 1, "completed": 2}
        assert worker.popen.poll() is None
        started.stop()
        await check_invariants(database, expected=expected, fleet=started)
