"""Whether rows, quarantine, receipts and supersessions agree; nothing here writes.

Loads may go on meanwhile. The first look goes through everything in short transactions, so its
figures are of different moments. What does not add up then is looked at again in one snapshot, and
only what disagrees there is told.
"""

from __future__ import annotations

import time
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping
from contextlib import aclosing
from dataclasses import asdict, dataclass, field
from typing import Any, Final
from uuid import UUID

from ingestor.insights.differences import Difference, differences, unaccounted
from ingestor.store import recount
from ingestor.store.database import Connection, Database
from ingestor.store.recount import Account, Extent, Home, Span, Stretch, Stretches

KEPT: Final = 10_000
"""Differences that are kept to be shown; chunks beyond are counted."""

# Chunks of one second look: bounds its memory, and how long its snapshot keeps dead rows.
_BATCH: Final = 20_000

Show = Callable[[int, int], None]
"""Told how many hypertable chunks (or plain tables) are counted, and of how many."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What was counted, and what of it disagrees.

    Attributes:
        chunks: Completed ones, whose receipts were held against the tables.
        open_chunks: Those still to be loaded: nothing is expected of them.
        rows: Rows counted.
        quarantined: Quarantined records counted.
        wrong_chunks: Chunks with a difference.
        differences: In the order of chunk ids, the first `KEPT` of them.
    """

    job_id: UUID | None
    chunks: int
    open_chunks: int
    rows: int
    quarantined: int
    wrong_chunks: int
    differences: tuple[Difference, ...]
    elapsed_s: float

    @property
    def adds_up(self) -> bool:
        return not self.wrong_chunks

    def as_json(self) -> dict[str, Any]:
        told = {**asdict(self), "elapsed_s": round(self.elapsed_s, 3)}
        return {"schema_version": 1, "adds_up": self.adds_up, **told}


async def verify(
    database: Database, job_id: UUID | None = None, *, show: Show = lambda done, total: None
) -> Verification:
    """Recounts the rows of all chunks, or of one job's, and holds them against the ledger.

    Of a job only those hypertable chunks are read in which its rows belong; rows that carry its
    chunks' ids elsewhere are found by verifying everything.
    """
    started = time.monotonic()
    look = _Look(job_id, show)
    async with recount.reading(database) as connection:
        await look.first(connection)
    doubtful = look.doubtful()
    told: list[Difference] = []
    wrong = 0
    for place in range(0, len(doubtful), _BATCH):
        async with recount.snapshot(database) as connection:
            found = await look.again(connection, doubtful[place : place + _BATCH])
        wrong += len({each.chunk_id for each in found})
        told += found[: KEPT - len(told)]
    return Verification(
        job_id, look.chunks, look.open_chunks, look.rows, look.quarantined, wrong, tuple(told),
        time.monotonic() - started,
    )  # fmt: skip


@dataclass(slots=True)
class _Look:
    """What was counted so far, and what the first look leaves to the second.

    Attributes:
        rows_due: By chunk, rows expected and not found; below 0 where there were more.
        quarantined_due: The same of quarantined records.
        spans: By chunk, where its rows belong.
        muddled: Chunks whose receipt and supersessions do not agree among themselves, or that have
            rows where they do not belong.
        seen: Which chunks had rows in a stretch.
    """

    job_id: UUID | None
    show: Show
    chunks: int = 0
    open_chunks: int = 0
    rows: int = 0
    quarantined: int = 0
    done: int = 0
    total: int = 0
    rows_due: dict[int, int] = field(default_factory=dict)
    quarantined_due: dict[int, int] = field(default_factory=dict)
    spans: dict[int, Span] = field(default_factory=dict)
    muddled: set[int] = field(default_factory=set)
    seen: dict[Stretch, array[int]] = field(default_factory=dict)

    async def first(self, connection: Connection) -> None:
        """Everything, in short transactions."""
        everywhere = await recount.stretches(connection)
        homes: set[Home] = set()
        async with aclosing(recount.accounts(connection, self.job_id)) as listed:
            async for account in listed:
                self._expect(account)
                if self.job_id is not None and account.span is not None:
                    homes.add(account.span.home)
        wanted = everywhere.all if self.job_id is None else everywhere.of(homes)
        self._plan(wanted)
        for stretch in _in_order(wanted, everywhere):
            self._take(stretch, await recount.rows(connection, stretch))
        for chunk_id, records in (await recount.quarantined(connection, self.job_id)).items():
            self.quarantined += records
            self.quarantined_due[chunk_id] = self.quarantined_due.get(chunk_id, 0) - records

    def _expect(self, account: Account) -> None:
        self.chunks += account.completed
        self.open_chunks += account.open
        self.rows_due[account.chunk_id] = account.live
        if account.quarantined:
            self.quarantined_due[account.chunk_id] = account.quarantined
        if account.span is not None:
            self.spans[account.chunk_id] = account.span
        if not account.agrees:
            self.muddled.add(account.chunk_id)

    def _take(self, stretch: Stretch, found: Mapping[int, Extent]) -> None:
        if self.job_id is not None:
            found = {chunk_id: n for chunk_id, n in found.items() if chunk_id in self.rows_due}
        for chunk_id, extent in found.items():
            self.rows += extent.rows
            self.rows_due[chunk_id] = self.rows_due.get(chunk_id, 0) - extent.rows
            span = self.spans.get(chunk_id)
            if span is None or not span.holds(stretch, extent):
                self.muddled.add(chunk_id)
        self.seen[stretch] = array("i", found)
        self._step()

    def doubtful(self) -> list[int]:
        """Chunks that did not add up, ascending."""
        found = set(self.muddled)
        for due in (self.rows_due, self.quarantined_due):
            found.update(chunk_id for chunk_id, left in due.items() if left)
        return sorted(found)

    async def again(self, snapshot: Connection, chunk_ids: list[int]) -> list[Difference]:
        """What disagrees about these chunks at one moment."""
        known: dict[int, Account] = {}
        async with aclosing(recount.accounts(snapshot, None, chunk_ids)) as listed:
            async for account in listed:
                known[account.chunk_id] = account
        rows, strays = await self._rows_again(snapshot, known, chunk_ids)
        quarantined = await recount.quarantined(snapshot, None, chunk_ids)
        found: list[Difference] = []
        for n in chunk_ids:
            if n in known:
                found += differences(known[n], rows[n], strays.get(n, {}), quarantined.get(n, 0))
            else:
                found += unaccounted(n, strays.get(n, {}))
        return found

    async def _rows_again(
        self, snapshot: Connection, known: Mapping[int, Account], chunk_ids: list[int]
    ) -> tuple[Counter[int], Mapping[int, Counter[str]]]:
        """By chunk its rows where they belong, and all others by table.

        Nowhere is where rows of a chunk belong that has not completed.
        """
        spans = {n: known[n].span if n in known and known[n].completed else None for n in chunk_ids}
        rows: Counter[int] = Counter()
        strays: defaultdict[int, Counter[str]] = defaultdict(Counter)
        for stretch in await self._suspect(snapshot, known, chunk_ids):
            for n, found in (await recount.placed(snapshot, stretch, spans)).items():
                rows[n] += found.inside
                if found.outside:
                    strays[n][stretch.table.name] += found.outside
            self._step()
        return rows, strays

    async def _suspect(
        self, snapshot: Connection, known: Mapping[int, Account], chunk_ids: list[int]
    ) -> list[Stretch]:
        """Wherever the chunks had rows, and wherever their rows belong."""
        everywhere = await recount.stretches(snapshot)
        wanted = everywhere.of({each.span.home for each in known.values() if each.span is not None})
        doubted = set(chunk_ids)
        for stretch, ids in self.seen.items():
            if not doubted.isdisjoint(ids):
                wanted.update(everywhere.touched(stretch.table, stretch.low, stretch.high))
        self._plan(wanted)
        return _in_order(wanted, everywhere)

    def _plan(self, more: Collection[Stretch]) -> None:
        self.total += len(more)
        self.show(self.done, self.total)

    def _step(self) -> None:
        self.done += 1
        self.show(self.done, self.total)


def _in_order(wanted: Collection[Stretch], everywhere: Stretches) -> list[Stretch]:
    chosen = set(wanted)
    return [stretch for stretch in everywhere.all if stretch in chosen]
