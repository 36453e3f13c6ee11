"""A worker whose loads are held at a point of theirs while a test breaks something."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from ingestor.settings import Settings
from ingestor.simulator.market import DAY, INSTRUMENTS, MONDAY, mappings, trades
from ingestor.sources.dbn_files import DbnFiles
from ingestor.sources.source import Ask
from ingestor.store import ledger
from ingestor.store.database import Database
from ingestor.vocabulary import Priority, Schema
from tests.invariants import check_invariants
from tests.loads import write
from tests.processes import Fleet, Process, job_ended, until
from tests.values import Row, wire_rows

_ATTEMPTS: Final = """
SELECT outcome, error_code FROM ingest.attempts WHERE chunk_id = $1 ORDER BY ended_at, fence
"""


@dataclass(frozen=True, slots=True)
class Held:
    """A load that stands still (SIGSTOP) at the point it was to reach."""

    chunk_id: int
    fence: int
    pid: int

    def go_on(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGCONT)


@dataclass
class Halfway:
    """A scheduler, workers that can be held, and files of one fresh day of trades each.

    Attributes:
        expected: What the table must hold of all that was submitted so far.
    """

    settings: Settings
    fleet: Fleet
    folder: Path
    expected: Counter[Row] = field(default_factory=Counter)
    _days: int = 0
    _last: Path = Path()
    _held: list[Held] = field(default_factory=list)

    @property
    def arm(self) -> Path:
        return self.folder / "failpoint"

    def worker(self, name: str, *, concurrency: int = 1, **env: str) -> Process:
        """A worker that stops where `hold` says; small batches, so that it gets halfway."""
        self.arm.touch()
        env |= {"HDI_STORE__BATCH_RECORDS": "500", "HDI_FAILPOINT": f"@{self.arm}"}
        return self.fleet.worker(name, concurrency=concurrency, **env)

    @contextmanager
    def another(self) -> Iterator[Process]:
        """One more worker for a while, with its own way to everything; nothing holds it."""
        made = self.fleet.worker("far")
        try:
            yield made
        finally:
            made.stop()

    async def submit(self, database: Database, *, per_day: int = 1000) -> int:
        """A file of the next weekday as a job of its own; the number of its one chunk."""
        day = MONDAY // DAY + self._days // 5 * 7 + self._days % 5
        self._days += 1
        start = day * DAY
        records = trades(INSTRUMENTS, start, start + DAY, seed=3, per_day=per_day)
        path = write(
            self.folder / f"{day}.dbn.zst", records, start=start, end=start + DAY,
            symbols=[each.symbol for each in INSTRUMENTS],
            mappings=mappings(INSTRUMENTS, start, start + DAY),
        )  # fmt: skip
        self.expected += wire_rows(Schema.TRADES, records)
        self._last = path
        return await self.submit_again(database)

    async def submit_again(self, database: Database) -> int:
        """The last day once more, as another job: all of its rows are there already."""
        plan = DbnFiles().plan(Ask(uuid4().hex, Priority.NORMAL, path=self._last))
        job = await ledger.submit(database, replace(plan, key=uuid4().hex), max_attempts=5)
        chunk_id: int = await database.fetchval(
            "SELECT chunk_id FROM ingest.chunks WHERE job_id = $1", job.job_id
        )
        return chunk_id

    async def hold(self, database: Database, point: str = "copy@50") -> Held:
        """Submits a day and waits until its load stands still at `point`."""
        self.arm.write_text(f"{point}:stop")
        chunk_id = await self.submit(database)
        found: list[Held] = []

        async def stopped() -> bool:
            lease = await database.fetchrow(
                "SELECT fence, worker FROM ingest.leases WHERE chunk_id = $1", chunk_id
            )
            if lease is None:
                return False
            pid = int(lease["worker"].rpartition("/")[2])
            found[:] = [Held(chunk_id, lease["fence"], pid)]
            return is_stopped(pid)

        await until(f"a load stands at {point}", stopped, timeout_s=60, fleet=self.fleet)
        self.arm.write_text("")
        self._held += found
        return found[0]

    def thaw(self) -> None:
        """Nothing is held any more, and nothing will be."""
        self.arm.write_text("")
        for each in self._held:
            each.go_on()
        self._held.clear()

    async def ended(self, database: Database, *, timeout_s: float = 60) -> None:
        """Waits for the jobs, then: every invariant, and every row by value."""
        await job_ended(database, self.fleet, timeout_s=timeout_s)
        await check_invariants(database, expected={Schema.TRADES: self.expected}, fleet=self.fleet)


def is_stopped(pid: int) -> bool:
    """Whether a process stands still by SIGSTOP."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] == "T"


async def attempts(database: Database, chunk_id: int) -> list[tuple[str, str | None]]:
    """What became of each attempt of a chunk: outcome and code of its error, in order."""
    rows = await database.fetch(_ATTEMPTS, chunk_id)
    return [(row["outcome"], row["error_code"]) for row in rows]


async def chunk(database: Database, chunk_id: int) -> Any:
    """A chunk's row."""
    return await database.fetchrow("SELECT * FROM ingest.chunks WHERE chunk_id = $1", chunk_id)


async def sessions(database: Database, held: Held) -> list[int]:
    """Backends of a load."""
    rows = await database.fetch(
        "SELECT pid FROM pg_stat_activity WHERE application_name LIKE $1",
        f"hdi:{held.chunk_id}:{held.fence}:%",
    )
    return [row["pid"] for row in rows]


def lines(process: Process) -> list[dict[str, Any]]:
    """What a process has logged so far."""
    found = []
    for line in process.text().splitlines():
        with suppress(json.JSONDecodeError):
            found.append(json.loads(line))
    return [each for each in found if isinstance(each, dict)]
