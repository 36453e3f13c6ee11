"""Leases that run out while their worker is at work: two workers on one chunk."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from ingestor.broker import Broker
from tests.chaos import pids
from tests.chaos.injectors.injector import Injector
from tests.chaos.injectors.messages import deliver
from tests.chaos.pids import Pid

_DELIVERED = 2
_TRIES = 10
_FROZEN = 0.8
"""Share of the times that the first is frozen; else it mostly renews its lease in time."""

_HELD = """
SELECT chunk_id, fence, worker FROM ingest.leases WHERE lease_until > clock_timestamp()
ORDER BY random() LIMIT 1
"""
_EXPIRE = """
UPDATE ingest.leases SET lease_until = clock_timestamp() - interval '1 second'
WHERE chunk_id = $1 AND fence = $2 AND worker = $3 RETURNING true
"""
_BOTH = """
SELECT l.fence > $2 AND l.worker <> $3 AS taken,
       coalesce((SELECT w.chunk_id = $1 FROM ingest.workers w WHERE w.worker = $3), false) AS first
FROM ingest.leases l WHERE l.chunk_id = $1
"""


class Expire(Injector):
    """A lease set into the past and the chunk delivered again.

    Counts only where another worker was seen to hold the chunk with a newer fence while the first
    one was still at it: a reaper that takes it back is none of it. Mostly the first is frozen
    meanwhile, as on a host that swaps; it wakes up beside the second.
    """

    kind, family, pause_s = "two workers on one chunk, lease expired", "lease", 0.5

    def __init__(self, *given: object) -> None:
        super().__init__(*given)  # type: ignore[arg-type]
        self._broker = Broker(self.target.settings)

    async def inject(self) -> int:
        for _ in range(_TRIES):
            await asyncio.sleep(0.05)
            lease = await self.target.ledger.fetchrow(_HELD)
            first = None if lease is None else self._process(lease["worker"])
            # Who is frozen already is another kind's.
            if lease is None or first is None or first.stopped:
                continue
            if await self._expired(lease, first):
                return 1
        return 0

    async def _expired(self, lease: Any, first: Pid) -> bool:
        """Whether two workers had the chunk; False, too, where it was done before."""
        async with _frozen(first if self.chance.random() < _FROZEN else None):
            if not await self.target.ledger.fetchval(_EXPIRE, *lease):
                return False
            await deliver(self._broker, [lease["chunk_id"]], _DELIVERED)
            return await self._both(lease, first)

    def _process(self, worker: str) -> Pid | None:
        """The child of that name, which ends in its number."""
        number = worker.rpartition("/")[2]
        alive = {each.number: each for each in self.target.service.children()}
        return alive.get(int(number)) if number.isdigit() else None

    async def _both(self, lease: Any, first: Pid) -> bool:
        deadline = time.monotonic() + self.target.lease_s
        while time.monotonic() < deadline and not self.target.over.is_set():
            row = await self.target.ledger.fetchrow(_BOTH, *lease)
            if row is not None and row["taken"]:
                return bool(row["first"]) and first.lives
            await asyncio.sleep(0.02)
        return False

    async def calm(self) -> None:
        self._broker.close()


@asynccontextmanager
async def _frozen(process: Pid | None) -> AsyncIterator[None]:
    """SIGSTOP for the length of a block."""
    if process is not None:
        process.send(signal.SIGSTOP)
        await pids.soon(lambda: process.stopped, 1.0)
    try:
        yield
    finally:
        if process is not None:
            process.send(signal.SIGCONT)
