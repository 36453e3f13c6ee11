"""Rules that could not be decided when records came, decided by what the database knows by now.

The records are stored: nothing is taken out, whatever the severity. What breaks a rule is counted
and listed as flagged. Counts of a load and of now are of the same thing only by the same mapping
and rules: chunks that were loaded by others are told, and left as they are.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Final
from uuid import UUID

import numpy as np

from ingestor.criteria import Criteria, numbered, numbering_for
from ingestor.errors import CorruptPayload, PayloadMissing
from ingestor.model.frame import Frame
from ingestor.model.references import Facts
from ingestor.replay.contents import contents_of
from ingestor.replay.flags import Found
from ingestor.replay.retrial import Retrial
from ingestor.store import rechecks
from ingestor.store.judged_by import JudgedBy, judged_by
from ingestor.store.rechecks import Recheck, Undecided
from ingestor.store.references import read_references
from ingestor.store.replays import completed_chunk

if TYPE_CHECKING:
    import numpy.typing as npt

    from ingestor.job import Claim
    from ingestor.settings import Settings
    from ingestor.sources.installed import Sources
    from ingestor.sources.source import Payload, Source
    from ingestor.store.database import Database
    from ingestor.validate import CompiledRule, Rulebook

Show = Callable[[int, int], None]
"""Told of chunks that were asked, and of those there are."""

_MOST: Final = 50_000
"""Quarantined records that are read at a time."""


@dataclass(slots=True)
class Decided:
    """What asking again has found of one rule.

    Attributes:
        broken: Stored records that break it, those that were known to included.
        fine: Records that were undecided, and do not.
        undecided: Records that are it still.
    """

    broken: int = 0
    fine: int = 0
    undecided: int = 0


@dataclass(frozen=True, slots=True)
class Unasked:
    """A chunk, or one rule of it, that was not decided, and why; `rule` is empty for all."""

    chunk_id: int
    rule: str
    reason: str


@dataclass(slots=True)
class Rechecked:
    """What became of everything that was undecided.

    Attributes:
        chunks: With undecided rules; `asked` of them could be asked again.
        outdated: Job → chunks that were loaded by another mapping or other rules than today's: a
            replay of that job decides them.
    """

    chunks: int = 0
    asked: int = 0
    rules: dict[str, Decided] = field(default_factory=dict)
    unasked: list[Unasked] = field(default_factory=list)
    outdated: Counter[UUID] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Case:
    """One chunk and its undecided rules."""

    chunk_id: int
    undecided: tuple[Undecided, ...]
    by: JudgedBy

    def is_outdated(self, today: Criteria) -> bool:
        """Whether it was loaded by other files than today's."""
        known = (self.by.mapping_hash, self.by.rules_hash)
        return known != (today.mapping.digest, today.rulebook.digest)

    @property
    def released_of(self) -> int | None:
        return self.undecided[0].released_of


@dataclass(slots=True)
class Rechecker:
    """One command's work: what it asks with, and what it has found so far."""

    database: Database
    settings: Settings
    sources: Sources
    made: Rechecked = field(default_factory=Rechecked)

    async def recheck(self, job_id: UUID | None, show: Show) -> Rechecked:
        """Asks again about every rule and chunk of a job, or of all, that is undecided.

        Done twice it does nothing more, unless more is known by then.

        Raises:
            BadRules: A mapping or validation file is missing or wrong.
            PayloadMissing: No payload of any of the chunks is there any more.
        """
        cases = await self._cases(job_id)
        self.made.chunks = len(cases)
        for place, case in enumerate(cases):
            show(place, len(cases))
            await self._ask(case)
        show(len(cases), len(cases))
        self._require_some()
        return self.made

    async def _cases(self, job_id: UUID | None) -> list[_Case]:
        found = await rechecks.undecided(self.database, job_id)
        own = {chunk_id: tuple(some)
               for chunk_id, some in groupby(found, lambda each: each.chunk_id)}  # fmt: skip
        by = await judged_by(self.database, job_id, own)
        return [_Case(each.chunk_id, own[each.chunk_id], each) for each in by]

    async def _ask(self, case: _Case) -> None:
        try:
            if case.released_of is None:
                asked = await self._ask_payload(case)
            else:
                asked = await self._ask_released(case, case.released_of)
        except (PayloadMissing, CorruptPayload) as error:
            self.made.unasked.append(Unasked(case.chunk_id, "", error.message))
        else:
            self.made.asked += asked

    def _require_some(self) -> None:
        lost = [each for each in self.made.unasked if not each.rule]
        if lost and len(lost) == self.made.chunks:
            raise PayloadMissing(
                f"none of {self.made.chunks:,} payloads can be read; {lost[0].reason}",
                hint="check that HDI_VAULT_URL is that of the workers",
            )

    async def _ask_payload(self, case: _Case) -> bool:
        """A chunk that loaded a payload: all of it is read again; False where it is outdated."""
        claim = await completed_chunk(self.database, case.chunk_id)
        origin = self.sources.named(claim.source)
        criteria = Criteria.of(self.settings.config_dir, origin, claim)
        if case.is_outdated(criteria):
            self.made.outdated[case.by.job_id] += 1
            return False
        rules = _rules(case, criteria.rulebook)
        payload = await asyncio.to_thread(origin.fetch, claim)
        needs = _needs(rules.values(), criteria.rulebook)
        values = await read_references(
            self.database, claim.dataset, payload.contents, payload.symbology, needs
        )
        refused = await rechecks.refused_positions(self.database, case.chunk_id)
        frames = _stored(origin, payload, claim, criteria, self._batch, refused)
        facts = Facts(claim.dataset, values)
        found = await asyncio.to_thread(self._found, rules, frames, facts)
        await self._record(case, criteria.rulebook, found)
        return True

    async def _ask_released(self, case: _Case, origin_chunk: int) -> bool:
        """A chunk that stored quarantined records: those are in quarantine still."""
        retrial = await Retrial.of(self.database, self.settings, self.sources, origin_chunk)
        if case.is_outdated(retrial.criteria):
            self.made.outdated[retrial.origin.job_id] += 1  # it is what a replay loads again
            return False
        rulebook = retrial.criteria.rulebook
        rules = _rules(case, rulebook)
        found = {rule: Found(each.rule, self._kept) for rule, each in rules.items()}
        async for frames in self._released(retrial, case.chunk_id):
            values = await read_references(
                self.database, retrial.origin.dataset, contents_of(frames), (),
                _needs(rules.values(), rulebook),
            )  # fmt: skip
            facts = Facts(retrial.origin.dataset, values)
            await asyncio.to_thread(_search, rules, frames, facts, found)
        await self._record(case, rulebook, found)
        return True

    async def _released(self, retrial: Retrial, chunk_id: int) -> AsyncIterator[list[Frame]]:
        ids = await rechecks.released_ids(self.database, chunk_id)
        for place in range(0, len(ids), _MOST):
            judgement = await retrial.judge(self.database, ids[place : place + _MOST])
            yield [frame for each in judgement.verdicts
                   for frame in (each.accepted, each.rejected.frame)]  # fmt: skip

    @property
    def _batch(self) -> int:
        return self.settings.store.batch_records

    @property
    def _kept(self) -> int:
        return self.settings.store.flags_kept

    def _found(
        self, rules: Mapping[str, CompiledRule], frames: Iterable[Frame], facts: Facts
    ) -> dict[str, Found]:
        found = {rule: Found(each.rule, self._kept) for rule, each in rules.items()}
        _search(rules, frames, facts, found)
        return found

    async def _record(self, case: _Case, rulebook: Rulebook, found: Mapping[str, Found]) -> None:
        for each in case.undecided:
            await self._settle(each, found[each.rule], rulebook.digest)

    async def _settle(self, each: Undecided, found: Found, rules_hash: str) -> None:
        """Records what holds now; nothing where that is known."""
        decided = max(each.records - found.undecided, 0)
        # Where definitions changed, records that were decided may be decided otherwise by now.
        fine = decided - min(max(found.broken - each.broken, 0), decided)
        if (found.broken, found.undecided) != (each.broken, each.records) and not (
            await rechecks.record(
                self.database,
                Recheck(
                    of=each,
                    rules_hash=rules_hash,
                    broken=found.broken,
                    fine=each.fine + fine,
                    undecided=found.undecided,
                    field=found.rule.columns[0],
                    reason=found.rule.reason,
                    flags=found.flags,
                ),
                flags_kept=self._kept,
            )
        ):
            reason = "another recheck was faster"
            self.made.unasked.append(Unasked(each.chunk_id, each.rule, reason))
            return
        total = self.made.rules.setdefault(each.rule, Decided())
        total.broken += found.broken
        total.fine += fine
        total.undecided += found.undecided


def _rules(case: _Case, rulebook: Rulebook) -> dict[str, CompiledRule]:
    """Those that are undecided; the rulebook is the one that left them so."""
    wanted = {each.rule for each in case.undecided}
    return {each.rule.id: each for each in rulebook.rules if each.rule.id in wanted}


def _needs(rules: Collection[CompiledRule], rulebook: Rulebook) -> frozenset[str]:
    return frozenset(name for each in rules for name in each.needs(rulebook.table))


def _search(
    rules: Mapping[str, CompiledRule],
    frames: Iterable[Frame],
    facts: Facts,
    found: Mapping[str, Found],
) -> None:
    for frame in frames:
        for rule, each in rules.items():
            found[rule].add(frame, each.find(frame, facts))


def _stored(
    origin: Source,
    payload: Payload,
    claim: Claim,
    criteria: Criteria,
    count: int,
    refused: npt.NDArray[np.uint64],
) -> Iterator[Frame]:
    """Frames of the records that the chunk stored, numbered among all that were delivered."""
    mapping = criteria.mapping
    numbering = numbering_for(origin, payload, claim, mapping)()
    for frame in numbered(origin, payload, claim, mapping, numbering, count):
        yield frame.take(~np.isin(frame.position, refused)) if len(refused) else frame
