"""The plan of a replay: the job's own requests, slice by slice, less what is gone."""

from __future__ import annotations

from dataclasses import replace

from ingestor.job import Claim, Contents, PayloadRef
from ingestor.replay.jobs import Gone, missing, plan_of, told
from ingestor.store.replays import Asked, Completed, Origin
from ingestor.vocabulary import ChunkId, Priority
from tests.claims import only_claim
from tests.plans import job_plan

BEFORE = PayloadRef("vault:before", "cd" * 32, 7)


def completed(chunk_id: int, **told_of_it: object) -> Completed:
    claim: Claim = replace(only_claim(job_plan()), chunk_id=ChunkId(chunk_id))
    claim = replace(claim, **told_of_it)  # type: ignore[arg-type]
    asked = Asked(1, ("ESM4",), claim.start, claim.end)
    return Completed(claim, Contents(5, index_min=claim.start, index_max=claim.end - 1), asked)


class Shelf:
    """A vault that has some payloads, and counts how often it is asked."""

    def __init__(self, *kept: PayloadRef) -> None:
        self.kept = kept
        self.asked = 0

    def has(self, ref: PayloadRef) -> bool:
        self.asked += 1
        return ref in self.kept


def payload(each: Completed) -> PayloadRef:
    assert each.claim.payload is not None
    return each.claim.payload


def test_a_chunk_goes_with_any_of_its_payloads() -> None:
    """Its predecessors decide its ordinals; each payload is looked for once."""
    one, other = completed(1), completed(2, predecessors=(BEFORE,))
    shelf = Shelf(payload(one))
    found = list(missing([one, other, one], shelf))
    assert found == [Gone(2, (BEFORE,))]
    assert shelf.asked == 2
    assert told(found) == {2: "chunk 2 is left out: vault:before is not there any more"}


def test_each_chunk_is_planned_as_it_was() -> None:
    """Slice, symbols, predecessors and why it proves nothing; and whose rows it takes over."""
    own = completed(3, symbols=("NQM4",), predecessors=(BEFORE,), partial="cut", last_slice=False)
    job_id = own.claim.job_id
    origin = Origin("march", "dbn-files", Priority.LOW, None, 2)
    plan = plan_of(origin, job_id, [completed(1), own], Priority.HIGH)
    [request] = plan.requests
    first, last = request.chunks
    assert (plan.name, plan.priority, plan.source) == ("replay of march", "high", "dbn-files")
    assert plan.key == f"replay:{job_id}:3"
    assert plan.spec == {"replay_of": str(job_id), "chunks": 2}
    assert (first.replays, first.symbols, first.payload) == (1, None, payload(own))
    assert (last.replays, last.symbols, last.predecessors) == (3, ("NQM4",), (BEFORE,))
    assert (last.partial, last.last, last.contents) == ("cut", False, own.contents)
    assert request.symbols == ("ESM4",)


def test_requests_stay_apart() -> None:
    """As many as the job had, in their order."""
    one, other = completed(1), completed(2)
    later = replace(other, asked=replace(other.asked, request_id=0, symbols=("ESM4", "NQM4")))
    plan = plan_of(Origin("", "dbn-files", Priority.LOW, None, 0), one.claim.job_id,
                   [one, later], Priority.LOW)  # fmt: skip
    assert [each.symbols for each in plan.requests] == [("ESM4", "NQM4"), ("ESM4",)]
    assert plan.requests[0].chunks[0].symbols == ("ESM4",)
    assert plan.name == f"replay of {str(one.claim.job_id)[:8]}"
