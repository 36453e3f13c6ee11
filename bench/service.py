"""The whole service: submitted, through Redis, one worker process and a scheduler, completed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import redis
from payloads import plan
from servers import Place

from ingestor.cli.enqueue import enqueue
from ingestor.insights import presence_warnings
from ingestor.store import ledger
from ingestor.store.database import Database

_START_S = 60.0
_END_S = 30.0
_LOOK_S = 0.05


def run_job(place: Place, folder: Path, *, patience_s: float = 600) -> dict[str, float]:
    """Submits the files of `folder` to a service that waits; seconds of each part."""
    with redis.Redis.from_url(place.address.redis_url) as client:
        client.flushall()
    with _running(place, "scheduler"), _running(place, "worker", "--concurrency", "1"):
        return asyncio.run(_run_job(place, folder, patience_s))


async def _run_job(place: Place, folder: Path, patience_s: float) -> dict[str, float]:
    async with place.open() as database:
        await _online(database, place)
        marks = [time.perf_counter()]
        job = plan(folder)
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


async def _online(database: Database, place: Place) -> None:
    deadline = time.monotonic() + _START_S
    while warnings := await presence_warnings(database):
        if time.monotonic() > deadline:
            raise RuntimeError(f"the service did not start: {warnings}; see {place.home}/*.log")
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
def _running(place: Place, *command: str) -> Iterator[None]:
    """An `hdi` process with its output in a file of the home, ended with SIGTERM."""
    with (place.home / f"{command[0]}.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ingestor.cli", *command],
            env=place.environment(HDI_LOG_FORMAT="json"),
            cwd=place.home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
