"""Files of dead letters, written by whoever ended the chunk: a worker or the scheduler."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from ingestor.dead_letters import file_name, write_letter
from ingestor.errors import IngestError
from ingestor.logs import get_logger
from ingestor.store import letters
from ingestor.store.database import Database

log = get_logger(__name__)

_AT_ONCE = 500


_RECENT_S = 900.0
_SETTLED_S = 30.0


async def file_missing(database: Database, folder: Path) -> None:
    """Writes recent letters whose writer was killed before its file was there.

    Where workers run on other hosts, their files lie there; this host's folder then has them, too.
    """
    recent = await letters.recent(database, from_s=_RECENT_S, to_s=_SETTLED_S)
    missing = [each for each in recent if not (folder / file_name(*each)).exists()]
    await file_letters(database, folder, [chunk_id for chunk_id, _ in missing])


async def file_letters(database: Database, folder: Path, chunk_ids: Sequence[int]) -> None:
    """Writes the open letters of those chunks; what fails here costs files, not letters."""
    for at in range(0, len(chunk_ids), _AT_ONCE):
        choice = letters.Choice(chunk_ids=chunk_ids[at : at + _AT_ONCE])
        try:
            found = await letters.letters(database, choice)
        except IngestError as error:
            log.warning("dead letters not written", path=str(folder), reason=error.message)
            return
        for letter in found:
            await asyncio.to_thread(write_letter, folder, letter)
