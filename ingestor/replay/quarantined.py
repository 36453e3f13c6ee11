"""`hdi quarantine replay`: quarantined records that pass today's rules become rows, once.

Everything is judged first, without writing. What passes is stored by release chunks, which this
process claims as it makes them: the ledger sees them under way from their first moment, so that no
worker takes them, and whoever dies leaves chunks that fail by name and records that still wait.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestor.days import DaySet
from ingestor.errors import DatabaseUnavailable, IngestError, LeaseLost
from ingestor.lease import leased
from ingestor.logs import get_logger
from ingestor.model.verdict import Judged, Verdict
from ingestor.replay.contents import contents_of
from ingestor.replay.outcome import Released, Replayed
from ingestor.replay.retrial import Judgement, Retrial, Staying
from ingestor.store import ledger, refused, steering
from ingestor.store.binary_copy import encode
from ingestor.store.feed import Batch, Progress
from ingestor.store.key_space import RemovalLimits
from ingestor.store.load import Load
from ingestor.store.loader import load
from ingestor.store.tuning import Tuning

if TYPE_CHECKING:
    from uuid import UUID

    from ingestor.job import Claim
    from ingestor.receipt import Receipt
    from ingestor.settings import Settings
    from ingestor.sources.installed import Sources
    from ingestor.sources.source import Source
    from ingestor.store.database import Database
    from ingestor.store.quarantine import Spool

log = get_logger(__name__)

NAME: Final = "quarantine replay"
# Of one transaction: bounds its memory, and how long it has the days of a table for itself.
_MOST: Final = 50_000


@dataclass(frozen=True, slots=True)
class _Part:
    """Records of one chunk that one transaction is to store."""

    retrial: Retrial
    ids: tuple[int, ...]
    staying: int


@dataclass(slots=True)
class Release:
    """One command's work: what it judges with, and what it has done so far.

    Attributes:
        worker: What this process is called in leases and sessions.
        takes_back: Whether discarded records that pass are stored as well.
        told: Called with each release chunk that has completed.
    """

    database: Database
    settings: Settings
    sources: Sources
    worker: str
    takes_back: bool = False
    told: Callable[[Released], None] = lambda done: None
    elsewhere: int = 0
    unplaced: set[UUID] = field(default_factory=set)

    async def replay(self, chosen: Sequence[int]) -> Replayed:
        """Stores those of the records that pass; the others stay as they are.

        Raises:
            BadRules: A mapping or validation file is missing or wrong; nothing was written.
            IngestError: A transaction failed. What `told` was told of is stored, nothing else.
        """
        staying: Staying = Counter()
        parts = [part async for part in self._parts(chosen, staying)]
        passing = sum(len(part.ids) for part in parts)
        self.elsewhere = len(chosen) - passing - staying.total()
        parts.sort(key=lambda part: part.retrial.origin.source)
        released: list[Released] = []
        for _, own in groupby(parts, key=lambda part: part.retrial.origin.source):
            released += await self._job(list(own), staying)
        return Replayed(
            len(chosen), tuple(released), +staying, self.elsewhere, tuple(sorted(self.unplaced))
        )

    async def _parts(self, chosen: Sequence[int], staying: Staying) -> AsyncIterator[_Part]:
        """Judges everything: parts with records that pass. Adds those that do not to `staying`."""
        found = await refused.by_chunk(self.database, chosen, discarded=self.takes_back)
        for chunk_id, ids in found.items():
            retrial = await Retrial.of(self.database, self.settings, self.sources, chunk_id)
            for place in range(0, len(ids), _MOST):
                judgement = await retrial.judge(self.database, ids[place : place + _MOST])
                staying.update(judgement.staying)
                if judgement.unplaced:
                    self.unplaced.add(retrial.origin.job_id)
                if judgement.passing:
                    yield _Part(retrial, judgement.passing, judgement.staying.total())

    async def _job(self, parts: Sequence[_Part], staying: Staying) -> list[Released]:
        """A job of one source, done here and now."""
        if self.takes_back:
            await refused.take_back(self.database, [each for part in parts for each in part.ids])
        spec = {"quarantine_replay": sum(len(part.ids) for part in parts)}
        claims = await refused.open_releases(
            self.database, [(part.retrial.origin, len(part.ids)) for part in parts], name=NAME,
            spec=spec, worker=self.worker, lease_s=self.settings.lease.duration_s,
        )  # fmt: skip
        waiting = deque(zip(claims, parts, strict=True))
        released: list[Released] = []
        claim = claims[0]
        try:
            async with self._waiting(waiting):
                while waiting:
                    claim, part = waiting.popleft()
                    released += await self._chunk(claim, part, staying)
        except BaseException as error:
            # Where the database is away, the scheduler ends them, once their leases have run out.
            with suppress(DatabaseUnavailable):
                await asyncio.shield(self._end(claim, error))
            raise
        await ledger.end_job(self.database, claim.job_id)
        return released

    async def _chunk(self, claim: Claim, part: _Part, staying: Staying) -> list[Released]:
        """Stores a part; nothing where nothing of it is left to store.

        Another command may have resolved some of it meanwhile: then what is left is tried.
        """
        ids: Sequence[int] = part.ids
        while (judgement := await part.retrial.judge(self.database, ids)).passing:
            try:
                receipt = await self._stored(claim, part, judgement)
            except LeaseLost:
                left = await self._left(claim, ids)
                if len(left) == len(ids):
                    raise
                self.elsewhere += len(ids) - len(left)
                ids = left
                continue
            staying.update(judgement.staying)
            done = Released(claim.chunk_id, claim.job_id, part.retrial.origin.chunk_id, receipt)
            self.told(done)
            return [done]
        staying.update(judgement.staying)
        why = "nothing of it was left to store: the records were resolved, or refused, meanwhile"
        await ledger.withdraw(self.database, claim, code="NothingLeft", text=why)
        return []

    async def _left(self, claim: Claim, ids: Sequence[int]) -> Sequence[int]:
        """Those of the records that still wait."""
        assert claim.replays is not None
        return (await refused.by_chunk(self.database, ids)).get(claim.replays, [])

    async def _stored(self, claim: Claim, part: _Part, judgement: Judgement) -> Receipt:
        """The load transaction, with the lease renewed meanwhile."""
        progress = Progress()
        made = self._load(claim, part, judgement, progress)
        return await leased(
            self.database, claim, self.settings, progress, load(self.database, made)
        )

    def _load(self, claim: Claim, part: _Part, judgement: Judgement, progress: Progress) -> Load:
        retrial, store = part.retrial, self.settings.store
        mapping, verdicts = retrial.criteria.mapping, judgement.verdicts
        return Load(
            claim=claim,
            table=mapping.table,
            payload=retrial.origin.payload,
            realm=retrial.origin.realm,
            contents=contents_of([verdict.accepted for verdict in verdicts]),
            rooms=lambda spool: _batches(verdicts, claim, retrial.source, spool),
            intervals=(),
            partial=claim.partial,
            covered_days=DaySet(),
            covered_symbols=(),
            proven=False,
            unresolved=(),
            silent=frozenset().union(
                *(mapping.silent(verdict.accepted.raw.dtype) for verdict in verdicts)
            ),
            nameless=(),
            own_ids=False,
            removal_limits=RemovalLimits(store.max_removal_share, store.max_removal_rows),
            data_source=retrial.source.mapping_folder(claim.dataset),
            mapping_hash=mapping.digest,
            rules_hash=retrial.criteria.rulebook.digest,
            flags_kept=store.flags_kept,
            releases=judgement.passing,
            still_quarantined=part.staying + judgement.staying.total(),
            worker=self.worker,
            merge_lock_timeout_s=self.settings.database.merge_lock_timeout_s,
            tuning=Tuning.of(store),
            progress=progress,
        )

    @asynccontextmanager
    async def _waiting(self, waiting: Collection[tuple[Claim, Any]]) -> AsyncIterator[None]:
        """Renews the leases of chunks whose turn has not come."""
        beat = asyncio.create_task(self._renew(waiting))
        try:
            yield
        finally:
            beat.cancel()
            await asyncio.gather(beat, return_exceptions=True)

    async def _renew(self, waiting: Collection[tuple[Claim, Any]]) -> None:
        lease = self.settings.lease
        while True:
            await asyncio.sleep(lease.heartbeat_s)
            claims = [claim for claim, _ in waiting]
            try:
                await refused.renew(self.database, claims, lease_s=lease.duration_s)
            except IngestError as error:
                log.warning("leases not renewed", reason=error.message)

    async def _end(self, claim: Claim, error: BaseException) -> None:
        """Ends a job that was interrupted or failed: its open chunks store nothing."""
        await refused.end_session(self.database, claim)
        if isinstance(error, IngestError) and not isinstance(error, LeaseLost):
            await ledger.fail(self.database, claim, code=error.code, text=error.message)
        await steering.cancel(self.database, claim.job_id)


def _batches(
    verdicts: Iterable[Verdict], claim: Claim, source: Source, spool: Spool
) -> Iterator[Batch]:
    """What is accepted, encoded, with its flags put aside; the rest is in quarantine already."""
    for verdict in verdicts:
        spool.add(replace(verdict, rejected=_nobody(verdict)), source.raw)
        count = len(verdict.accepted)
        yield Batch(encode(verdict.accepted, chunk_id=claim.chunk_id), count, count)


def _nobody(verdict: Verdict) -> Judged:
    none = np.empty(0, np.intp)
    return Judged(verdict.accepted.take(none), none, ())
