"""Messages delivered more than once, and leases that run out while their worker is at work."""

from __future__ import annotations

import asyncio
import time

from ingestor.broker import Broker
from ingestor.vocabulary import Priority
from tests.chaos.injectors.injector import Injector

_CONSUMED_S = 20.0
_SOME = """
SELECT chunk_id FROM ingest.chunks
WHERE state = ANY($1) ORDER BY random() LIMIT $2
"""
_EXPIRE = """
UPDATE ingest.leases l SET lease_until = clock_timestamp() - interval '1 second'
FROM (SELECT chunk_id, fence FROM ingest.leases WHERE lease_until > clock_timestamp()
      ORDER BY random() LIMIT 1) chosen
WHERE l.chunk_id = chosen.chunk_id AND l.fence = chosen.fence RETURNING l.chunk_id, l.fence
"""
_OWNER = "SELECT fence, state FROM ingest.chunks WHERE chunk_id = $1"
_NUMBERS = iter(range(1_000_000, 2**31))
"""Dispatch numbers that no dispatcher comes to: they name the message."""


async def deliver(broker: Broker, chunk_ids: list[int], times: int) -> list[str]:
    """Puts messages on the queue beside those of the dispatcher; what their ids hold."""
    messages = [(chunk, next(_NUMBERS), Priority.HIGH) for chunk in chunk_ids for _ in range(times)]
    await asyncio.to_thread(broker.publish, messages)
    return [f'"hdi-chunk-{chunk}-{number}"' for chunk, number, _ in messages]


class Duplicate(Injector):
    """The same chunk delivered again, up to five times at once, in any state it may be in."""

    kind, family, pause_s = "duplicate message", "message", 0.9

    def __init__(self, *given: object) -> None:
        super().__init__(*given)  # type: ignore[arg-type]
        self._broker = Broker(self.target.settings)

    async def inject(self) -> int:
        states = self.chance.choice([["in_progress"], ["queued", "retrying"], ["completed"]])
        rows = await self.target.ledger.fetch(_SOME, states, self.chance.choice([1, 2, 4]))
        if not rows:
            return 0
        times = self.chance.choice([1, 2, 5])
        named = await deliver(self._broker, [row["chunk_id"] for row in rows], times)
        return await self._consumed(named)

    async def _consumed(self, named: list[str]) -> int:
        """How many have left the queues and are acknowledged; none where Redis lost them since."""
        flushed = self.target.moments.everywhere
        deadline = time.monotonic() + _CONSUMED_S
        while time.monotonic() < deadline:
            await asyncio.sleep(0.1)
            held = await self._held()
            if not any(name.encode() in held for name in named):
                return len(named) if flushed == self.target.moments.everywhere else 0
        return 0

    async def _held(self) -> bytes:
        redis = self.target.redis
        queues = [await redis.lrange(f"hdi.{each}", 0, -1) for each in Priority]
        return b"".join([*(raw for some in queues for raw in some), *await redis.hvals("unacked")])

    async def calm(self) -> None:
        self._broker.close()


class Expire(Injector):
    """A lease set into the past and the chunk delivered again: two workers on one chunk."""

    kind, family, pause_s = "lease expired by force", "lease", 0.8

    def __init__(self, *given: object) -> None:
        super().__init__(*given)  # type: ignore[arg-type]
        self._broker = Broker(self.target.settings)

    async def inject(self) -> int:
        lease = await self.target.ledger.fetchrow(_EXPIRE)
        if lease is None:
            return 0
        await deliver(self._broker, [lease["chunk_id"]], 1)
        deadline = time.monotonic() + 2 * self.target.lease_s
        while time.monotonic() < deadline:
            row = await self.target.ledger.fetchrow(_OWNER, lease["chunk_id"])
            assert row is not None
            if row["fence"] > lease["fence"]:
                return 1
            if row["state"] != "in_progress":
                return 0
            await asyncio.sleep(0.02)
        return 0

    async def calm(self) -> None:
        self._broker.close()
