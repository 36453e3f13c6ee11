"""What fault tests ask of the ledger and of processes while workers are at it."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Final

from ingestor.broker import Broker
from ingestor.settings import Settings
from ingestor.store.database import Database
from ingestor.vocabulary import Priority
from tests.processes import Fleet, Process, until

DIED: Final = "signal 9 (SIGKILL)"
"""What Celery logs of a child that was killed."""
LONG_LEASE: Final = {"HDI_LEASE__DURATION_S": "300", "HDI_LEASE__HEARTBEAT_S": "100"}
"""Far beyond any test: a chunk that comes back sooner was handed back, not reaped."""


def publish(settings: Settings, chunk: int, *dispatches: int) -> None:
    """Puts the chunk on the queue, as submit or the dispatcher does, once for each dispatch."""
    broker = Broker(settings)
    broker.publish([(chunk, each, Priority.NORMAL) for each in dispatches])
    broker.close()


async def state(database: Database, chunk_id: int) -> str:
    return str(
        await database.fetchval("SELECT state FROM ingest.chunks WHERE chunk_id = $1", chunk_id)
    )


async def counted(database: Database) -> dict[str, int]:
    """Chunks per state."""
    rows = await database.fetch("SELECT state, count(*) AS n FROM ingest.chunks GROUP BY 1")
    return {row["state"]: row["n"] for row in rows}


async def outcomes(database: Database, chunk_id: int) -> list[str]:
    """How its attempts ended, in order."""
    rows = await database.fetch(
        "SELECT outcome FROM ingest.attempts WHERE chunk_id = $1 ORDER BY attempt_id", chunk_id
    )
    return [row["outcome"] for row in rows]


async def holder(database: Database, fleet: Fleet, *, of: str = "") -> tuple[int, int]:
    """(chunk, process id) of a lease, once a worker whose name begins with `of` has one."""
    query = "SELECT chunk_id, worker FROM ingest.leases WHERE starts_with(worker, $1) LIMIT 1"
    found: list[tuple[int, int]] = []

    async def held() -> bool:
        if (row := await database.fetchrow(query, of)) is not None:
            found.append((row["chunk_id"], int(row["worker"].rpartition("/")[2])))
        return bool(found)

    await until(f"a worker {of} holds a chunk", held, timeout_s=60, fleet=fleet)
    return found[0]


async def online(database: Database, fleet: Fleet, processes: int) -> None:
    """Waits until so many worker processes have reported."""
    query = "SELECT count(*) FROM ingest.workers WHERE role = 'worker'"

    async def all_there() -> bool:
        return bool(await database.fetchval(query) >= processes)

    await until(f"{processes} worker processes are online", all_there, timeout_s=60, fleet=fleet)


def process_state(pid: int) -> str:
    """One letter of /proc: T is stopped, Z has ended; empty where there is no such process."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return ""


async def frozen(pid: int, fleet: Fleet) -> None:
    """Waits until the process is stopped."""

    async def stopped() -> bool:
        return process_state(pid) == "T"

    await until(f"process {pid} is stopped", stopped, timeout_s=60, fleet=fleet)


def children(process: Process) -> list[int]:
    """Process ids of a worker's children now."""
    tasks = Path(f"/proc/{process.popen.pid}/task")
    with suppress(FileNotFoundError):
        lists = [(task / "children").read_text() for task in tasks.iterdir()]
        return [int(pid) for each in lists for pid in each.split()]
    return []


def thaw(pid: int) -> None:
    os.kill(pid, signal.SIGCONT)
