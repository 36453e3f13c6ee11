"""What `hdi rules` prints: one line for each thing, whatever text files and payloads hold."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from ingestor.cli.output import one_line
from ingestor.cli.rules_output import print_rehearsal, recheck_json
from ingestor.replay.comparison import Change
from ingestor.replay.recheck import Rechecked
from ingestor.replay.rehearsal import Rehearsal, Stopped
from ingestor.replay.tally import Example, Tally

EXAMPLE = Example(
    Change.VALUE, "size", 7, "vault:a", 0, 2, "ES\nM4", None, {"size": ("a\x1b[2J", "b\nc")}
)


def test_characters_that_end_a_line_or_move_a_cursor_are_escaped() -> None:
    assert one_line("too\nlarge\x1b[2J\u2028é→") == "too\\nlarge\\x1b[2J\\u2028é→"


def test_a_rehearsal_keeps_each_reason_and_value_on_its_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tally = Tally(3)
    tally.examples.append(replace(EXAMPLE))
    print_rehearsal(Rehearsal(tally, stopped=[Stopped(7, "new", "too\nlarge \x1b[2J")]))
    lines = capsys.readouterr().out.splitlines()
    assert "chunk 7 would fail by the new files: too\\nlarge \\x1b[2J" in lines
    assert "size a\\x1b[2J → b\\nc" in lines[-1]
    assert "ES\\nM4" in lines[-1]


def test_outdated_chunks_are_told_by_job() -> None:
    found = Rechecked(chunks=2)
    job_id = UUID(int=5)
    found.outdated[job_id] += 2
    assert recheck_json(found)["outdated"] == [{"job_id": job_id, "chunks": 2}]
