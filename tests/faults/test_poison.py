"""A chunk that kills whoever takes it: it is given up, and the others go on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingestor.settings import Settings
from ingestor.store.database import Database
from tests.attempts import outcomes, state
from tests.day_files import submit_files, write_days
from tests.invariants import check_invariants
from tests.processes import fleet, job_ended

pytestmark = [pytest.mark.timescaledb, pytest.mark.redis, pytest.mark.faults]


async def test_a_chunk_that_kills_three_workers_fails_as_poison_and_the_others_go_on(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    """Nobody retries it for ever; the dead letter says why, and no row of it is stored."""
    write_days(tmp_path / "poison", 1)
    arm = tmp_path / "failpoint"
    arm.write_text("claimed:kill")
    lease = settings.lease.model_copy(update={"duration_s": 1, "heartbeat_s": 0.4})
    with fleet(settings.model_copy(update={"lease": lease}), tmp_path) as started:
        [number] = await submit_files(database, tmp_path / "poison")
        started.scheduler()
        started.worker(HDI_FAILPOINT=f"@{arm}")
        await job_ended(database, started, timeout_s=90)
        arm.write_text("")
        expected = write_days(tmp_path / "next", 1, first=1)
        [later] = await submit_files(database, tmp_path / "next")
        await job_ended(database, started, timeout_s=60)
        assert await state(database, later) == "completed", started.logs_text()
        started.stop()
        await check_invariants(database, expected=expected, fleet=started)

    found = await database.fetchrow(
        "SELECT state, lost_count, error_text FROM ingest.chunks WHERE chunk_id = $1", number
    )
    assert found is not None
    assert (found["state"], found["lost_count"]) == ("failed", 3)
    assert found["error_text"].startswith("poison: it took 3 workers down")
    letter = await database.fetchrow("SELECT * FROM ingest.dead_letters")
    assert letter is not None
    assert (letter["chunk_id"], letter["error_text"]) == (number, found["error_text"])
    [file] = (settings.home / "dlq").glob(f"chunk-{number}-*.json")
    assert json.loads(file.read_text())["error"]["text"] == found["error_text"]
    assert await outcomes(database, number) == ["lost"] * 3
