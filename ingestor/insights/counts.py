"""Counts of open jobs: kept for `CACHE_S` and shared by all who ask within the process.

Counting a job of a million chunks takes the database 150–220 ms; the counts of an ended job were
frozen at its end and need none of this.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from uuid import UUID
from weakref import WeakKeyDictionary

from ingestor.store import insight_rows
from ingestor.store.database import Database
from ingestor.store.insight_rows import Tally

CACHE_S = 1.5


@dataclass(slots=True)
class _Kept:
    """Counts of one job under way to all who asked for them."""

    until: float
    task: asyncio.Task[Tally]


_kept: WeakKeyDictionary[Database, dict[UUID, _Kept]] = WeakKeyDictionary()


async def tally(database: Database, job_id: UUID) -> Tally:
    """The counts of an open job, at most `CACHE_S` old; one count however many ask."""
    kept = _kept.setdefault(database, {})
    now = time.monotonic()
    for old in [job for job, each in kept.items() if each.until < now and each.task.done()]:
        del kept[old]
    if job_id not in kept:
        task = asyncio.create_task(insight_rows.tally(database, job_id))
        kept[job_id] = _Kept(now + CACHE_S, task)
    # Shielded: one who leaves must not take the answer away from the others.
    return await asyncio.shield(kept[job_id].task)
