"""What other mappings and rules would do to payloads that are stored; nothing is written.

Both configurations go through the rooms of a load, a batch at a time, side by side.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from ingestor.criteria import Criteria, judged, numbering_for
from ingestor.errors import (
    BadRules,
    CorruptPayload,
    IngestError,
    PayloadMissing,
    RejectionLimit,
    Unstorable,
)
from ingestor.model.references import Facts
from ingestor.replay.comparison import in_step
from ingestor.replay.tally import Tally
from ingestor.store.references import read_references
from ingestor.store.replays import completed_claims

if TYPE_CHECKING:
    from ingestor.job import Claim
    from ingestor.model.verdict import Verdict
    from ingestor.replay.configuration import Configuration
    from ingestor.sources.source import Payload
    from ingestor.store.database import Database
    from ingestor.validate import Limit

Show = Callable[[int, int], None]
"""Told of records that were compared, and of those there are."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A completed chunk that cannot be compared, and why."""

    chunk_id: int
    payload: str
    reason: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """A chunk that would fail: too much of it is refused, or it cannot be loaded.

    Attributes:
        side: ``old`` or ``new``.
    """

    chunk_id: int
    side: str
    reason: str


class _Unloadable(Exception):
    """The payload, read by the new mapping, is none that the chunk could load."""

    def __init__(self, why: CorruptPayload) -> None:
        super().__init__(why.message)
        self.why = why


@dataclass(slots=True)
class Rehearsal:
    """What came of it.

    Attributes:
        chunks: Completed chunks with records; `compared` of them were compared.
    """

    tally: Tally
    chunks: int = 0
    compared: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    stopped: list[Stopped] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Side:
    """One configuration, ready for one payload."""

    configuration: Configuration
    claim: Claim
    payload: Payload
    criteria: Criteria

    def verdicts(self, stopped: list[Stopped]) -> Iterator[Verdict]:
        """As a load would judge the payload; where that would stop, this goes on and says so."""
        origin, payload, claim = self.configuration.origin(self.claim), self.payload, self.claim
        limit: Limit | None = self.criteria.rulebook.limit(claim.schema, payload.contents.records)
        try:
            numbering = numbering_for(origin, payload, claim, self.criteria.mapping)()
            batch = self.configuration.batch
            for verdict in judged(origin, payload, claim, self.criteria, numbering, batch):
                if limit is not None and (error := _beyond(limit, verdict)) is not None:
                    stopped.append(self._stopped(error))
                    limit = None
                yield verdict
        except Unstorable as error:
            stopped.append(self._stopped(error))

    def _stopped(self, error: IngestError) -> Stopped:
        return Stopped(self.claim.chunk_id, self.configuration.name, error.message)


def _beyond(limit: Limit, verdict: Verdict) -> RejectionLimit | None:
    """Why a load would stop here; None where it would not."""
    try:
        limit.note(verdict)
    except RejectionLimit as error:
        return error
    return None


async def rehearse(
    database: Database,
    old: Configuration,
    new: Configuration,
    job_id: UUID | None,
    *,
    examples: int,
    show: Show,
) -> Rehearsal:
    """Compares two configurations over the payloads of a job, or of every completed chunk.

    Args:
        database: A reader's login is enough.
        examples: Records kept per change and rule, or column.

    Raises:
        BadRules: A file of either configuration is wrong, or does not fit a payload; or for every
            payload one of them has no mapping.
        PayloadMissing: None of the payloads can be read.
    """
    found = [each for each in await completed_claims(database, job_id) if each.expected]
    # By either configuration the slices are those that were stored, whatever mapping cut them.
    uncut = [replace(each, cut_by="") for each in found]
    made = Rehearsal(Tally(examples), chunks=len(uncut))
    claims = _mapped(old, new, uncut, made)
    _check_files(old, new, claims)
    total = sum(each.expected or 0 for each in claims)
    done = 0
    for claim in claims:
        show(done, total)
        try:
            await _compare(database, old, new, claim, made, partial(_moved, show, done, total))
        except (PayloadMissing, CorruptPayload) as error:
            made.skipped.append(_skipped(claim, error.message))
        done += claim.expected or 0
    show(done, total)
    _require_some(made)
    return made


def _mapped(
    old: Configuration, new: Configuration, claims: Sequence[Claim], made: Rehearsal
) -> list[Claim]:
    """Those that both have a mapping for; the others are left out.

    Raises:
        BadRules: There are others only.
    """
    both: list[Claim] = []
    for claim in claims:
        lacking = old.lacks(claim) or new.lacks(claim)
        if lacking is None:
            both.append(claim)
        else:
            made.skipped.append(_skipped(claim, f"mapping file {lacking} is missing"))
    if claims and not both:
        raise BadRules(
            f"none of {len(claims):,} payloads can be compared: {made.skipped[0].reason}",
            hint="name folders that have what configs/ has",
        )
    return both


def _skipped(claim: Claim, reason: str) -> Skipped:
    assert claim.payload is not None, "a completed chunk has a payload"
    return Skipped(claim.chunk_id, claim.payload.uri, reason)


def _check_files(old: Configuration, new: Configuration, claims: Sequence[Claim]) -> None:
    """Whether every file that is needed is sound: told before an hour of reading."""
    kinds = {(each.source, each.dataset, each.schema): each for each in claims}
    for claim in kinds.values():
        old.criteria(claim)
        new.criteria(claim)


def _require_some(made: Rehearsal) -> None:
    if made.skipped and len(made.skipped) == made.chunks:
        raise PayloadMissing(
            f"none of {made.chunks:,} payloads can be read; {made.skipped[-1].reason}",
            hint="check that HDI_VAULT_URL is that of the workers, and that folders of files are "
            "there under the same path",
        )


def _moved(show: Show, before: int, total: int, records: int) -> None:
    show(before + records, total)


async def _compare(
    database: Database,
    old: Configuration,
    new: Configuration,
    claim: Claim,
    made: Rehearsal,
    told: Callable[[int], None],
) -> None:
    """One payload; what it holds is counted once all of it was read."""
    try:
        one, other = await _sides(database, old, new, claim)
    except _Unloadable as unlike:
        made.stopped.append(Stopped(claim.chunk_id, new.name, unlike.why.message))
        return
    tally, stopped = Tally(made.tally.examples_kept), list[Stopped]()
    await asyncio.to_thread(_walk, one, other, tally, stopped, told)
    made.tally.take_in(tally)
    made.stopped += stopped
    made.compared += 1


def _walk(
    old: _Side, new: _Side, tally: Tally, stopped: list[Stopped], told: Callable[[int], None]
) -> None:
    values = old.criteria.mapping.digest != new.criteria.mapping.digest
    for before, after in in_step(old.verdicts(stopped), new.verdicts(stopped)):
        tally.add(before, after, new.claim, new.payload, values=values)
        told(tally.records)


async def _sides(
    database: Database, old: Configuration, new: Configuration, claim: Claim
) -> tuple[_Side, _Side]:
    """Both configurations with the payload and what the database knows of its instruments."""
    before, after = old.criteria(claim), new.criteria(claim)
    payload = await asyncio.to_thread(old.origin(claim).fetch, claim)
    again = payload
    if before.mapping.digest != after.mapping.digest:  # sources of text read it by their mapping
        try:
            again = await asyncio.to_thread(new.origin(claim).fetch, claim)
        except CorruptPayload as error:
            raise _Unloadable(error) from error
    needs = before.rulebook.needs | after.rulebook.needs
    facts = await _facts(database, claim, payload, needs)
    known = facts if _same_instruments(payload, again) else await _facts(
        database, claim, again, needs
    )  # fmt: skip
    return (
        _Side(old, claim, payload, replace(before, facts=facts)),
        _Side(new, claim, again, replace(after, facts=known)),
    )


def _same_instruments(one: Payload, other: Payload) -> bool:
    """Whether two readings of a payload ask for the same reference values."""
    return (one.contents, one.symbology) == (other.contents, other.symbology)


async def _facts(
    database: Database, claim: Claim, payload: Payload, needs: frozenset[str]
) -> Facts:
    if not needs:
        return Facts(claim.dataset)
    found = await read_references(
        database, claim.dataset, payload.contents, payload.symbology, needs
    )
    return Facts(claim.dataset, found)
