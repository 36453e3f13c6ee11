"""The worker's task, run here as Celery runs it, for a chunk that is completed already."""

from __future__ import annotations

import asyncio
import time

import proofs
from servers import Place

from ingestor.broker import LOAD_CHUNK, create_app
from workers import tasks
from workers.lifecycle import Lifecycle

_WARM = 3
_HOST = "hdi@bench"


def milliseconds(place: Place, count: int) -> list[float]:
    """How long the task takes, so many times, for the only chunk of the database.

    Raises:
        RuntimeError: It did something.
    """
    before = proofs.attempts(place)
    settings = place.settings()
    app, life = create_app(settings), Lifecycle.start(settings, host=_HOST)
    tasks.register(app, {"life": life})
    task, chunk_id = app.tasks[LOAD_CHUNK], asyncio.run(_only_chunk(place))
    try:
        times = [_timed(task, chunk_id) for _ in range(_WARM + count)]
    finally:
        _stop(life)
    if (after := proofs.attempts(place)) != before:
        raise RuntimeError(f"a completed chunk was taken up again: {before}, then {after}")
    return times[_WARM:]


def _stop(life: Lifecycle) -> None:
    """Ends it whole: in a worker, the process's end takes what it does beside the chunks along."""
    life.stop()
    life.thread.join()
    rest = asyncio.all_tasks(life.loop)
    for each in rest:
        each.cancel()
    life.loop.run_until_complete(asyncio.wait(rest))
    life.loop.close()


def _timed(task: object, chunk_id: int) -> float:
    started = time.perf_counter()
    task.apply(args=(chunk_id,)).get()  # type: ignore[attr-defined]
    return 1000 * (time.perf_counter() - started)


async def _only_chunk(place: Place) -> int:
    async with place.open() as database:
        return int(await database.fetchval("SELECT chunk_id FROM ingest.chunks"))
