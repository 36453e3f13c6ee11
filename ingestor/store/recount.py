"""Rows and quarantined records counted per chunk, beside what receipts and supersessions say.

Rows are counted one hypertable chunk at a time: a transaction that touches 2,200 of them is out of
lock memory at PostgreSQL's defaults.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from ingestor.model import STORED, TABLES, Table, table_of
from ingestor.store.database import Connection, Database
from ingestor.store.queries import queries
from ingestor.store.recount_sql import extents_statement, placed_statement
from ingestor.vocabulary import ChunkState, Schema

_VERIFY = queries("verify")
_EXTENSION = queries("hypertables")["extension"]
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_US = dt.timedelta(microseconds=1)
_DAY_US: Final = 86_400_000_000
_PAGE = 10_000
_COMPLETED: Final = frozenset({ChunkState.COMPLETED, ChunkState.COMPLETED_EMPTY})
_OPEN: Final = frozenset(state for state in ChunkState if not state.final)
_STORED: Final = frozenset(STORED)


@dataclass(frozen=True, slots=True)
class Account:
    """One chunk as the ledger has it: its receipt (zeros without one) and supersessions.

    Attributes:
        superseded: Its rows that later chunks corrected or removed.
        told_corrected: Rows of older chunks that it corrected, by the supersessions.
        told_removed: Rows of older chunks that it removed, by the supersessions.
        index_min: Microseconds since 1970; where nothing was loaded, as planned. So are the others.
    """

    chunk_id: int
    job_id: UUID
    dataset: str
    schema: str
    state: str
    fetched: int
    stored: int
    quarantined: int
    already_stored: int
    corrected: int
    removed: int
    superseded: int
    told_corrected: int
    told_removed: int
    index_min: int
    index_max: int
    event_min: int
    event_max: int

    @property
    def completed(self) -> bool:
        return self.state in _COMPLETED

    @property
    def open(self) -> bool:
        return self.state in _OPEN

    @property
    def live(self) -> int:
        """Rows that the table must hold of it."""
        return self.stored - self.superseded

    @property
    def handed_over(self) -> int:
        """Records that its receipt accounts for."""
        return self.stored + self.quarantined + self.already_stored

    @property
    def agrees(self) -> bool:
        """Whether its receipt adds up, and supersessions agree with it."""
        return (self.fetched, self.corrected, self.removed) == (
            self.handed_over, self.told_corrected, self.told_removed,
        )  # fmt: skip

    @property
    def span(self) -> Span | None:
        """Where its rows belong; None of a schema that has no table."""
        if self.schema not in _STORED:
            return None
        table = table_of(Schema(self.schema))
        if table.time_column == "ts_event":
            return Span(table, self.event_min, self.event_max)
        return Span(table, self.index_min, self.index_max)


@dataclass(frozen=True, slots=True)
class Span:
    """Microseconds since 1970 of a table's time column, both inclusive."""

    table: Table
    low: int
    high: int

    @property
    def home(self) -> Home:
        """Its days."""
        return Home(self.table, self.low // _DAY_US, self.high // _DAY_US)

    def holds(self, stretch: Stretch, extent: Extent) -> bool:
        """Whether all rows of an extent, which was found in `stretch`, lie in here."""
        return stretch.table is self.table and self.low <= extent.low and extent.high <= self.high


@dataclass(frozen=True, slots=True)
class Home:
    """Days since 1970 of a table's time column, both inclusive: the same for many chunks."""

    table: Table
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one statement counts: a hypertable chunk, `low` to before `high`, or a plain table."""

    table: Table
    low: dt.datetime | None = None
    high: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Extent:
    """Rows of one chunk in a stretch: how many, and from when to when.

    Attributes:
        low: Microseconds since 1970 of the time column; a Decimal, as it may be infinite.
    """

    rows: int
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class Placed:
    """Rows of one chunk in a stretch, by whether they lie in the span of the chunk."""

    inside: int
    outside: int


class Stretches:
    """All of them, those of a table in order of time."""

    def __init__(self, found: Iterable[Stretch]) -> None:
        self.all = tuple(found)
        places = groupby(enumerate(self.all), key=lambda each: each[1].table.name)
        self._places = {name: [place for place, _ in group] for name, group in places}

    def of(self, homes: Iterable[Home]) -> set[Stretch]:
        """All that hold any of these days."""
        found: set[Stretch] = set()
        for home in homes:
            low, past = (_EPOCH + dt.timedelta(days=n) for n in (home.first, home.last + 1))
            found.update(self.touched(home.table, low, past - _US))
        return found

    def touched(
        self, table: Table, low: dt.datetime | None, high: dt.datetime | None
    ) -> Iterable[Stretch]:
        """Those of a table that hold any instant of low … high, both inclusive."""
        places = self._places.get(table.name, [])
        if low is None or high is None or (places and self.all[places[0]].low is None):
            return (self.all[place] for place in places)
        first = bisect_right(places, low, key=self._high)
        past = bisect_right(places, high, key=self._low)
        return (self.all[place] for place in places[first:past])

    def _low(self, place: int) -> dt.datetime:
        return self.all[place].low or _EPOCH

    def _high(self, place: int) -> dt.datetime:
        return self.all[place].high or _EPOCH


@asynccontextmanager
async def reading(database: Database) -> AsyncIterator[Connection]:
    """A connection for the functions below, outside a transaction."""
    async with database.session() as connection:
        await connection.execute(_VERIFY["custom_plans"])
        yield connection


@asynccontextmanager
async def snapshot(database: Database) -> AsyncIterator[Connection]:
    """The same inside a transaction that writes nothing and sees one moment of everything."""
    async with (
        reading(database) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield connection


async def stretches(connection: Connection) -> Stretches:
    """What there is to count."""
    if not await connection.fetchval(_EXTENSION):
        return Stretches(Stretch(table) for table in TABLES)
    made: dict[str, list[Any]] = {}
    for row in await connection.fetch(_VERIFY["ranges"]):
        made.setdefault(row["name"], []).extend([row] if row["low"] else [])
    return Stretches(
        stretch
        for table in TABLES
        for stretch in (
            [Stretch(table, row["low"], row["high"]) for row in made[table.name]]
            if table.name in made
            else [Stretch(table)]
        )
    )


async def accounts(
    connection: Connection, job_id: UUID | None, chunk_ids: Collection[int] | None = None
) -> AsyncGenerator[Account, None]:
    """Chunks of a job (None: of all), or those of `chunk_ids` among them, in no order.

    Inside a snapshot they are of its moment.
    """
    wanted = None if chunk_ids is None else list(chunk_ids)
    async with connection.transaction(readonly=True):
        query = _VERIFY["accounts"]
        async for row in connection.cursor(query, job_id, wanted, prefetch=_PAGE):
            yield Account(*row)


async def rows(connection: Connection, stretch: Stretch) -> Mapping[int, Extent]:
    """Rows of a stretch by chunk, in a transaction of its own."""
    statement = extents_statement(stretch.table, bounded=stretch.low is not None)
    found = await _counted(connection, statement, _bounds(stretch))
    return {row["chunk_id"]: Extent(row["rows"], row["low"], row["high"]) for row in found}


async def placed(
    connection: Connection, stretch: Stretch, spans: Mapping[int, Span | None]
) -> Mapping[int, Placed]:
    """Rows of a stretch by chunk, of those in `spans` only; without a span all are outside.

    Inside a snapshot in a savepoint that is rolled back, which frees its locks as well.
    """
    own = [
        span if span is not None and span.table is stretch.table else None
        for span in spans.values()
    ]
    lows = [None if span is None else _instant(span.low) for span in own]
    highs = [None if span is None else _instant(span.high) for span in own]
    statement = placed_statement(stretch.table, bounded=stretch.low is not None)
    values = [*_bounds(stretch), list(spans), lows, highs]
    found = await _counted(connection, statement, values)
    return {row["chunk_id"]: Placed(row["inside"], row["rows"] - row["inside"]) for row in found}


async def _counted(connection: Connection, statement: str, values: list[object]) -> list[Any]:
    own = connection.transaction(readonly=True)
    await own.start()
    found: list[Any] = await connection.fetch(statement, *values)
    await own.rollback()
    return found


def _bounds(stretch: Stretch) -> list[object]:
    return [] if stretch.low is None else [stretch.low, stretch.high]


def _instant(us: int) -> dt.datetime:
    return _EPOCH + us * _US


async def quarantined(
    connection: Connection, job_id: UUID | None, chunk_ids: Collection[int] | None = None
) -> Mapping[int, int]:
    """Quarantined records by chunk: of a job (None: of all), of `chunk_ids` only where given."""
    wanted = None if chunk_ids is None else list(chunk_ids)
    found = await connection.fetch(_VERIFY["quarantined"], job_id, wanted)
    return {row["chunk_id"]: row["records"] for row in found}
