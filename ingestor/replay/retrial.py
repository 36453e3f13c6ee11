"""Quarantined records of one chunk, made and judged by today's mapping and rules."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Self

import numpy as np

from ingestor.criteria import Criteria
from ingestor.errors import CorruptPayload
from ingestor.model.frame import Frame
from ingestor.model.references import Facts
from ingestor.replay.contents import contents_of
from ingestor.store import refused
from ingestor.store.references import read_references
from ingestor.validate import judge

if TYPE_CHECKING:
    from ingestor.model.verdict import Judged, Verdict
    from ingestor.settings import Settings
    from ingestor.sources.installed import Sources
    from ingestor.sources.source import Source
    from ingestor.store.database import Database
    from ingestor.store.refused import Origin, Raw


class Why(StrEnum):
    """Why a record stays in quarantine."""

    RULE = "rule"
    """A rule of a validation file refuses it."""
    TABLE = "table"
    """No row can hold it, whatever the rules are."""
    UNPLACED = "unplaced"
    """Its place among records of its key was not kept."""
    UNREADABLE = "unreadable"
    """Its bytes are no record of its schema."""


Staying = Counter[tuple[str, Why]]
"""(rule, why) → records that stay in quarantine.

The rule is today's; of UNPLACED that which was broken then; empty of UNREADABLE.
"""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What today's rules say of some records of one chunk.

    Attributes:
        verdicts: With their records; one for each layout among them.
        passing: Ids of the accepted ones, ascending.
        staying: The others.
    """

    verdicts: tuple[Verdict, ...]
    passing: tuple[int, ...]
    staying: Staying

    @property
    def unplaced(self) -> bool:
        """Whether the place of some was not kept."""
        return any(why is Why.UNPLACED for _, why in self.staying)


@dataclass(frozen=True, slots=True)
class Retrial:
    """A chunk that refused records, and what they are judged by now.

    Attributes:
        criteria: Without reference values; those are read for each judgement.
    """

    origin: Origin
    source: Source
    criteria: Criteria

    @classmethod
    async def of(
        cls, database: Database, settings: Settings, sources: Sources, chunk_id: int
    ) -> Self:
        """Of the records that a chunk refused.

        Raises:
            BadRules: A mapping or validation file is missing or wrong.
            BadJob: The source that delivered them is not installed.
        """
        of = await refused.origin(database, chunk_id)
        source = sources.named(of.source)
        claim = of.claim(chunk_id, 0, of.job_id, records=None)
        return cls(of, source, Criteria.of(settings.config_dir, source, claim))

    async def judge(self, database: Database, ids: Sequence[int]) -> Judgement:
        """Judges those of the records that are in quarantine; nothing is written."""
        found = await refused.raw(database, ids)
        known = {each.position: each.id for each in found}
        staying: Staying = Counter()
        frames = await asyncio.to_thread(self._frames, found, staying)
        facts = await self._facts(database, frames)
        verdicts = await asyncio.to_thread(self._verdicts, frames, facts)
        for verdict in verdicts:
            staying.update(_refusals(verdict.rejected))
        accepted = (at for verdict in verdicts for at in verdict.accepted.position.tolist())
        return Judgement(verdicts, tuple(sorted(known[at] for at in accepted)), staying)

    async def _facts(self, database: Database, frames: Sequence[Frame]) -> Facts:
        needs = self.criteria.rulebook.needs
        if not needs:
            return self.criteria.facts
        # What the payload itself said of symbols was stored when its chunk was loaded.
        values = await read_references(
            database, self.origin.dataset, contents_of(frames), (), needs
        )
        return replace(self.criteria.facts, references=values)

    def _verdicts(self, frames: Iterable[Frame], facts: Facts) -> tuple[Verdict, ...]:
        return tuple(judge(frame, self.criteria.rulebook, facts) for frame in frames)

    def _frames(self, found: Sequence[Raw], staying: Staying) -> list[Frame]:
        placed = [each for each in found if each.ordinal is not None]
        staying.update((each.rule, Why.UNPLACED) for each in found if each.ordinal is None)
        readable = self._readable(placed)
        staying["", Why.UNREADABLE] += len(placed) - len(readable)
        return list(self._spelled(readable))

    def _readable(self, found: Sequence[Raw]) -> Sequence[Raw]:
        """All of them, unless some are no records: then those that are."""
        try:
            list(self._decoded(found))
        except CorruptPayload:
            return [each for each in found if self._is_record(each)]
        return found

    def _is_record(self, each: Raw) -> bool:
        try:
            return bool(list(self._decoded([each])))
        except CorruptPayload:
            return False

    def _decoded(self, found: Sequence[Raw]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        return self.source.decode([each.raw for each in found], self.origin.schema)

    def _spelled(self, found: Sequence[Raw]) -> Iterator[Frame]:
        position = np.array([each.position for each in found], np.uint64)
        ordinal = np.array([each.ordinal for each in found], np.int16)
        mapping = self.criteria.mapping
        for places, records in self._decoded(found):
            made = mapping.spell(records)
            yield Frame(
                mapping.table, made.columns, records, position[places], ordinal[places], made.unread
            )


def _refusals(rejected: Judged) -> Staying:
    counts = rejected.counts
    why = {rule.id: Why.TABLE if rule.of_table else Why.RULE for rule in rejected.rules}
    return Counter({(rule, why[rule]): records for rule, records in counts.items()})
