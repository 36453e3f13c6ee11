"""The two last chunks of a job end at once, in two processes: the job ends, once, as it should."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from uuid import UUID

import pytest

from ingestor.settings import Settings
from ingestor.store.database import Database
from ingestor.vocabulary import Role
from tests.attempts import children, online, process_state, publish, thaw
from tests.conftest import Place
from tests.invariants import check_invariants
from tests.minute_bars import FIRST, SCHEMA, record, write_days
from tests.processes import Fleet, Process, fleet, job_ended, until
from tests.values import Row

pytestmark = [pytest.mark.timescaledb, pytest.mark.redis, pytest.mark.faults, pytest.mark.slow]
ROUNDS = 10
_WITNESS = """
CREATE TABLE ingest.ended (job_id UUID, state TEXT);
CREATE FUNCTION ingest.note_end() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
$$ BEGIN INSERT INTO ingest.ended VALUES (new.job_id, new.state); RETURN NULL; END $$;
CREATE TRIGGER witness AFTER UPDATE OF state ON ingest.jobs FOR EACH ROW
WHEN (new.finished_at IS NOT NULL) EXECUTE FUNCTION ingest.note_end();
"""


async def witness_ends(place: Place) -> None:
    """From now on the database notes whenever a job is ended."""
    async with place.open(Role.OWNER) as owner, owner.connection() as connection:
        await connection.execute(_WITNESS)


async def ends(place: Place) -> list[tuple[UUID, str]]:
    async with place.open(Role.OWNER) as owner:
        rows = await owner.fetch("SELECT job_id, state FROM ingest.ended")
    return [(row["job_id"], row["state"]) for row in rows]


class Pair:
    """Two workers of a process each, and no scheduler: nobody else ends a job."""

    def __init__(self, started: Fleet, arm: Path) -> None:
        self.fleet = started
        self.arm = arm
        arm.write_text("")
        self.workers: list[Process] = [
            started.worker(name, HDI_FAILPOINT=f"@{arm}") for name in ("one", "two")
        ]

    async def held_at(self, point: str, chunks: list[int]) -> list[int]:
        """Both chunks delivered, one to each; the processes, once both stand at the point."""
        self.arm.write_text(f"{point}:stop")
        for chunk in chunks:
            publish(self.fleet.settings, chunk, 1)
        found: list[int] = []

        async def both() -> bool:
            found[:] = [
                pid for worker in self.workers for pid in children(worker)
                if process_state(pid) == "T"
            ]  # fmt: skip
            return len(found) == len(self.workers)

        await until(f"both stand at {point}", both, timeout_s=30, fleet=self.fleet)
        self.arm.write_text("")
        return found


@pytest.mark.parametrize("point", ["copy@100", "after_commit"])
async def test_a_job_whose_last_chunks_end_in_two_workers_at_once_ends_once_as_completed(
    place: Place, database: Database, settings: Settings, tmp_path: Path, point: str
) -> None:
    """Held in their loads, they commit and end the job side by side; held after their commits, both
    see that no chunk is open. (At before_commit only one may stand: it has the coverage.)
    """
    lease = settings.lease.model_copy(update={"duration_s": 60, "heartbeat_s": 20})
    expected: Counter[Row] = Counter()
    await witness_ends(place)
    with fleet(settings.model_copy(update={"lease": lease}), tmp_path) as started:
        pair = Pair(started, tmp_path / "failpoint")
        await online(database, started, 2)
        for number in range(ROUNDS):
            folder = tmp_path / f"{number}"
            expected += write_days(folder, 2, first=FIRST + 7 * number)
            for pid in await pair.held_at(point, await record(database, folder)):
                thaw(pid)
            await job_ended(database, started, timeout_s=20)
        started.stop()
        await check_invariants(database, expected={SCHEMA: expected}, fleet=started)

    jobs = await database.fetch("SELECT job_id, state, counts FROM ingest.jobs")
    assert sorted(await ends(place)) == sorted((job["job_id"], "completed") for job in jobs)
    assert len(jobs) == ROUNDS
    for job in jobs:
        assert job["state"] == "completed"
        assert job["counts"]["chunks"] == {"completed": 2}
        records = job["counts"]["records"]
        assert records["stored"] == records["fetched"] == expected.total() / ROUNDS
    worked = await database.fetch("SELECT worker, count(*) AS n FROM ingest.attempts GROUP BY 1")
    assert [row["n"] for row in worked] == [ROUNDS, ROUNDS]
