"""Who is at work: one row per worker process and scheduler, renewed every few seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ingestor.store.database import Database
from ingestor.store.queries import queries

_PRESENCE = queries("presence")

ONLINE_S = 30.0
"""A process unseen for so long counts as away; it reports every 5 s."""


@dataclass(frozen=True, slots=True)
class Process:
    """A worker process or scheduler; `name` is unique among all hosts."""

    name: str
    role: Literal["worker", "scheduler"]
    host: str
    pid: int
    version: str
    vault_id: str | None = None


async def seen(database: Database, process: Process) -> None:
    """Says that the process lives."""
    await database.fetchval(
        _PRESENCE["seen"], process.name, process.role, process.host, process.pid, process.version,
        process.vault_id,
    )  # fmt: skip


async def idle(database: Database, name: str) -> None:
    """Says that the process holds no chunk."""
    await database.fetchval(_PRESENCE["idle"], name)


async def gone(database: Database, names: Sequence[str]) -> None:
    """Takes processes off the list that have ended."""
    await database.fetchval(_PRESENCE["gone"], list(names))


async def of_host(database: Database, host: str) -> list[str]:
    """Names of the worker processes of a Celery host."""
    return [row["worker"] for row in await database.fetch(_PRESENCE["of_host"], host)]


async def forget(database: Database) -> None:
    """Drops processes that have been silent for a day."""
    await database.fetchval(_PRESENCE["forget"])


async def slots(database: Database) -> int:
    """Worker processes that are online."""
    return int(await database.fetchval(_PRESENCE["slots"], ONLINE_S))
