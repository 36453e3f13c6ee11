"""Looks at the ledger all the while: no chunk may be held by nobody for longer than two leases."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Final

from redis.exceptions import RedisError

from ingestor.errors import IngestError
from ingestor.vocabulary import Priority
from tests.chaos.target import Target

_LOOK_S: Final = 0.5
_SLACK_S: Final = 1.0
_SLOW: Final = 5
"""Where a look takes long because the machine is busy, everything does: so many looks more."""

_UNHELD: Final = """
SELECT k.chunk_id, k.state, k.fence, l.worker
FROM ingest.chunks k LEFT JOIN ingest.leases l ON l.chunk_id = k.chunk_id AND l.fence = k.fence
WHERE (k.state = 'in_progress' AND coalesce(l.lease_until < clock_timestamp(), true))
   OR (k.state IN ('queued', 'retrying') AND k.enqueued_at IS NOT NULL
       AND k.not_before < clock_timestamp())
"""
_SCHEDULERS: Final = "SELECT pid FROM ingest.workers WHERE role = 'scheduler'"

Case = tuple[int, int, str, str]
"""Chunk, fence, state and worker."""


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
    _since: dict[Case, float] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)

    async def look_on(self) -> None:
        """For ever; a look that a server's fault made blind begins all waits anew."""
        while True:
            try:
                await self.look()
            except (IngestError, RedisError, OSError):
                self.blind += 1
                self._since.clear()
            await asyncio.sleep(_LOOK_S)

    async def look(self) -> None:
        began = time.monotonic()
        rows = await self.target.ledger.fetch(_UNHELD)
        queued = await self._queued()
        if not await self._scheduled():
            self.target.moments.hit()
        now = time.monotonic()
        unheld = {
            (row["chunk_id"], row["fence"], row["state"], row["worker"] or "nobody")
            for row in rows
            if row["state"] == "in_progress" or f"hdi-chunk-{row['chunk_id']}-" not in queued
        }
        self._since = {each: self._since.get(each, now) for each in unheld}
        self.looks += 1
        for each in self._since:
            self._judge(each, now, slack_s=_SLACK_S + _SLOW * (now - began))

    def _judge(self, case: Case, now: float, *, slack_s: float) -> None:
        """Two leases after its last sign of life, or after the last fault that concerned all.

        A lease runs out one lease after the last sign of life: one more is left then.
        """
        since, lease_s = self._since[case], self.target.lease_s
        fault = self.target.moments.everywhere
        self.longest_s = max(self.longest_s, now - max(since, fault))
        own_s = lease_s * (1 if case[2] == "in_progress" else 2)
        if now > max(since + own_s, fault + 2 * lease_s) + slack_s:
            number, fence, state, worker = case
            self.stuck[case] = (
                f"chunk {number} ({state}, fence {fence}, {worker}) was held by nobody for "
                f"{now - since:.1f} s, {now - fault:.1f} s after the last fault that concerned "
                f"all, {now - self._began:.0f} s into the run"
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
