"""What is loaded again slice by slice, and what whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import pytest

from ingestor.job import ChunkPlan, Claim, PayloadRef
from ingestor.replay.jobs import plan_of
from ingestor.replay.recut import recut
from ingestor.sources.dbn_files import DbnFiles
from ingestor.sources.source import Source
from ingestor.store.replays import Completed, Origin
from ingestor.vocabulary import Priority
from tests.unit.replay.test_jobs import completed

OTHER = PayloadRef("/other", "ef" * 32, 9)


class Scissors:
    """Cuts by the mapping `today`, and notes which chunks it is asked to plan as one."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []

    def cut_by(self, claim: Claim) -> str:
        return "today"

    def replan(self, claims: Sequence[Claim]) -> ChunkPlan:
        self.asked.append([each.chunk_id for each in claims])
        return ChunkPlan(claims[0].start, claims[0].end, claims[0].payload, cut_by="today")


def planned(*found: Completed) -> tuple[list[tuple[int | None, str]], list[list[int]]]:
    source = Scissors()
    anew = recut(found, cast(Source, source))
    origin = Origin("", "csv-files", Priority.LOW, None, 0)
    plan = plan_of(origin, found[0].claim.job_id, found, Priority.LOW, anew)
    chunks = [chunk for request in plan.requests for chunk in request.chunks]
    return [(each.replays, each.cut_by) for each in chunks], source.asked


@pytest.mark.parametrize("cut_by", ["today", ""])
def test_what_is_cut_as_it_was_stays_in_slices(cut_by: str) -> None:
    found = [completed(number, cut_by=cut_by) for number in (1, 2)]
    assert planned(*found) == ([(1, cut_by), (2, cut_by)], [])


def test_slices_of_another_mapping_are_one_and_other_payloads_stay_apart() -> None:
    one, two = (completed(number, cut_by="then") for number in (1, 2))
    other = completed(3, cut_by="then", payload=OTHER)
    chunks, asked = planned(one, two, other)
    assert chunks == [(1, "today"), (3, "today")]
    assert asked == [[1, 2], [3]]


def test_slices_that_were_cut_otherwise_meanwhile_are_one() -> None:
    """Though today's mapping is theirs again: their rows are those of a whole payload now."""
    one, two = (replace(completed(number, cut_by="today"), recut=True) for number in (1, 2))
    assert planned(one, two) == ([(1, "today")], [[1, 2]])


def test_a_source_whose_payloads_have_their_own_times_never_cuts_anew() -> None:
    assert recut([completed(1, cut_by="then")], DbnFiles()) == {}
