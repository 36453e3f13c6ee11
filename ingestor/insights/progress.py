"""How far a job is, how fast it goes, and when it will be done."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from ingestor.errors import DatabaseUnavailable
from ingestor.insights.counts import tally
from ingestor.insights.jobs import JobStatus, job_row, status_of
from ingestor.store import insight_rows
from ingestor.store.database import Database

_RATE_WINDOW_S = 30.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is.

    Attributes:
        rows: Records of ended chunks and, so far, of those in progress.
        expected: Records in all, as the plan counted them.
        rows_per_s: Over the last half minute; None until there are two looks to compare.
        eta_s: Seconds to go at that rate; None where nothing moves.
    """

    status: JobStatus
    rows: int
    expected: int
    rows_per_s: float | None = None
    eta_s: float | None = None

    def as_json(self) -> dict[str, Any]:
        names = ("rows", "expected", "rows_per_s", "eta_s")
        return {**self.status.as_json(), "progress": {name: getattr(self, name) for name in names}}


@dataclass(slots=True)
class Meter:
    """Rows per second over a sliding window of looks."""

    looks: deque[tuple[float, int]] = field(default_factory=deque)

    def rate(self, at: float, rows: int) -> float | None:
        self.looks.append((at, rows))
        while len(self.looks) > 2 and at - self.looks[0][0] > _RATE_WINDOW_S:
            self.looks.popleft()
        (then, before) = self.looks[0]
        # Rows go back where an attempt is given up; a rate below nothing helps nobody.
        return max(0.0, (rows - before) / (at - then)) if at > then else None


async def follow(
    database: Database, job_id: UUID, *, every_s: float = 1.0, patience_s: float = 60.0
) -> AsyncGenerator[Progress]:
    """Looks at the job again and again until it has ended; the last look is of its end.

    Args:
        patience_s: How long the database may be away; the job outlives that, and so should we.

    Raises:
        DatabaseUnavailable: It is away for longer, or at the first look.
    """
    meter = Meter()
    heard: float | None = None
    while True:
        try:
            progress = await _progress(database, job_id, meter)
        except DatabaseUnavailable:
            if heard is None or time.monotonic() - heard > patience_s:
                raise
        else:
            heard = time.monotonic()
            yield progress
            if progress.status.final:
                return
        await asyncio.sleep(every_s)


async def _progress(database: Database, job_id: UUID, meter: Meter) -> Progress:
    row = await job_row(database, job_id)
    if row.counts is not None:
        return Progress(status_of(row, row.counts), row.counts.fetched, row.counts.fetched)
    found = await tally(database, job_id)
    rows = found.settled + await insight_rows.underway(database, job_id)
    rate = meter.rate(time.monotonic(), rows)
    eta_s = (found.expected - rows) / rate if rate else None
    return Progress(status_of(row, found.counts), rows, found.expected, rate, eta_s)
