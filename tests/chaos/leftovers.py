"""What must be gone: of dead processes while the service lives, of all once it has ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from ingestor.store.database import Database
from tests.invariants import check_ended, check_quiet
from workers.sweeping import EACH_S

_QUIET_S: Final = 30.0
_TEMPORARY: Final = (".part", ".tmp")
_SESSIONS: Final = """
SELECT pid, application_name AS name, client_port, state FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'hdi:%'
"""
_PREPARED: Final = "SELECT gid FROM pg_prepared_xacts"
_ESTABLISHED: Final = "01"
_TABLES: Final = ("/proc/net/tcp", "/proc/net/tcp6")


async def of_the_dead(ledger: Database, vault: Path) -> list[str]:
    """Of a service that lives and has no work left.

    No session of a load, no lock, no download; no session whose client is gone. Each has half a
    minute to go, files until the workers have looked for them.
    """
    return [
        *await _told(check_quiet(ledger, ended=False)),
        *await _soon_none(lambda: _abandoned(ledger)),
        *await _soon_none(lambda: _now(_unfinished(vault)), within_s=EACH_S + _QUIET_S),
    ]


async def of_all(ledger: Database) -> list[str]:
    """Of a service that has ended: not one session."""
    return [
        *await _told(check_ended(ledger)),
        *await _told(check_quiet(ledger, ended=True)),
        *await _soon_none(lambda: _abandoned(ledger)),
        *[f"prepared transaction left: {row['gid']}" for row in await ledger.fetch(_PREPARED)],
    ]


async def _told(check: Awaitable[None]) -> list[str]:
    """What a check asserts in vain."""
    try:
        await check
    except AssertionError as error:
        return [str(error)]
    return []


async def _soon_none(
    left: Callable[[], Awaitable[list[str]]], *, within_s: float = _QUIET_S
) -> list[str]:
    deadline = time.monotonic() + within_s
    while found := await left():
        if time.monotonic() > deadline:
            return found
        await asyncio.sleep(0.2)
    return []


async def _abandoned(ledger: Database) -> list[str]:
    """Sessions whose client's end of the connection is closed: its process died."""
    rows = await ledger.fetch(_SESSIONS)
    alive = set(_client_ports())
    return [
        f"session left of a process that is gone: {row['name']} (backend {row['pid']}, "
        f"{row['state']})"
        for row in rows
        if row["client_port"] is not None and row["client_port"] not in alive
    ]


def _client_ports() -> Iterator[int]:
    """Local ports of every established connection of this host."""
    for table in _TABLES:
        if not Path(table).exists():
            continue
        for line in Path(table).read_text().splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            if state == _ESTABLISHED:
                yield int(local.rpartition(":")[2], 16)


async def _now(found: list[str]) -> list[str]:
    return found


def _unfinished(vault: Path) -> list[str]:
    found = [path for path in vault.rglob("*") if path.suffix in _TEMPORARY]
    return [f"temporary file left: {path.name} ({path.parent.name})" for path in found]


def in_logs(logs: Path, secrets: Sequence[str]) -> list[str]:
    """Logs that hold a password or key; which one is not said."""
    texts = {file.name: file.read_text(errors="replace") for file in logs.iterdir()}
    return [
        f"{name} holds secret number {at}"
        for name, text in texts.items()
        for at, secret in enumerate(secrets)
        if secret in text
    ]


def in_folders(vault: Path, spool: Path) -> list[str]:
    """Downloads that were broken off, and whatever lies where only temporary files are made."""
    found = [path for path in spool.rglob("*") if path.is_file()]
    return _unfinished(vault) + [f"spooled file left: {path.name}" for path in found]
