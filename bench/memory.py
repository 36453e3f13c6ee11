"""Peak memory of a process that loads one chunk. Run as a program, it is that process."""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from servers import Place

from ingestor.job import JobPlan


def peak_mb(place: Place, job: JobPlan, config_dir: Path | None = None) -> float:
    """Peak resident memory of a fresh process, with a worker's imports, that loads `job`."""
    more = {} if config_dir is None else {"HDI_CONFIG_DIR": str(config_dir)}
    return asyncio.run(_peak_mb(place, job, more))


async def _peak_mb(place: Place, job: JobPlan, more: Mapping[str, str]) -> float:
    from ingestor.store import ledger

    async with place.open() as database:
        accepted = await ledger.submit(database, job, max_attempts=1)
        chunk_id = await database.fetchval(
            "SELECT chunk_id FROM ingest.chunks WHERE job_id = $1", accepted.job_id
        )
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, __file__, str(chunk_id)],
        env=place.environment(**more),
        cwd=place.home,
        stdout=subprocess.PIPE,
        check=True,
    )
    told = json.loads(done.stdout.splitlines()[-1])
    expected = job.requests[0].chunks[0].contents.records
    if told["records"] != expected:
        raise RuntimeError(f"{told['records']} records were loaded, {expected} in the payload")
    return float(told["peak_mb"])


def own_peak_mb() -> float:
    """Peak resident memory of this process, MB (10^6 bytes).

    Linux's ru_maxrss survives exec, so a child's begins at its parent's size; VmHWM does not.
    """
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    for line in lines:
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6


async def _main(chunk_id: int) -> None:
    from loads import WORKER

    from ingestor.origins import open_sources
    from ingestor.pipeline import run_chunk
    from ingestor.store import ledger
    from ingestor.store.database import Database, DatabaseOptions
    from ingestor.vocabulary import Role
    from workers.app import settings

    async with Database(DatabaseOptions.of(settings, Role.WORKER), name="hdi:bench") as database:
        claim = await ledger.claim(
            database, chunk_id, worker=WORKER, lease_s=settings.lease.duration_s, max_lost=1
        )
        assert claim is not None
        receipt = await run_chunk(database, claim, settings, open_sources(settings), worker=WORKER)
    print(json.dumps({"peak_mb": own_peak_mb(), "records": receipt.fetched}))


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
