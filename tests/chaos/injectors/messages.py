"""Messages delivered more than once."""

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
_NUMBERS = iter(range(1_000_000, 2**31))
"""Dispatch numbers that no dispatcher comes to: they name the message."""


async def deliver(broker: Broker, chunk_ids: list[int], times: int) -> list[str]:
    """Puts messages on the queue beside those of the dispatcher; what their ids hold."""
    messages = [(chunk, next(_NUMBERS), Priority.HIGH) for chunk in chunk_ids for _ in range(times)]
    await asyncio.to_thread(broker.publish, messages)
    return [f'"hdi-chunk-{chunk}-{number}"' for chunk, number, _ in messages]


class Duplicate(Injector):
    """Chunks delivered again, up to five times at once, in any state they may be in.

    One fault, however many messages it is: all of them were consumed and acknowledged.
    """

    kind, family, pause_s = "duplicate messages", "message", 0.4

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
        if not await self._consumed(named):
            return 0
        self.beside["messages"] += len(named)
        return 1

    async def _consumed(self, named: list[str]) -> bool:
        """Whether all left the queues and are acknowledged, and Redis did not lose them since."""
        lost = self.target.moments.messages
        deadline = time.monotonic() + _CONSUMED_S
        while time.monotonic() < deadline and lost == self.target.moments.messages:
            await asyncio.sleep(0.1)
            held = await self._held()
            if not any(name.encode() in held for name in named):
                return lost == self.target.moments.messages
        return False

    async def _held(self) -> bytes:
        redis = self.target.redis
        queues = [await redis.lrange(f"hdi.{each}", 0, -1) for each in Priority]
        return b"".join([*(raw for some in queues for raw in some), *await redis.hvals("unacked")])

    async def calm(self) -> None:
        self._broker.close()
