"""A job of completed chunks, planned anew from what they loaded: nothing is asked or bought."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol
from uuid import UUID

from ingestor.errors import BadJob, PayloadMissing
from ingestor.job import ChunkPlan, JobPlan, PayloadRef, RequestPlan
from ingestor.replay.recut import Recut, recut
from ingestor.sources.installed import Sources
from ingestor.store import replays
from ingestor.store.database import Database
from ingestor.store.replays import Asked, Completed, Origin
from ingestor.vocabulary import Dataset, Priority, Schema


class Payloads(Protocol):
    """The vault, as far as a plan looks into it."""

    def has(self, ref: PayloadRef) -> bool: ...


@dataclass(frozen=True, slots=True)
class Gone:
    """A completed chunk that cannot be loaded again.

    Attributes:
        refs: Those of its payloads that are not where they were.
    """

    chunk_id: int
    refs: tuple[PayloadRef, ...]


@dataclass(frozen=True, slots=True)
class Replay:
    """How a job is loaded again.

    Attributes:
        plan: A chunk for each completed one whose payload is there; for those of a payload that
            another mapping cut into slices, one.
        gone: The completed chunks that are left out.
    """

    plan: JobPlan
    gone: tuple[Gone, ...]


async def plan_replay(
    database: Database,
    job_id: UUID,
    vault: Payloads,
    sources: Sources,
    *,
    priority: Priority | None = None,
) -> Replay:
    """The job that loads this one again from its payloads, by the rules of the day.

    Each time it is another job: what replays there are by then is part of its key, so that two
    commands at once make one.

    Raises:
        BadJob: It stores quarantined records, or none of its chunks has completed.
        PayloadMissing: None of its payloads is there any more.
        CorruptPayload: One that must be cut anew is damaged, or unlike today's mapping.
    """
    origin = await replays.origin(database, job_id)
    _refuse_releases(origin, job_id)
    found = await replays.completed(database, job_id)
    if not found:
        raise BadJob(
            f"job {_called(origin, job_id)} has no completed chunk; only those are loaded again",
            hint=f"hdi status {str(job_id)[:8]} says how it stands",
        )
    gone = tuple(missing(found, vault))
    absent = {each.chunk_id for each in gone}
    kept = [each for each in found if each.claim.chunk_id not in absent]
    if not kept:
        raise PayloadMissing(
            f"none of the {len(found):,} payloads of job {_called(origin, job_id)} is there any "
            f"more; {gone[0].refs[0].uri} is one",
            hint="look whether something cleans up; only `hdi-submit --force` fetches them again",
        )
    anew = await asyncio.to_thread(recut, kept, sources.named(origin.source))
    return Replay(plan_of(origin, job_id, kept, priority or origin.priority, anew), gone)


def missing(found: Sequence[Completed], vault: Payloads) -> Iterable[Gone]:
    """The chunks of which a payload is gone; each payload is looked for once."""
    there: dict[PayloadRef, bool] = {}
    for each in found:
        refs = _refs(each)
        for ref in refs:
            if ref not in there:
                there[ref] = vault.has(ref)
        if absent := tuple(ref for ref in refs if not there[ref]):
            yield Gone(each.claim.chunk_id, absent)


def _refs(each: Completed) -> tuple[PayloadRef, ...]:
    assert each.claim.payload is not None, "a completed chunk has a payload"
    return (each.claim.payload, *each.claim.predecessors)


def _refuse_releases(origin: Origin, job_id: UUID) -> None:
    if origin.released_of is None:
        return
    raise BadJob(
        f"job {_called(origin, job_id)} stores quarantined records of job "
        f"{str(origin.released_of)[:8]}; it has no payload of its own to load again",
        hint=f"hdi replay {str(origin.released_of)[:8]} loads the payload that they came from",
    )


def plan_of(
    origin: Origin,
    job_id: UUID,
    found: Sequence[Completed],
    priority: Priority,
    anew: Recut = MappingProxyType({}),
) -> JobPlan:
    """The job that loads these chunks again."""
    return JobPlan(
        key=f"replay:{job_id}:{origin.replays + 1}",
        name=f"replay of {_called(origin, job_id)}",
        source=origin.source,
        priority=priority,
        spec={"replay_of": str(job_id), "chunks": len(found)},
        requests=tuple(_requests(found, anew)),
    )


def _called(origin: Origin, job_id: UUID) -> str:
    return origin.name or str(job_id)[:8]


def _requests(found: Sequence[Completed], anew: Recut) -> Iterable[RequestPlan]:
    """The job's own requests, in their order, with the chunks that are loaded again."""
    by_request: dict[int, list[Completed]] = {}
    for each in found:
        by_request.setdefault(each.asked.request_id, []).append(each)
    for _, chunks in sorted(by_request.items()):
        first = chunks[0]
        yield RequestPlan(
            Dataset(first.claim.dataset), Schema(first.claim.schema), first.claim.stype_in,
            first.asked.symbols, first.asked.start, first.asked.end,
            tuple(_chunks(chunks, first.asked, anew)),
        )  # fmt: skip


def _chunks(found: Sequence[Completed], asked: Asked, anew: Recut) -> Iterable[ChunkPlan]:
    for each in found:
        chunk_id = each.claim.chunk_id
        if chunk_id not in anew:
            yield _chunk(each, asked)
        elif (whole := anew[chunk_id]) is not None:
            yield whole


def _chunk(each: Completed, asked: Asked) -> ChunkPlan:
    claim = each.claim
    return ChunkPlan(
        claim.start,
        claim.end,
        payload=claim.payload,
        contents=each.contents,
        symbols=None if claim.symbols == asked.symbols else claim.symbols,
        predecessors=claim.predecessors,
        partial=claim.partial,
        last=claim.last_slice,
        replays=claim.chunk_id,
        cut_by=claim.cut_by,
    )


def told(gone: Iterable[Gone]) -> Mapping[int, str]:
    """Chunk → a line for people on what of it is gone."""
    return {
        each.chunk_id: f"chunk {each.chunk_id} is left out: "
        f"{' and '.join(ref.uri for ref in each.refs)} is not there any more"
        for each in gone
    }
