"""From the rooms to the socket: batches made in a thread, one ahead of what the server takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, Protocol

from ingestor import failpoint
from ingestor.store.binary_copy import HEADER, TRAILER
from ingestor.store.quarantine import Spool

PIECE: Final = 256 << 10
"""Bytes of a message to the server, which takes in a message whole before it looks at its rows.

2M trades took it 6.3 s in messages of 10 MB, 5.9 s in those of 128 KiB or 1 MiB (medians of four;
psql's, of 8 KiB, 6.0 s).
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch ready for the socket.

    Attributes:
        rows: Binary COPY rows as one buffer of bytes, without header and trailer.
        accepted: How many rows those are.
        fetched: Records of the payload that went into the batch.
    """

    rows: memoryview
    accepted: int
    fetched: int


@dataclass(slots=True)
class Progress:
    """What the heartbeat reports of a load under way; also its final count.

    Attributes:
        committing: Set when the commit begins: a lease that is gone after it went with the chunk.
    """

    fetched: int = 0
    accepted: int = 0
    bytes: int = 0
    committing: bool = False


class Rooms(Protocol):
    """What the pipeline hands over: batches, made anew for every try of the transaction."""

    def __call__(self, spool: Spool) -> Iterator[Batch]: ...


async def feed(
    batches: Iterator[Batch], progress: Progress, *, expected: int
) -> AsyncGenerator[bytes | memoryview, None]:
    """The bytes of one binary COPY, counted into `progress` as they go out."""
    meter = failpoint.Meter(expected)
    yield HEADER
    async with aclosing(_ahead(batches)) as made:
        async for batch in made:
            progress.fetched += batch.fetched
            progress.accepted += batch.accepted
            progress.bytes += len(batch.rows)
            for at in range(0, len(batch.rows), PIECE):
                yield batch.rows[at : at + PIECE]
            meter.add(batch.fetched)
    yield TRAILER


async def _ahead(batches: Iterator[Batch]) -> AsyncGenerator[Batch, None]:
    """Makes the next batch in a thread while the socket drains the last one.

    Decoding and encoding hide behind the server this way: it waited for us in one sample of 200
    (pg_stat_activity, every 5 ms). One thread makes all of them: the allocator keeps a heap for
    each thread that ever made one, and six of them held twice the memory.
    """
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, thread_name_prefix="hdi-rooms") as thread:
        pending = loop.run_in_executor(thread, next, batches, None)
        try:
            # Shielded: a thread cannot be cancelled, only waited for.
            while (batch := await asyncio.shield(pending)) is not None:
                pending = loop.run_in_executor(thread, next, batches, None)
                yield batch
        finally:
            # It reads the payload and writes the spool: neither may go before it is done.
            await asyncio.wait([pending])
