"""What must be gone once every process has ended: sessions, locks, leases, temporary files."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ingestor.store.database import Database

_QUIET_S: Final = 30.0
_TEMPORARY: Final = (".part", ".tmp")
_LEFT: Final = {
    "session": "SELECT application_name || ' ' || coalesce(state, '') AS what FROM pg_stat_activity"
    " WHERE application_name LIKE 'hdi:%'",
    "lock": "SELECT l.locktype || ' ' || l.mode || ' of ' || a.application_name AS what"
    " FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.application_name LIKE 'hdi:%'",
    "prepared transaction": "SELECT gid AS what FROM pg_prepared_xacts",
    "lease": "SELECT chunk_id || ' of ' || worker AS what FROM ingest.leases",
    "open chunk": "SELECT chunk_id || ' ' || state AS what FROM ingest.chunks"
    " WHERE finished_at IS NULL",
    "open job": "SELECT name || ' ' || state AS what FROM ingest.jobs WHERE finished_at IS NULL",
}  # fmt: skip


async def in_database(ledger: Database) -> list[str]:
    """What is still there after half a minute, of a service that has stopped."""
    deadline = time.monotonic() + _QUIET_S
    while found := [each for what in _LEFT for each in await _of(ledger, what)]:
        if time.monotonic() > deadline:
            break
        await asyncio.sleep(0.2)
    return found


async def _of(ledger: Database, what: str) -> list[str]:
    return [f"{what} left: {row['what']}" for row in await ledger.fetch(_LEFT[what])]


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
    found = [path for path in vault.rglob("*") if path.suffix in _TEMPORARY]
    found += [path for path in spool.rglob("*") if path.is_file()]
    return [f"temporary file left: {path.name} ({path.parent.name})" for path in found]
