"""The rooms before the load, one after another in one thread, with a clock on each."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from payloads import claim_of

from ingestor.criteria import Criteria
from ingestor.job import JobPlan
from ingestor.model.frame import Frame
from ingestor.origins import open_sources
from ingestor.settings import Settings
from ingestor.store.binary_copy import encode
from ingestor.transform import numbering_of
from ingestor.validate import judge


@dataclass(slots=True)
class Clock:
    """Seconds per room, summed over all batches."""

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @contextmanager
    def __call__(self, room: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[room] += time.perf_counter() - started


def encoded(job: JobPlan, settings: Settings, clock: Clock) -> Iterator[memoryview]:
    """The rows of the only chunk of an ordered payload as bytes of a binary COPY."""
    origin, claim = open_sources(settings).named(job.source), claim_of(job)
    criteria = Criteria.of(settings.config_dir, origin, claim)
    mapping = criteria.mapping
    with clock("check pass"):
        payload = origin.fetch(claim)
    numbering = numbering_of(mapping.table, ordered=True, before=None)
    batches = origin.batches(payload, claim, settings.store.batch_records)
    while True:
        with clock("decode"):
            batch = next(batches, None)
        if batch is None:
            return
        records, position = batch
        with clock("transform"):
            columns = mapping.columns(records)
        with clock("ordinals"):
            ordinals = numbering.ordinals(columns, position)
        with clock("validate"):
            frame = Frame(mapping.table, columns, records, position, ordinals)
            verdict = judge(frame, criteria.rulebook, criteria.facts)
        assert not len(verdict.rejected)
        with clock("encode"):
            rows = encode(verdict.accepted, chunk_id=claim.chunk_id)
        yield rows
