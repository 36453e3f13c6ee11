"""How a job on its way is shown, and what a command that waited ends with."""

from __future__ import annotations

import json
from uuid import UUID

import pytest

from ingestor.cli.watching import Lines, Ndjson, exit_code, summary, warn_of_quarantine
from ingestor.insights import JobStatus, Progress
from ingestor.vocabulary import ChunkState, JobState


def made(
    state: JobState = JobState.RUNNING, *, done: int = 1, failed: int = 0, rows: int = 10,
    quarantined: int = 0,
) -> Progress:  # fmt: skip
    chunks = dict.fromkeys(ChunkState, 0)
    chunks |= {ChunkState.COMPLETED: done, ChunkState.FAILED: failed, ChunkState.QUEUED: 2}
    records = {"fetched": rows, "quarantined": quarantined}
    return Progress(JobStatus(UUID(int=1), "x", state, chunks, records, 1.0), rows, 100, 5.0, 18.0)


def test_a_line_says_state_chunks_records_rate_and_time_to_go() -> None:
    """All that a person asks, in one line."""
    said = summary(made(failed=1))

    assert said == "running: 2 of 4 chunks, 1 failed, 10 records, 5/s, about 18 s to go"


def test_lines_come_every_few_seconds_and_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    """A log of a day's backfill stays readable; its last line is the end."""
    show = Lines()
    for rows in (1, 2, 3):
        show(made(rows=rows))
    show(made(JobState.COMPLETED, rows=4))
    said = capsys.readouterr()

    assert said.out == ""
    assert [line.split(":")[0] for line in said.err.splitlines()] == ["running", "completed"]


def test_json_comes_at_each_change_only(capsys: pytest.CaptureFixture[str]) -> None:
    """A reader of NDJSON gets news, and the end as the last line."""
    show = Ndjson()
    for rows in (1, 1, 2):
        show(made(rows=rows))
    show(made(JobState.COMPLETED, rows=2))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert [(line["state"], line["progress"]["rows"]) for line in lines] == [
        ("running", 1),
        ("running", 2),
        ("completed", 2),
    ]


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (JobState.COMPLETED, 0),
        (JobState.COMPLETED_WITH_FAILURES, 3),
        (JobState.FAILED, 3),
        (JobState.CANCELLED, 3),
    ],
)
def test_a_job_without_all_its_chunks_ends_with_3(state: JobState, code: int) -> None:
    """Scripts go on only where everything is there."""
    assert exit_code(made(state).status) == code


def test_quarantined_records_fail_a_strict_wait_only() -> None:
    """Below the limit they are a warning."""
    status = made(JobState.COMPLETED, quarantined=1).status

    assert exit_code(status) == 0
    assert exit_code(status, strict=True) == 3


def test_quarantined_records_are_a_warning_with_the_command_that_shows_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing is said where there are none."""
    warn_of_quarantine(made().status)
    assert capsys.readouterr().err == ""
    warn_of_quarantine(made(JobState.COMPLETED, quarantined=1200).status)
    assert capsys.readouterr().err == (
        "warning: 1,200 records quarantined; hdi quarantine list --job 00000000 says why\n"
    )
