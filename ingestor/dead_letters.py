"""Dead letters as files: a chunk that failed for good, for an operator to open.

The ledger's row is the truth; a folder that cannot be written costs the file, not the letter.
"""

from __future__ import annotations

from pathlib import Path

import orjson

from ingestor.job import Claim
from ingestor.logs import get_logger

log = get_logger(__name__)


def write_letter(folder: Path, claim: Claim, *, code: str, text: str) -> Path | None:
    """Writes ``chunk-<id>-<fence>.json``; its path, or None where the folder cannot be written."""
    path = folder / f"chunk-{claim.chunk_id}-{claim.fence}.json"
    part = path.with_suffix(".part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part.write_bytes(orjson.dumps(_letter(claim, code, text), option=orjson.OPT_INDENT_2))
        part.replace(path)
    except OSError as error:
        log.warning("dead letter not written", path=str(path), reason=error.strerror)
        return None
    return path


def _letter(claim: Claim, code: str, text: str) -> dict[str, object]:
    return {
        "chunk_id": claim.chunk_id,
        "job_id": str(claim.job_id),
        "attempts": claim.attempt,
        "error": {"code": code, "text": text},
        "request": {
            "source": claim.source,
            "dataset": claim.dataset,
            "schema": claim.schema,
            "stype_in": claim.stype_in,
            "symbols": list(claim.symbols),
            "start_ns": claim.start,
            "end_ns": claim.end,
        },
        "payload": None
        if claim.payload is None
        else {"uri": claim.payload.uri, "sha256": claim.payload.sha256},
        "next": f"hdi retry {claim.job_id} --only failed",
    }
