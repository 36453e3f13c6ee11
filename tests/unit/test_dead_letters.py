"""Dead letters as files: what an operator opens; the ledger's row stays the truth."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import orjson
import pytest

from ingestor.dead_letters import Letter, Tried, write_letter
from ingestor.job import PayloadRef
from ingestor.vocabulary import ChunkState, Dataset, Schema

NOON = dt.datetime(2024, 3, 11, 12, tzinfo=dt.UTC)
TRIED = Tried(
    1, "w/1", NOON, NOON + dt.timedelta(seconds=3), "failed", "CorruptPayload", "cut at 12"
)
LETTER = Letter(
    letter_id=7, chunk_id=12, job_id=UUID(int=1), job_name="march", fence=3, attempts=1,
    error_code="CorruptPayload", error_text="cut at 12", created_at=NOON, resolved_at=None,
    resolution="", note="", state=ChunkState.FAILED, source="dbn-files",
    dataset=Dataset("GLBX.MDP3"), schema=Schema.TRADES, stype_in="raw_symbol", symbols=("ESM4",),
    start=2**63, end=2**64 - 1, payload=PayloadRef("/data/a.dbn", "0" * 64, 1), tried=(TRIED,),
)  # fmt: skip


def test_a_letter_tells_what_where_how_often_and_what_next(tmp_path: Path) -> None:
    """One JSON object: the error, the request, the payload, each attempt, the command to run."""
    path = write_letter(tmp_path, LETTER)
    assert path is not None
    letter = orjson.loads(path.read_bytes())

    assert letter["error"] == {"code": "CorruptPayload", "text": "cut at 12"}
    assert letter["payload"] == {"uri": "/data/a.dbn", "sha256": "0" * 64, "size": 1}
    assert letter["request"] == {
        "source": "dbn-files", "dataset": "GLBX.MDP3", "schema": "trades", "stype_in": "raw_symbol",
        "symbols": ["ESM4"], "start_ns": 2**63, "end_ns": 2**64 - 1,
    }  # fmt: skip
    assert letter["tried"] == [
        {
            "attempt": 1, "worker": "w/1", "started_at": "2024-03-11T12:00:00+00:00",
            "ended_at": "2024-03-11T12:00:03+00:00", "outcome": "failed",
            "error_code": "CorruptPayload", "error_text": "cut at 12",
        }
    ]  # fmt: skip
    assert letter["next"] == "hdi dlq retry 12"
    assert (letter["state"], letter["resolution"], letter["note"]) == ("failed", None, None)


def test_a_payload_that_never_came_is_null(tmp_path: Path) -> None:
    path = write_letter(tmp_path, replace(LETTER, payload=None, tried=()))
    assert path is not None
    letter = orjson.loads(path.read_bytes())

    assert (letter["payload"], letter["tried"]) == (None, [])


def test_letters_of_two_lives_of_a_chunk_are_two_files(tmp_path: Path) -> None:
    """Named by chunk and fence."""
    assert write_letter(tmp_path, LETTER) == tmp_path / "chunk-12-3.json"
    assert write_letter(tmp_path, replace(LETTER, fence=9)) == tmp_path / "chunk-12-9.json"


def test_a_letter_that_is_written_again_is_one_file(tmp_path: Path) -> None:
    """As it is now."""
    write_letter(tmp_path, LETTER)
    path = write_letter(tmp_path, replace(LETTER, resolution="discarded", resolved_at=NOON))
    assert path is not None

    assert orjson.loads(path.read_bytes())["resolution"] == "discarded"
    assert list(tmp_path.iterdir()) == [path]


def test_the_folder_is_made(tmp_path: Path) -> None:
    """With its parents."""
    assert write_letter(tmp_path / "a" / "b", LETTER) is not None


def test_no_half_letter_is_left(tmp_path: Path) -> None:
    """Written beside and renamed."""
    write_letter(tmp_path, LETTER)
    assert [path.name for path in tmp_path.iterdir()] == ["chunk-12-3.json"]


@pytest.mark.parametrize("place", ["file", "dev"])
def test_a_folder_that_cannot_be_written_costs_the_file_only(tmp_path: Path, place: str) -> None:
    """The attempt goes on: the ledger has the letter."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    folder = blocked / "dlq" if place == "file" else Path("/proc/nowhere")
    assert write_letter(folder, LETTER) is None
