"""The whole service: submitted, through Redis, worker processes and a scheduler, completed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING
from uuid import UUID

import redis
from locks import Waits, watch
from servers import Place, end

from ingestor.cli.enqueue import enqueue
from ingestor.insights import presence_warnings
from ingestor.insights import workers as workers_seen
from ingestor.store import ledger
from ingestor.store.database import Database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ingestor.job import JobPlan

_START_S = 60.0
_END_S = 30.0
_LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class Crew:
    """Who works.

    Attributes:
        workers: Processes that load.
        environment: More settings for them.
        waits: Where what they wait for is counted; None for not at all.
    """

    workers: int = 1
    environment: Mapping[str, str] = field(default_factory=dict)
    waits: Waits | None = None


def run_job(
    place: Place,
    plan: Callable[[], JobPlan],
    crew: Crew | None = None,
    *,
    patience_s: float = 1800,
) -> dict[str, float]:
    """Submits what `plan` plans to a service that waits for it; seconds of each part."""
    crew = crew or Crew()
    empty_queue(place)
    worker = ("worker", "--concurrency", str(crew.workers))
    with (
        _running(place, crew.environment, "scheduler"),
        _running(place, crew.environment, *worker),
    ):
        return asyncio.run(_run_job(place, plan, crew, patience_s))


def empty_queue(place: Place) -> None:
    with redis.Redis.from_url(place.address.redis_url) as client:
        client.flushall()


async def _run_job(
    place: Place, plan: Callable[[], JobPlan], crew: Crew, patience_s: float
) -> dict[str, float]:
    async with place.open() as database:
        await _online(database, place, crew.workers)
        async with _watched(place, crew.waits):
            marks = [time.perf_counter()]
            # In a thread, as its calls block: who looks must not stand still.
            job = await asyncio.to_thread(plan)
            marks.append(time.perf_counter())
            accepted = await ledger.submit(database, job, max_attempts=1)
            marks.append(time.perf_counter())
            await enqueue(database, place.settings())
            marks.append(time.perf_counter())
            await _ended(database, accepted.job_id, patience_s)
            ended = time.perf_counter()
    planned, recorded, enqueued = (b - a for a, b in pairwise(marks))
    return {
        "plan": planned,
        "record": recorded,
        "enqueue": enqueued,
        "recorded → completed": ended - marks[2],
        "submit → completed": ended - marks[0],
    }


@asynccontextmanager
async def _watched(place: Place, waits: Waits | None) -> AsyncIterator[None]:
    if waits is None:
        yield
        return
    looking = asyncio.create_task(watch(place, waits))
    try:
        yield
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking


async def _online(database: Database, place: Place, workers: int) -> None:
    deadline = time.monotonic() + _START_S
    while True:
        warnings = await presence_warnings(database)
        seen = [each for each in await workers_seen(database) if each.role == "worker"]
        if not warnings and len(seen) >= workers:
            return
        if time.monotonic() > deadline:
            raise RuntimeError(
                f"the service did not start: {len(seen)} workers, {warnings}; "
                f"see {place.home}/*.log"
            )
        await asyncio.sleep(_LOOK_S)


async def _ended(database: Database, job_id: UUID, patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while True:
        state = await database.fetchval("SELECT state FROM ingest.jobs WHERE job_id = $1", job_id)
        if state == "completed":
            return
        if state not in ("pending", "running") or time.monotonic() > deadline:
            raise RuntimeError(f"the job is {state}")
        await asyncio.sleep(_LOOK_S)


@contextmanager
def _running(place: Place, more: Mapping[str, str], *command: str) -> Iterator[None]:
    """An `hdi` process with its output in a file of the home, ended with SIGTERM."""
    with (place.home / f"{command[0]}.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ingestor.cli", *command],
            env=place.environment(HDI_LOG_FORMAT="json", **more),
            cwd=place.home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield
    finally:
        end(process, within_s=_END_S)
