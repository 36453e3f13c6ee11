"""Dead letters: chunks that failed for good, as values and as files for an operator to open.

The ledger's row is the truth; a folder that cannot be written costs the file, not the letter.
"""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from ingestor.job import PayloadRef
from ingestor.logs import get_logger
from ingestor.vocabulary import ChunkState, Dataset, Schema

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt at the chunk.

    Attributes:
        outcome: What became of it: retrying, deferred, failed, lost, handed_back, cancelled …
    """

    attempt: int
    worker: str
    started_at: dt.datetime
    ended_at: dt.datetime
    outcome: str
    error_code: str
    error_text: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A chunk that failed for good: what was asked, what was tried, what went wrong.

    Attributes:
        fence: Of the attempt that ended it; a chunk that is retried may leave another letter.
        state: Of the chunk as it is now.
        start: First index timestamp asked for, nanoseconds since 1970; `end` is exclusive.
        symbols: As asked for; empty for all of the payload's.
        payload: Its bytes; None where they never came.
        resolution: ``retried`` or ``discarded``; empty while the letter is open.
        note: Why it was discarded; empty where nobody said.
        tried: All attempts, those of earlier lives of the chunk too, oldest first.
    """

    letter_id: int
    chunk_id: int
    job_id: UUID
    job_name: str
    fence: int
    attempts: int
    error_code: str
    error_text: str
    created_at: dt.datetime
    resolved_at: dt.datetime | None
    resolution: str
    note: str
    state: ChunkState
    source: str
    dataset: Dataset
    schema: Schema
    stype_in: str
    symbols: tuple[str, ...]
    start: int
    end: int
    payload: PayloadRef | None
    tried: tuple[Tried, ...] = ()

    @property
    def file_name(self) -> str:
        return file_name(self.chunk_id, self.fence)

    @property
    def next(self) -> str:
        """The command that takes the chunk up again."""
        return f"hdi dlq retry {self.chunk_id}"

    def as_json(self) -> dict[str, Any]:
        """What files and ``--json`` hold."""
        return {
            "letter_id": self.letter_id,
            "chunk_id": self.chunk_id,
            "fence": self.fence,
            "job_id": str(self.job_id),
            "job_name": self.job_name,
            "created_at": self.created_at,
            "attempts": self.attempts,
            "error": {"code": self.error_code, "text": self.error_text},
            "request": {
                "source": self.source,
                "dataset": self.dataset,
                "schema": self.schema,
                "stype_in": self.stype_in,
                "symbols": list(self.symbols),
                "start_ns": self.start,
                "end_ns": self.end,
            },
            "payload": None
            if self.payload is None
            else {
                "uri": self.payload.uri,
                "sha256": self.payload.sha256,
                "size": self.payload.size,
            },
            "tried": list(self.tried),
            "state": self.state,
            "resolution": self.resolution or None,
            "resolved_at": self.resolved_at,
            "note": self.note or None,
            "next": self.next,
        }


def file_name(chunk_id: int, fence: int) -> str:
    """How the file of a letter is called."""
    return f"chunk-{chunk_id}-{fence}.json"


def write_letter(folder: Path, letter: Letter) -> Path | None:
    """Writes ``chunk-<id>-<fence>.json``; its path, or None where the folder cannot be written."""
    path = folder / letter.file_name
    part = path.with_suffix(".part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part.write_bytes(orjson.dumps(letter.as_json(), option=orjson.OPT_INDENT_2))
        part.replace(path)
    except OSError as error:
        log.warning("dead letter not written", path=str(path), reason=error.strerror)
        with suppress(OSError):
            part.unlink()
        return None
    return path
