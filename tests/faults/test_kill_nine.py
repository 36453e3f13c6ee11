"""SIGKILL of the worker at twenty points of a load; another worker, and the rows are exact."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import redis

from ingestor.broker import Broker
from ingestor.settings import Settings
from ingestor.simulator.dbn_writer import write_dbn
from ingestor.simulator.market import INSTRUMENTS, mappings, trades
from ingestor.sources.dbn_files import DbnFiles
from ingestor.sources.source import Ask
from ingestor.store import ledger
from ingestor.store.database import Database
from ingestor.vocabulary import Priority, Schema
from tests.attempts import DIED
from tests.invariants import check_invariants
from tests.processes import Fleet, Process, fleet, job_ended, until
from tests.values import Row, wire_rows

DAY = 86_400 * 10**9
FIRST_DAY = 19_793
_WAITS = "SELECT EXISTS (SELECT 1 FROM ingest.chunks WHERE state IN ('pending', 'queued'))"
POINTS = (
    "before_copy", *(f"copy@{n}" for n in range(5, 100, 5)),
    "before_commit", "after_commit",
)  # fmt: skip


def write_trades(path: Path, day: int) -> npt.NDArray[np.void]:
    """10,000 and some trades of one day, with repeats of every kind."""
    start = day * DAY
    records = trades(INSTRUMENTS, start, start + DAY, seed=3, per_day=3_500)
    write_dbn(
        path, "trades", records, dataset="GLBX.MDP3", start=start, end=start + DAY,
        symbols=[each.symbol for each in INSTRUMENTS],
        mappings=mappings(INSTRUMENTS, start, start + DAY),
    )  # fmt: skip
    return records


class Line:
    """A scheduler, and one worker after the other, each killed when the next point is reached."""

    def __init__(self, database: Database, started: Fleet, folder: Path) -> None:
        self.database = database
        self.fleet = started
        self.folder = folder
        started.scheduler()
        self.worker, self.arm = self.another()

    def another(self) -> tuple[Process, Path]:
        """A worker, and the file that says where it dies: nowhere as yet."""
        name = f"w{len(self.fleet.started)}"
        arm = self.folder / f"failpoint-{name}"
        arm.write_text("")
        env = {"HDI_FAILPOINT": f"@{arm}", "HDI_STORE__BATCH_RECORDS": "500"}
        return self.fleet.worker(name, **env), arm

    async def kill_at(self, point: str, day: int) -> Counter[Row]:
        """Loads a file of `day`, kills the worker at `point`, lets a new one finish the job."""
        records = write_trades(self.folder / f"{day}.dbn.zst", day)
        self.arm.write_text(f"{point}:kill")
        plan = DbnFiles().plan(
            Ask(name=point, priority=Priority.NORMAL, path=self.folder / f"{day}.dbn.zst")
        )
        await ledger.submit(self.database, plan, max_attempts=5)

        async def taken() -> bool:
            return not await self.database.fetchval(_WAITS)

        async def died() -> bool:
            return DIED in self.worker.text()

        await until("the worker has the chunk", taken, timeout_s=60, fleet=self.fleet)
        # It takes seconds to start: longer than the other one has to live.
        heir, arm = self.another()
        await until(f"the worker dies at {point}", died, timeout_s=60, fleet=self.fleet)
        self.worker.stop()
        self.worker, self.arm = heir, arm
        await job_ended(self.database, self.fleet, timeout_s=60)
        await self.deliver_again()
        return wire_rows(Schema.TRADES, records)

    async def deliver_again(self) -> None:
        """Puts the last chunk's message on the queue once more, as Redis does in the end."""
        chunk_id = await self.database.fetchval("SELECT max(chunk_id) FROM ingest.chunks")
        broker = Broker(self.fleet.settings)
        broker.publish([(chunk_id, 99, Priority.NORMAL)])
        client = redis.Redis.from_url(self.fleet.settings.redis_dsn())

        async def acknowledged() -> bool:
            unacked = b"".join(client.hvals("unacked"))
            return not broker.held() and b"hdi-chunk-%d-99" % chunk_id not in unacked

        await until("the message is done", acknowledged, timeout_s=30, fleet=self.fleet)
        client.close()
        broker.close()


def hasty(settings: Settings) -> Settings:
    """Leases of a second and a half: each of the deaths waits for one to run out."""
    return settings.model_copy(
        update={
            "lease": settings.lease.model_copy(update={"duration_s": 1.5, "heartbeat_s": 0.5}),
            "scheduler": settings.scheduler.model_copy(
                update={"reap_s": 0.2, "requeue_grace_s": 1.0}
            ),
        }
    )


async def check_last(database: Database, expected: Counter[Row]) -> None:
    """The last chunk's receipt says that its rows were stored once, by one attempt."""
    chunk = await database.fetchrow("SELECT * FROM ingest.chunks ORDER BY chunk_id DESC LIMIT 1")
    assert chunk is not None
    receipt = chunk["receipt"]
    assert receipt is not None
    assert receipt["fetched"] == receipt["stored"] == expected.total()
    assert receipt["already_stored"] == receipt["quarantined"] == 0
    completed = await database.fetchval(
        "SELECT count(*) FROM ingest.attempts WHERE outcome = 'completed' AND chunk_id = $1",
        chunk["chunk_id"],
    )
    assert completed == 1


@pytest.mark.timeout(400)
async def test_a_worker_killed_at_any_of_22_points_leaves_exactly_the_records_of_the_file(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    """Kill -9 of the whole worker, a restart, a repeated message: every row once, as delivered."""
    everything: Counter[Row] = Counter()
    with fleet(hasty(settings), tmp_path) as started:
        line = Line(database, started, tmp_path)
        weekdays = (FIRST_DAY + n for n in range(60) if (FIRST_DAY + n + 3) % 7 < 5)
        for day, point in zip(weekdays, POINTS, strict=False):
            expected = await line.kill_at(point, day)
            await check_last(database, expected)
            everything += expected
        started.stop()
        await check_invariants(database, expected={Schema.TRADES: everything}, fleet=started)
