"""Work in a process of its own, with its peak memory. Run as a program, it is that process.

``chunk CHUNK_ID`` loads one chunk, with all that a worker imports; ``command hdi ARGUMENTS`` is a
command, as a person would run it.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from servers import Place

    from ingestor.job import JobPlan


@dataclass(frozen=True, slots=True)
class Told:
    """What a process says of itself at its end.

    Attributes:
        seconds: Of its work, imports included, the interpreter's start not.
        peak_mb: Peak resident memory, MB (10^6 bytes).
    """

    seconds: float
    peak_mb: float


def load(place: Place, job: JobPlan, config_dir: Path | None = None) -> Told:
    """Loads the only chunk of `job` in a fresh process with a worker's imports."""
    more = {} if config_dir is None else {"HDI_CONFIG_DIR": str(config_dir)}
    from payloads import contents_of

    chunk_id = asyncio.run(_submitted(place, job))
    told, records, _ = _run(place, more, "chunk", str(chunk_id))
    expected = contents_of(job).records
    if records != expected:
        raise RuntimeError(f"{records} records were loaded, the payload holds {expected}")
    return told


async def _submitted(place: Place, job: JobPlan) -> int:
    from ingestor.store import ledger

    async with place.open() as database:
        accepted = await ledger.submit(database, job, max_attempts=1)
        return int(
            await database.fetchval(
                "SELECT chunk_id FROM ingest.chunks WHERE job_id = $1", accepted.job_id
            )
        )


def command(place: Place, *arguments: str, environment: Mapping[str, str] | None = None) -> Told:
    """A command of `hdi` in a fresh process.

    Raises:
        RuntimeError: It failed.
    """
    told, code, errors = _run(place, environment or {}, "command", "hdi", *arguments)
    if code:
        raise RuntimeError(f"hdi {' '.join(arguments)} ended with {code}: {errors}")
    return told


def _run(place: Place, more: Mapping[str, str], *arguments: str) -> tuple[Told, int, str]:
    """What it told of itself, its result, and its stderr."""
    done = subprocess.run(
        [sys.executable, __file__, *arguments],
        env=place.environment(**more),
        cwd=place.home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
    said = json.loads(done.stdout.splitlines()[-1])
    return Told(said["seconds"], said["peak_mb"]), said["result"], done.stderr


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


async def _loaded(chunk_id: int) -> int:
    """Loads the chunk; its records."""
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
    return receipt.fetched


def _ran(arguments: list[str]) -> int:
    """Runs the command; its exit code."""
    sys.argv = arguments
    from ingestor.cli.main import cli, guarded

    return guarded(cli, arguments[0])


def _main() -> None:
    started = time.perf_counter()
    kind, *arguments = sys.argv[1:]
    result = asyncio.run(_loaded(int(arguments[0]))) if kind == "chunk" else _ran(arguments)
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "peak_mb": own_peak_mb(), "result": result}))


if __name__ == "__main__":
    _main()
