"""Which records a question means, and the statement that reads them.

Identifiers come from a Table, values travel as ``$n``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final, Literal

from ingestor.model import Column, Table, table_of
from ingestor.model.kind import PRICE
from ingestor.query.reader import Reader
from ingestor.query.symbols import Interval
from ingestor.vocabulary import Dataset, Schema

By = Literal["event", "index"]

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)

_PUBLISHERS: Final = """
SELECT dataset, publisher_id FROM public.publishers WHERE dataset = ANY($1::TEXT[])
ORDER BY publisher_id
"""

# Both times of what was loaded, so that a filter on one of them bounds the other: TimescaleDB
# leaves out hypertable chunks only by the time that it partitions on.
_BOUNDS: Final = """
SELECT min(k.event_min) AS event_low, max(k.event_max) AS event_high,
       min(k.index_min) AS index_low, max(k.index_max) AS index_high
FROM ingest.chunks k JOIN ingest.requests r USING (request_id)
WHERE k.receipt IS NOT NULL AND r.schema = $1 AND r.dataset = ANY($2::TEXT[])
  AND CASE WHEN $3 THEN k.index_max >= $4 AND k.index_min < $5
           ELSE k.event_max >= $4 AND k.event_min < $5 END
"""


def usual(table: Table) -> By:
    """What days filter unless told: definitions' ts_event may be days, or decades, before."""
    return "event" if table.time_column == "ts_event" else "index"


@dataclass(frozen=True, slots=True)
class Selection:
    """Records of one schema in a range of time.

    Attributes:
        start: Nanoseconds since 1970, inclusive; `end` is exclusive.
        intervals: Which instruments, each on its days; None for all of `dataset`.
        dataset: Needed where `intervals` is None.
        by: Which time start and end filter: ts_event, or the index timestamp, on which requests
            to the provider are cut.
        limit: Records at most; None for all.
    """

    schema: Schema
    start: int
    end: int
    intervals: tuple[Interval, ...] | None = None
    dataset: Dataset | None = None
    by: By = "event"
    limit: int | None = None

    @property
    def table(self) -> Table:
        return table_of(self.schema)

    @property
    def time(self) -> str:
        """The column that start and end filter."""
        return "ts_event" if self.by == "event" else self.table.index_column

    @property
    def datasets(self) -> list[Dataset]:
        if self.intervals is None:
            return [self.dataset] if self.dataset is not None else []
        return sorted({each.dataset for each in self.intervals})


@dataclass(slots=True)
class Statement:
    """SQL text with its values; `put` adds a value and gives its ``$n``."""

    text: str = ""
    values: list[Any] = field(default_factory=list)

    def put(self, value: Any, kind: str) -> str:
        self.values.append(value)
        return f"${len(self.values)}::{kind}"


def columns_of(table: Table) -> tuple[Column, ...]:
    """Columns in the order people read them: times, who, prices, the rest, what the ledger adds."""
    shown = [column for column in table.columns if column.nanos_of is None]
    return tuple(sorted(shown, key=_rank))


def _rank(column: Column) -> int:
    if column.ledger:
        return 4
    if column.kind.sql == "TIMESTAMPTZ":
        return 0
    if column.name in ("publisher_id", "instrument_id"):
        return 1
    return 2 if column.kind is PRICE else 3


async def statement(reader: Reader, wanted: Selection, *, counted: bool = False) -> Statement:
    """The statement that reads the selection, or counts it whatever its limit.

    Records come in the order of `order_of`: index timestamp, then instrument, then key.
    """
    made = Statement()
    inner = await _union(reader, wanted, made)
    if counted:
        made.text = f"SELECT count(*) FROM ({inner}) q"
        return made
    own = ", ".join(column.name for column in wanted.table.columns)
    made.text = f"SELECT symbol, dataset, {own} FROM ({inner}) q {_first(wanted, made)}"
    return made


async def subquery(reader: Reader, wanted: Selection, *, ordered: bool) -> Statement:
    """What stands behind FROM: the selection's rows, called ``t``.

    Column ``part`` says which of `wanted.intervals` a row belongs to; 0 where there are none.

    Args:
        ordered: Whether rows are wanted in the order of `statement`. With a limit they are anyway.
    """
    made = Statement()
    inner = await _union(reader, wanted, made)
    ordered = ordered or wanted.limit is not None
    made.text = f"(SELECT * FROM ({inner}) q {_first(wanted, made) if ordered else ''}) t"
    return made


def _first(wanted: Selection, made: Statement) -> str:
    limit = "" if wanted.limit is None else f"LIMIT {made.put(wanted.limit, 'BIGINT')}"
    return f"ORDER BY {', '.join(order_of(wanted.table))}, symbol {limit}"


async def instruments(reader: Reader, wanted: Selection) -> set[tuple[str, int]]:
    """Which of the selection's instruments it holds records of; one each is looked for."""
    made = Statement()
    bounds = await _bounds(reader, wanted, made)
    publishers = await reader.fetch(_PUBLISHERS, wanted.datasets)
    asked = sorted({(each.dataset, each.instrument_id) for each in wanted.intervals or ()})
    made.text = f"""
SELECT w.dataset, w.instrument_id
FROM unnest({made.put([dataset for dataset, _ in asked], "TEXT[]")},
            {made.put([number for _, number in asked], "BIGINT[]")}) AS w(dataset, instrument_id)
WHERE EXISTS (
    SELECT FROM public.{wanted.table.name} t
    JOIN unnest({made.put([row["dataset"] for row in publishers], "TEXT[]")},
                {made.put([row["publisher_id"] for row in publishers], "INTEGER[]")})
      AS p(dataset, publisher_id) USING (publisher_id)
    WHERE p.dataset = w.dataset AND t.instrument_id = w.instrument_id AND {bounds})"""
    return {
        (row["dataset"], row["instrument_id"])
        for row in await reader.fetch(made.text, *made.values)
    }


def order_of(table: Table) -> list[str]:
    """The columns that records are put in order by, wherever they are read.

    The index timestamp to the nanosecond, the instrument, then the rest of the key: `ordinal`, its
    last column, counts records alike in all of it, whatever nanoseconds their other times have.
    """
    first = [table.index_column]
    first += [column.name for column in table.columns if column.nanos_of == table.index_column]
    return list(dict.fromkeys((*first, "instrument_id", *table.key)))


async def _union(reader: Reader, wanted: Selection, made: Statement) -> str:
    """One SELECT per dataset: an id means nothing outside its own."""
    bounds = await _bounds(reader, wanted, made)
    publishers = await reader.fetch(_PUBLISHERS, wanted.datasets)
    parts = []
    for dataset, intervals in _by_dataset(wanted):
        ids = [row["publisher_id"] for row in publishers if row["dataset"] == dataset]
        where = f"t.publisher_id = ANY({made.put(ids, 'INTEGER[]')}) AND {bounds}"
        parts.append(_select(wanted.table, dataset, intervals, where, made))
    return " UNION ALL ".join(parts)


def _by_dataset(
    wanted: Selection,
) -> Iterable[tuple[Dataset, Sequence[tuple[int, Interval]] | None]]:
    """Each dataset's intervals, with their place in the selection."""
    if wanted.intervals is None:
        return [(dataset, None) for dataset in wanted.datasets]
    ordered = sorted(enumerate(wanted.intervals), key=lambda each: each[1].dataset)
    return [(name, list(some)) for name, some in groupby(ordered, lambda each: each[1].dataset)]


def _select(
    table: Table,
    dataset: Dataset,
    placed: Sequence[tuple[int, Interval]] | None,
    where: str,
    made: Statement,
) -> str:
    own = ", ".join(f"t.{column.name}" for column in table.columns)
    columns = f"{made.put(dataset, 'TEXT')} AS dataset, {own}"
    origin = f"public.{table.name} t"
    if placed is None:
        return f"SELECT NULL::TEXT AS symbol, 0 AS part, {columns} FROM {origin} WHERE {where}"
    intervals = [each for _, each in placed]
    # The index timestamp decides which id a symbol was: days of symbology are days of it.
    index = f"t.{table.index_column}"
    return f"""
SELECT w.symbol, w.part, {columns}
FROM unnest({made.put([each.symbol for each in intervals], "TEXT[]")},
            {made.put([each.instrument_id for each in intervals], "BIGINT[]")},
            {made.put([_midnight(each.first) for each in intervals], "TIMESTAMPTZ[]")},
            {made.put([_midnight(each.past) for each in intervals], "TIMESTAMPTZ[]")},
            {made.put([place for place, _ in placed], "INTEGER[]")})
     AS w(symbol, instrument_id, first, past, part)
JOIN {origin} ON t.instrument_id = w.instrument_id AND {index} >= w.first AND {index} < w.past
WHERE {where}"""


async def _bounds(reader: Reader, wanted: Selection, made: Statement) -> str:
    table = wanted.table
    asked = wanted.time, instant(wanted.start), instant(wanted.end)
    if wanted.time == table.time_column:
        return _within(made, *asked)
    by_index = wanted.by == "index"
    [row] = await reader.fetch(
        _BOUNDS, wanted.schema, wanted.datasets, by_index, wanted.start, wanted.end
    )
    other = "event" if by_index else "index"
    low, high = row[f"{other}_low"], row[f"{other}_high"]
    if low is None or high is None:  # nothing was loaded that could lie in the range
        return "false"
    past = instant(int(high)) + _MICROSECOND
    return (
        f"{_within(made, *asked)} AND {_within(made, table.time_column, instant(int(low)), past)}"
    )


def _within(made: Statement, column: str, start: dt.datetime, end: dt.datetime) -> str:
    first, past = made.put(start, "TIMESTAMPTZ"), made.put(end, "TIMESTAMPTZ")
    return f"t.{column} >= {first} AND t.{column} < {past}"


def instant(ns: int) -> dt.datetime:
    """Nanoseconds since 1970, cut to the microsecond as columns are."""
    return _EPOCH + dt.timedelta(microseconds=ns // 1000)


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)
