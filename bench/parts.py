"""A small chunk taken apart: each part of what it costs, in one process without a queue."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import payloads
import rooms
from loads import WORKER
from servers import Place

from ingestor.origins import open_sources
from ingestor.pipeline import run_chunk
from ingestor.settings import Settings
from ingestor.store import ledger
from ingestor.store.database import Database

_CHUNKS = "SELECT chunk_id FROM ingest.chunks ORDER BY chunk_id"
_COLD = 3
"""The first chunks of a process fill its caches."""


def seconds(place: Place, folder: Path) -> dict[str, float]:
    """Seconds a chunk of each part, mean over the files of `folder`, a chunk each."""
    spent = asyncio.run(_parts(place, folder))
    return {
        "claim": spent["claim"],
        "check pass": spent["fetch"],
        "load transaction": spent["load"],
        "of it: decode, judge, encode": _rooms(sorted(folder.iterdir())[_COLD:], place.settings()),
        "lease, publishers, days, commit": spent["chunk"] - spent["fetch"] - spent["load"],
        "without a queue": spent["claim"] + spent["chunk"],
    }


def _rooms(files: Sequence[Path], settings: Settings) -> float:
    """Seconds a chunk of all rooms but the check pass."""
    clock = rooms.Clock()
    for path in files:
        for _rows in rooms.encoded(payloads.plan(path), settings, clock):
            pass
    return (sum(clock.seconds.values()) - clock.seconds["check pass"]) / len(files)


async def _parts(place: Place, folder: Path) -> dict[str, float]:
    settings, spent = place.settings(), Counter[str]()
    async with place.open() as database:
        await ledger.submit(database, payloads.plan(folder), max_attempts=1)
        chunks = [row["chunk_id"] for row in await database.fetch(_CHUNKS)]
        for chunk_id in chunks[:_COLD]:
            await _take(database, chunk_id, settings)
        for chunk_id in chunks[_COLD:]:
            spent.update(await _take(database, chunk_id, settings))
    return {part: total / (len(chunks) - _COLD) for part, total in spent.items()}


async def _take(database: Database, chunk_id: int, settings: Settings) -> dict[str, float]:
    """Takes one chunk to its receipt, as a worker does."""
    started = time.perf_counter()
    claim = await ledger.claim(
        database, chunk_id, worker=WORKER, lease_s=settings.lease.duration_s, max_lost=1
    )
    assert claim is not None
    claimed = time.perf_counter()
    receipt = await run_chunk(database, claim, settings, open_sources(settings), worker=WORKER)
    ended = time.perf_counter()
    return {"claim": claimed - started, "chunk": ended - claimed, **receipt.seconds}
