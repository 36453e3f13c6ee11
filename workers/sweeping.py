"""Downloads that nobody takes up any more: their worker was killed, and their chunk is over.

A retry of the chunk removes what earlier attempts at it left. What this is for is a chunk that was
cancelled, or completed by another download, while its worker died.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from ingestor.download import Download
from ingestor.logs import get_logger
from ingestor.store import ledger
from ingestor.store.database import Database
from ingestor.vault import Vault
from ingestor.vault.durable import FORGOTTEN_S, unchanged_s
from ingestor.vocabulary import ChunkState

log = get_logger(__name__)

UNCHANGED_S = 600.0
"""A download that gets nothing for so long has ended, or is of no use to a chunk that is over."""

EACH_S = 60.0
"""Between two looks."""

_KEPT_S: Final = {
    ChunkState.COMPLETED: UNCHANGED_S,
    ChunkState.COMPLETED_EMPTY: UNCHANGED_S,
    # It may be whole, and was paid for: whoever retries the chunk finds it.
    ChunkState.CANCELLED: 86_400.0,
}


async def sweep(database: Database, vault: Vault, *, unchanged: float = UNCHANGED_S) -> int:
    """Removes them, and temporary files of processes that were killed; how many downloads.

    What a cancelled chunk left is kept for a day, what a failed one left for a week.

    Raises:
        DatabaseUnavailable, DatabaseHalted: The ledger cannot be asked; nothing is removed.
        VaultUnavailable: The folder cannot be read.
    """
    await asyncio.to_thread(vault.sweep)
    idle = await asyncio.to_thread(_idle, vault, unchanged)
    if not idle:
        return 0
    states = await ledger.states(database, sorted({begun.chunk_id for begun in idle.values()}))
    gone = [path for path, begun in idle.items() if _useless(path, states.get(begun.chunk_id))]
    for path in gone:
        await asyncio.to_thread(path.unlink, missing_ok=True)
    if gone:
        log.info("abandoned downloads removed", files=len(gone))
    return len(gone)


def _idle(vault: Vault, unchanged: float) -> dict[Path, Download]:
    return {
        path: begun
        for path in vault.parts("")
        if unchanged_s(path) > unchanged and (begun := Download.named(path.stem)) is not None
    }


def _useless(path: Path, state: ChunkState | None) -> bool:
    kept_s = FORGOTTEN_S if state is None else _KEPT_S.get(state, FORGOTTEN_S)
    return unchanged_s(path) > kept_s
