"""What sessions wait for: pg_stat_activity, looked at every 100 ms while a job runs."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from servers import Place

from ingestor.store.database import Database, DatabaseOptions

EVERY_S = 0.1
_MOST = 8
# As superuser: others do not see what a session executes.
_SAMPLE = r"""
SELECT pid, state, wait_event_type, wait_event,
       left(btrim(regexp_replace(regexp_replace(query, '--[^\n]*', '', 'g'), '\s+', ' ', 'g')), 90)
           AS statement
FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND state <> 'idle'
  AND application_name LIKE 'hdi:%' AND application_name NOT LIKE 'hdi:bench%'
"""


@dataclass(slots=True)
class Waits:
    """Samples of sessions that had something to do.

    Attributes:
        looks: How often was looked.
        samples: Sessions found at work, over all looks.
        waiting: Of these, the ones that waited for a lock of another.
        by_event: (what was waited for, statement) → samples.
    """

    looks: int = 0
    samples: int = 0
    waiting: int = 0
    by_event: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def share(self) -> float:
        """Percent of the samples that waited."""
        return 100 * self.waiting / self.samples if self.samples else 0.0

    def add(self, rows: list[Any]) -> None:
        self.looks += 1
        self.samples += len(rows)
        locked = [row for row in rows if row["wait_event_type"] == "Lock"]
        self.waiting += len(locked)
        self.by_event.update((row["wait_event"], row["statement"]) for row in locked)

    def as_json(self) -> dict[str, Any]:
        return {
            "looks": self.looks,
            "samples": self.samples,
            "waiting": self.waiting,
            "most": list(self._most()),
        }

    def _most(self) -> Iterator[dict[str, Any]]:
        for (event, statement), count in self.by_event.most_common(_MOST):
            yield {"wait_event": event, "statement": statement, "samples": count}


def told(runs: Iterable[Waits]) -> Iterator[str]:
    """What was waited for most, over all runs."""
    found: Counter[tuple[str, str]] = Counter()
    for each in runs:
        found.update(each.by_event)
    for (event, statement), count in found.most_common(_MOST):
        yield f"{count} samples, {event}: {statement}"


async def watch(place: Place, waits: Waits) -> None:
    """Looks until it is cancelled."""
    assert place.address.admin_url is not None
    async with Database(DatabaseOptions(place.address.admin_url), name="hdi:bench") as database:
        due = time.monotonic()
        while True:
            waits.add(await database.fetch(_SAMPLE))
            due = max(due + EVERY_S, time.monotonic())
            await asyncio.sleep(due - time.monotonic())
