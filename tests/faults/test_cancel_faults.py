"""A job cancelled while its worker stands at any point of a chunk: no row, or all of them."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter
from pathlib import Path
from uuid import UUID

import pytest

from ingestor.failpoint import POINTS
from ingestor.origins import open_sources
from ingestor.settings import Settings
from ingestor.simulator.server import Gateway
from ingestor.simulator.times import parse_time
from ingestor.sources.source import Ask, Wanted
from ingestor.store import ledger, steering
from ingestor.store.database import Database
from ingestor.vocabulary import ChunkState, Priority, Schema
from tests.acceptance.commands import hdi
from tests.attempts import children, process_state, thaw
from tests.gateways import facing, gateway, streams
from tests.invariants import check_invariants
from tests.processes import Fleet, fleet, job_ended, until
from tests.values import Row, served

__all__ = ["gateway"]
pytestmark = [pytest.mark.timescaledb, pytest.mark.redis, pytest.mark.faults, pytest.mark.slow]

BEFORE = ("claimed", "fetching", "vault_payload", "vault_manifest", "vault_index", "fetched")
COMMITTING = ("before_copy", "copy@50", "before_commit")
AFTER = ("after_commit",)
NOT_A_WORKERS = {"before_publish"}
SYMBOLS = ("ESM4", "NQM4")
FIRST = dt.date(2024, 3, 11)
PAIRS = (0, 2, 7, 9, 14, 16)
"""Days after FIRST on which two sessions in a row begin."""
PER_DAY = 50


def place_of(number: int) -> tuple[str, str, str]:
    """Symbol, first day and end of the job of that number: nobody else has one of its days."""
    first = FIRST + dt.timedelta(days=PAIRS[number // 2])
    return SYMBOLS[number % 2], first.isoformat(), (first + dt.timedelta(days=2)).isoformat()


def test_every_point_that_a_worker_passes_is_in_these_tests() -> None:
    tested = {point.partition("@")[0] for point in (*BEFORE, *COMMITTING, *AFTER)}
    assert tested == {point.partition("@")[0] for point in POINTS} - NOT_A_WORKERS


class Line:
    """A worker of one process that stops at a point, and a scheduler."""

    def __init__(
        self, database: Database, facts: Settings, gateway: Gateway, started: Fleet, arm: Path
    ) -> None:
        self.database = database
        self.facts = facts
        self.gateway = gateway
        self.fleet = started
        self.arm = arm
        arm.write_text("")
        self.worker = started.worker(HDI_FAILPOINT=f"@{arm}")
        started.scheduler()

    async def stopped_at(self, point: str, number: int) -> tuple[str, int]:
        """Submits two days of an instrument of its own; its id, and the process that stopped."""
        self.arm.write_text(f"{point}:stop")
        symbol, start, end = place_of(number)
        wanted = (Wanted(Schema.TRADES, parse_time(start), parse_time(end)),)
        ask = Ask(point, Priority.NORMAL, dataset="GLBX.MDP3", wanted=wanted, symbols=(symbol,))
        source = open_sources(self.facts).named("databento")
        plan = await asyncio.to_thread(source.plan, ask)
        assert plan.chunk_count == 2
        job = await ledger.submit(self.database, plan, max_attempts=5)
        pid = await self.stopped()
        self.arm.write_text("")
        return str(job.job_id), pid

    async def stopped(self) -> int:
        """The worker's process that has stopped: after its commit it holds no lease to be seen."""
        found: list[int] = []

        async def one() -> bool:
            found[:] = [pid for pid in children(self.worker) if process_state(pid) == "T"]
            return bool(found)

        await until("a process of the worker is stopped", one, timeout_s=60, fleet=self.fleet)
        return found[0]

    async def cancelled_at(self, point: str, number: int) -> tuple[str, str]:
        """What `hdi cancel` says while the worker stands there; lets it go on afterwards."""
        job_id, pid = await self.stopped_at(point, number)
        said = await asyncio.to_thread(hdi, self.facts, "cancel", job_id)
        assert said.code == 0, said.err
        thaw(pid)
        await self.idle()
        return job_id, said.out

    async def idle(self) -> None:
        """Waits until the job has ended and its worker holds nothing."""
        await job_ended(self.database, self.fleet, timeout_s=30)

        async def free() -> bool:
            return not await self.database.fetchval(
                "SELECT count(*) FROM ingest.workers WHERE chunk_id IS NOT NULL"
            )

        await until("the worker gave up", free, timeout_s=30, fleet=self.fleet)

    async def ends(self, job_id: str) -> tuple[Counter[str], int]:
        """How its chunks ended, and the rows that they have."""
        chunks = await self.database.fetch(
            "SELECT chunk_id, state FROM ingest.chunks WHERE job_id = $1::UUID", job_id
        )
        rows = await self.database.fetchval(
            "SELECT count(*) FROM trades_data WHERE chunk_id = ANY($1::INTEGER[])",
            [row["chunk_id"] for row in chunks],
        )
        return Counter(row["state"] for row in chunks), rows


@pytest.mark.timeout(240)
async def test_a_job_cancelled_at_any_point_leaves_no_row_or_is_committed_and_said_so(
    settings: Settings, gateway: Gateway, database: Database, tmp_path: Path
) -> None:
    """The worker is frozen there, the job of two chunks cancelled, the worker wakes up.

    Before the load it finds that the chunk is not its own any more; from its first statement on it
    cannot be stopped. What it had bought is kept: taken up again, nothing is bought twice.
    """
    # However long a frozen worker is looked at, its lease does not run out.
    lease = settings.lease.model_copy(update={"duration_s": 120})
    facts = facing(settings, gateway).model_copy(update={"lease": lease})
    with fleet(facts, tmp_path) as started:
        line = Line(database, facts, gateway, started, tmp_path / "failpoint")
        jobs = []
        for number, point in enumerate((*BEFORE, *COMMITTING, *AFTER)):
            job_id, said = await line.cancelled_at(point, number)
            assert (said, await line.ends(job_id)) == outcome(point), point
            jobs.append(job_id)
        await check_invariants(database, fleet=started)
        for job_id in jobs:
            assert await steering.retry(database, UUID(job_id), [ChunkState.CANCELLED])
        await line.idle()
        await check_invariants(
            database, expected={Schema.TRADES: everything(len(jobs))}, fleet=started
        )
    assert max(Counter(streams(gateway)).values()) == 1


def outcome(point: str) -> tuple[str, tuple[Counter[str], int]]:
    """What is said, and what becomes of the two chunks."""
    one = Counter({"completed": 1, "cancelled": 1}), PER_DAY
    if point in BEFORE:
        return "2 chunks cancelled\n", (Counter({"cancelled": 2}), 0)
    if point in COMMITTING:
        said = "1 chunk cancelled\n1 chunk is being committed and will complete\n"
        return said, one
    return "1 chunk cancelled\n", one


def everything(jobs: int) -> Counter[Row]:
    """The trades of so many jobs."""
    found: Counter[Row] = Counter()
    for number in range(jobs):
        symbol, start, end = place_of(number)
        found += served(Schema.TRADES, start, end, symbol, per_day=PER_DAY)
    return found
