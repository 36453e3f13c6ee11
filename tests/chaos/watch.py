"""Looks at the ledger all the while: no chunk may be held by nobody for longer than two leases."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any, Final

from redis.exceptions import RedisError

from ingestor.errors import IngestError
from ingestor.vocabulary import Priority
from tests.chaos.target import Target

_LOOK_S: Final = 0.5
_SLACK_S: Final = 1.0
_SLOW: Final = 5
"""Where a look takes long because the machine is busy, everything does: so many looks more."""

# A chunk that was lost is to go on the queue at once. Others wait while it is full, as does one
# whose message was to come back and was lost.
_UNHELD: Final = """
SELECT k.chunk_id, k.state, k.fence, l.worker, k.enqueued_at IS NOT NULL AS enqueued
FROM ingest.chunks k LEFT JOIN ingest.leases l ON l.chunk_id = k.chunk_id AND l.fence = k.fence
WHERE (k.state = 'in_progress' AND coalesce(l.lease_until < clock_timestamp(), true))
   OR (k.state = 'queued' AND k.not_before < clock_timestamp())
   OR (k.state IN ('pending', 'retrying') AND k.not_before < clock_timestamp()
       AND ((k.error_code = 'LeaseLost' AND k.enqueued_at IS NULL)
            OR (SELECT count(*) FROM ingest.chunks WHERE state = 'queued') < $1))
"""
_SCHEDULERS: Final = "SELECT pid FROM ingest.workers WHERE role = 'scheduler'"

Case = tuple[int, int]
"""Chunk and fence."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Since when nobody holds a chunk, and how long that may last unless a fault concerns all.

    A lease runs out one lease after its worker's last sign of life: one more is left then.
    """

    since: float
    allowed_s: float


@dataclass
class Watch:
    """Attributes:
    stuck: Chunks that nobody held for too long, and for how long.
    longest_s: The longest that one was held by nobody, counted from the last fault that
        concerned all.
    """

    target: Target
    stuck: dict[Case, str] = field(default_factory=dict)
    longest_s: float = 0.0
    looks: int = 0
    blind: int = 0
    _waits: dict[Case, Wait] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)

    async def look_on(self) -> None:
        """For ever; a look that a server's fault made blind begins all waits anew."""
        while True:
            try:
                await self.look()
            except (IngestError, RedisError, OSError):
                self.blind += 1
                self._waits.clear()
            await asyncio.sleep(_LOOK_S)

    async def look(self) -> None:
        began = time.monotonic()
        rows = await self.target.ledger.fetch(_UNHELD, self.target.service.slots)
        queued = await self._queued()
        if not await self._scheduled():
            self.target.moments.hit()
        now = time.monotonic()
        unheld = {
            (row["chunk_id"], row["fence"]): row
            for row in rows
            if not row["enqueued"] or f"hdi-chunk-{row['chunk_id']}-" not in queued
        }
        self._waits = {case: self._wait(case, row, now) for case, row in unheld.items()}
        self.looks += 1
        for case, row in unheld.items():
            self._judge(case, row, now, slack_s=_SLACK_S + _SLOW * (now - began))

    def _wait(self, case: Case, row: Any, now: float) -> Wait:
        """Goes on where a reaper has taken the chunk back since: its fence is one more."""
        lapsed = row["state"] == "in_progress"
        before = None if lapsed else self._waits.get((case[0], case[1] - 1))
        leases = 1 if lapsed else 2
        return self._waits.get(case) or before or Wait(now, leases * self.target.lease_s)

    def _judge(self, case: Case, row: Any, now: float, *, slack_s: float) -> None:
        """Two leases after its last sign of life, or after the last fault that concerned all."""
        wait, fault = self._waits[case], self.target.moments.everywhere
        self.longest_s = max(self.longest_s, now - max(wait.since, fault))
        if now > max(wait.since + wait.allowed_s, fault + 2 * self.target.lease_s) + slack_s:
            self.stuck[case] = (
                f"chunk {case[0]} ({row['state']}, fence {case[1]}, {row['worker'] or 'nobody'}) "
                f"was held by nobody for {now - wait.since:.1f} s, {now - fault:.1f} s after the "
                f"last fault that concerned all, {now - self._began:.0f} s into the run"
            )

    async def _scheduled(self) -> bool:
        """Whether a scheduler is up: killed, it is a fault until the next one is."""
        found = {row["pid"] for row in await self.target.ledger.fetch(_SCHEDULERS)}
        mains = [each.main for each in self.target.service.schedulers]
        return any(main is not None and main.number in found for main in mains)

    async def _queued(self) -> str:
        names = [f"hdi.{priority}" for priority in Priority]
        found = [await self.target.redis.lrange(name, 0, -1) for name in names]
        return b"\n".join(raw for some in found for raw in some).decode(errors="replace")
