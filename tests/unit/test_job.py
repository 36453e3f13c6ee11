"""Frozen values and the state machine they are about."""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError
from itertools import product

import pytest

from ingestor.job import CHUNK_MOVES
from ingestor.receipt import JobCounts
from ingestor.store.queries import queries
from ingestor.vocabulary import ChunkState, JobState, Priority
from tests.plans import PAYLOAD, final_state, job_plan, receipt

OPEN = {state for state in ChunkState if not state.final}


def test_every_state_has_its_moves() -> None:
    """And leads to states only."""
    assert set(CHUNK_MOVES) == set(ChunkState)


def test_every_open_state_may_be_cancelled() -> None:
    """By a person, at any time."""
    assert all(ChunkState.CANCELLED in CHUNK_MOVES[state] for state in OPEN)


def test_completed_is_the_end() -> None:
    """A receipt is immutable; only failed and cancelled chunks start anew."""
    leave = {state for state in ChunkState if state.final and CHUNK_MOVES[state]}
    assert leave == {ChunkState.FAILED, ChunkState.CANCELLED}


def test_only_a_chunk_in_progress_completes() -> None:
    """Whoever completes a chunk owned it; one that nobody holds fails with its refused job."""
    ends = {ChunkState.COMPLETED, ChunkState.COMPLETED_EMPTY}
    assert {s for s in ChunkState if CHUNK_MOVES[s] & ends} == {ChunkState.IN_PROGRESS}


def test_every_open_chunk_can_reach_an_end() -> None:
    """No state is a trap."""
    for start in OPEN:
        seen, edge = {start}, {start}
        while edge:
            edge = {to for state in edge for to in CHUNK_MOVES[state]} - seen
            seen |= edge
        assert ChunkState.COMPLETED in seen


MOVES_OF_STATEMENTS = {
    ("chunks", "claim"): ({"pending", "queued", "retrying", "in_progress"}, {"in_progress"}),
    ("chunks", "release"): ({"in_progress"}, {"retrying", "cancelled"}),
    ("chunks", "fail"): ({"in_progress"}, {"failed"}),
    ("chunks", "reap"): ({"in_progress"}, {"retrying", "cancelled", "failed"}),
    ("chunks", "hand_back"): ({"in_progress"}, {"retrying", "cancelled"}),
    ("jobs", "refuse_rest"): ({"pending", "queued", "retrying"}, {"failed"}),
    ("chunks", "withdraw"): ({"in_progress"}, {"cancelled"}),
    ("jobs", "cancel_chunks"): ({"pending", "queued", "in_progress", "retrying"}, {"cancelled"}),
    ("jobs", "unqueue"): ({"queued"}, {"pending"}),
    ("jobs", "retry_chunks"): (set(), {"pending"}),
    ("dispatch", "enqueue"): ({"pending", "retrying"}, {"queued"}),
}


@pytest.mark.parametrize(("file", "name"), MOVES_OF_STATEMENTS)
def test_a_statement_makes_only_moves_that_are_allowed(file: str, name: str) -> None:
    """The WHERE of each statement keeps CHUNK_MOVES; the list here names them as the SQL does."""
    froms, tos = MOVES_OF_STATEMENTS[file, name]
    assert all(
        ChunkState(to) in CHUNK_MOVES[ChunkState(start)] for start, to in product(froms, tos)
    )
    words = set(re.findall(r"'(\w+)'", queries(file)[name]))
    assert froms | tos <= words


@pytest.mark.parametrize(
    ("chunks", "state"),
    [
        ({}, JobState.COMPLETED),
        ({ChunkState.COMPLETED_EMPTY: 2}, JobState.COMPLETED),
        ({ChunkState.COMPLETED: 1, ChunkState.FAILED: 1}, JobState.COMPLETED_WITH_FAILURES),
        ({ChunkState.FAILED: 2}, JobState.FAILED),
        ({ChunkState.COMPLETED: 1, ChunkState.CANCELLED: 1}, JobState.CANCELLED),
    ],
)
def test_a_job_ends_as_its_chunks_did(chunks: dict[ChunkState, int], state: JobState) -> None:
    """Cancelled wins over failed, failed over completed."""
    assert final_state(chunks) is state


def test_counts_sum_over_all_states() -> None:
    """`chunks.total` of the status."""
    counts = JobCounts({ChunkState.COMPLETED: 2, ChunkState.FAILED: 3})
    assert counts.total == 5


def test_a_receipt_as_json_has_every_count() -> None:
    """What the ledger keeps and its CHECK adds up."""
    found = receipt(5, stored=3, quarantined=1, already_stored=1).as_json()
    assert found["fetched"] == found["stored"] + found["quarantined"] + found["already_stored"]


def test_a_plan_counts_its_chunks() -> None:
    """Over all requests."""
    assert job_plan(3).chunk_count == 3


def test_values_between_rooms_are_frozen() -> None:
    """Nobody changes what another room has seen."""
    with pytest.raises(FrozenInstanceError):
        PAYLOAD.size = 0  # type: ignore[misc]


def test_priorities_rank_from_low_to_high() -> None:
    """The dispatcher sorts by rank."""
    assert [each.rank for each in (Priority.LOW, Priority.NORMAL, Priority.HIGH)] == [0, 1, 2]
