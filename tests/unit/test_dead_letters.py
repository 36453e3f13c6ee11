"""Dead letters as files: what an operator opens; the ledger's row stays the truth."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import orjson
import pytest

from ingestor.dead_letters import write_letter
from ingestor.job import Claim, PayloadRef
from ingestor.vocabulary import ChunkId, Dataset, Fence, Schema

CLAIM = Claim(
    chunk_id=ChunkId(12), job_id=UUID(int=1), fence=Fence(3), attempt=5, max_attempts=5,
    lost_count=0, deferrals=0, first_deferred_s=0.0, source="dbn-files",
    dataset=Dataset("GLBX.MDP3"), schema=Schema.TRADES, stype_in="raw_symbol", symbols=(), start=0,
    end=10, last_slice=True, expected=1, payload=PayloadRef("/data/a.dbn", "0" * 64, 1),
    predecessors=(), partial="",
)  # fmt: skip


def test_a_letter_tells_what_where_and_what_next(tmp_path: Path) -> None:
    """One JSON object: the error, the request, the payload, the command to run."""
    path = write_letter(tmp_path, CLAIM, code="CorruptPayload", text="cut at 12")
    assert path is not None
    letter = orjson.loads(path.read_bytes())
    assert letter["error"] == {"code": "CorruptPayload", "text": "cut at 12"}
    assert letter["payload"]["uri"] == "/data/a.dbn"
    assert letter["next"] == f"hdi retry {CLAIM.job_id} --only failed"


def test_letters_of_two_lives_of_a_chunk_are_two_files(tmp_path: Path) -> None:
    """Named by chunk and fence."""
    path = write_letter(tmp_path, CLAIM, code="X", text="x")
    assert path == tmp_path / "chunk-12-3.json"


def test_the_folder_is_made(tmp_path: Path) -> None:
    """With its parents."""
    assert write_letter(tmp_path / "a" / "b", CLAIM, code="X", text="x") is not None


def test_no_half_letter_is_left(tmp_path: Path) -> None:
    """Written beside and renamed."""
    write_letter(tmp_path, CLAIM, code="X", text="x")
    assert [path.name for path in tmp_path.iterdir()] == ["chunk-12-3.json"]


@pytest.mark.parametrize("place", ["file", "dev"])
def test_a_folder_that_cannot_be_written_costs_the_file_only(tmp_path: Path, place: str) -> None:
    """The attempt goes on: the ledger has the letter."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    folder = blocked / "dlq" if place == "file" else Path("/proc/nowhere")
    assert write_letter(folder, CLAIM, code="X", text="x") is None
