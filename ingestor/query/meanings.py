"""What symbols meant, day by day: the stored answer to what a provider's symbology would say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from ingestor.days import DaySet, day_of
from ingestor.query.misses import require_dataset
from ingestor.query.names import Names, dates
from ingestor.query.reader import Reader
from ingestor.query.symbols import (
    FIRST_DAY,
    LAST_DAY,
    Interval,
    numbered,
    stored_intervals,
)
from ingestor.vocabulary import Dataset, SType

_HELD: Final = """
SELECT symbol, instrument_id, valid_from AS first_day, valid_to AS past_day
FROM public.symbol_mappings
WHERE dataset = $1 AND stype_in = $2 AND stype_out = 'instrument_id'
  AND starts_with(symbol, $3)
  AND ($4::DATE IS NULL OR daterange(valid_from, valid_to) @> $4::DATE)
ORDER BY symbol, first_day, instrument_id LIMIT $5
"""

# One symbol, several instruments; and the reverse for raw symbols, where it lets the rows of one
# symbol into the answer for another. (A parent has many members by nature, and two continuous
# symbols may stand for one contract.)
_CONFLICTS: Final = """
SELECT dataset, stype_in, symbols, ids, lower(d) AS first_day, upper(d) AS past_day, sources
FROM (
    SELECT a.dataset, a.stype_in, ARRAY[a.symbol] AS symbols, d,
           ARRAY[least(a.instrument_id, b.instrument_id),
                 greatest(a.instrument_id, b.instrument_id)] AS ids,
           ARRAY[a.source, b.source] AS sources
    FROM ingest.symbol_intervals a
    JOIN ingest.symbol_intervals b USING (dataset, stype_in, symbol, stype_out),
         unnest(a.days * b.days) AS d
    WHERE a.instrument_id < b.instrument_id AND a.stype_in <> 'parent'
      AND a.stype_out = 'instrument_id' AND ($1::TEXT IS NULL OR a.dataset = $1)
    UNION ALL
    SELECT a.dataset, a.stype_in, ARRAY[a.symbol, b.symbol], d, ARRAY[a.instrument_id],
           ARRAY[a.source, b.source]
    FROM ingest.symbol_intervals a
    JOIN ingest.symbol_intervals b USING (dataset, stype_in, instrument_id, stype_out),
         unnest(a.days * b.days) AS d
    WHERE a.symbol < b.symbol AND a.stype_in = 'raw_symbol'
      AND a.stype_out = 'instrument_id' AND ($1::TEXT IS NULL OR a.dataset = $1)
) pairs
ORDER BY dataset, stype_in, symbols, first_day, ids LIMIT $2
"""


@dataclass(frozen=True, slots=True)
class Meaning:
    """From `first` to before `past` (UTC days), `symbol` was this instrument.

    Attributes:
        raw_symbol: Its own name on those days; None where nothing told one.
    """

    symbol: str
    instrument_id: int
    raw_symbol: str | None
    first: dt.date
    past: dt.date


@dataclass(frozen=True, slots=True)
class Meanings:
    """What was found for each symbol on the days asked for.

    Attributes:
        partial: Symbols that meant nothing on some of the days.
        not_found: Symbols that meant nothing on any of them.
        unknown: Of those, the ones that nothing is known of on other days either.
    """

    found: tuple[Meaning, ...]
    partial: tuple[str, ...]
    not_found: tuple[str, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Conflict:
    """A contradiction in what was stored: on these days, one of many meant the same.

    Attributes:
        symbols: One symbol that was several instruments, or several raw symbols of one.
        instrument_ids: Two, or one.
        sources: Where the two sides of it came from.
    """

    dataset: Dataset
    stype_in: str
    symbols: tuple[str, ...]
    instrument_ids: tuple[int, ...]
    first: dt.date
    past: dt.date
    sources: tuple[str, ...]


async def meanings(
    reader: Reader,
    symbols: Sequence[str],
    *,
    dataset: Dataset,
    first: dt.date,
    past: dt.date,
    stype_in: SType = SType.RAW_SYMBOL,
) -> Meanings:
    """What `symbols` of `dataset` were from `first` to before `past`, by the stored mappings.

    Raises:
        Usage: The dataset is unknown; or a number is asked for and it is none.
    """
    await require_dataset(reader, dataset)
    if stype_in is SType.INSTRUMENT_ID:
        numbers = await numbered(reader, symbols, dataset)
        held = {str(each.symbol): [each] for each in numbers}
    else:
        held = await stored_intervals(reader, symbols, dataset, stype_in)
    names = Names(reader)
    if stype_in is not SType.RAW_SYMBOL:
        await names.learn((dataset, e.instrument_id) for some in held.values() for e in some)
    asked = DaySet([(day_of(first), day_of(past))])
    known = {
        symbol: [meaning for each in some for meaning in _meanings(symbol, each, names, stype_in)]
        for symbol, some in held.items()
    }
    return _summed(known, asked)


def _meanings(symbol: str, interval: Interval, names: Names, stype_in: SType) -> Iterator[Meaning]:
    for name, days in _named(interval, names, stype_in):
        for first, past in dates(days):
            yield Meaning(symbol, interval.instrument_id, name, first, past)


def _named(
    interval: Interval, names: Names, stype_in: SType
) -> Iterator[tuple[str | None, DaySet]]:
    if stype_in is SType.RAW_SYMBOL:
        yield interval.symbol, interval.days
        return
    for name, days in names.within(interval):
        # A number says nothing by itself: only its name makes it known.
        if name is not None or stype_in is not SType.INSTRUMENT_ID:
            yield name, days


def _summed(known: Mapping[str, Sequence[Meaning]], asked: DaySet) -> Meanings:
    found: list[Meaning] = []
    partial, missing = [], []
    for symbol, some in known.items():
        clipped = [each for meaning in some for each in _clipped(meaning, asked)]
        if not clipped:
            missing.append(symbol)
        elif asked - DaySet((day_of(each.first), day_of(each.past)) for each in clipped):
            partial.append(symbol)
        found += clipped
    found.sort(key=lambda each: (each.symbol, each.first, each.instrument_id, each.past))
    unknown = tuple(symbol for symbol in missing if not known[symbol])
    return Meanings(tuple(found), tuple(partial), tuple(missing), unknown)


def _clipped(meaning: Meaning, asked: DaySet) -> Iterator[Meaning]:
    own = DaySet([(day_of(meaning.first), day_of(meaning.past))])
    return (replace(meaning, first=first, past=past) for first, past in dates(own & asked))


async def held_symbols(
    reader: Reader,
    dataset: Dataset,
    *,
    stype_in: SType = SType.RAW_SYMBOL,
    prefix: str = "",
    at: dt.date | None = None,
    limit: int,
) -> list[Interval]:
    """Symbols of one type that the dataset's mappings hold, by name and day.

    Args:
        prefix: Only symbols that begin so, upper and lower case told apart.
        at: Only what was in force on that day.

    Raises:
        Usage: The dataset is unknown.
    """
    await require_dataset(reader, dataset)
    if "\0" in prefix:  # which no text of PostgreSQL can hold
        return []
    rows = await reader.fetch(_HELD, dataset, stype_in, prefix, at, limit)
    return [Interval(dataset, row["symbol"], row["instrument_id"], *_days(row)) for row in rows]


async def conflicts(
    reader: Reader, dataset: Dataset | None = None, *, limit: int
) -> list[Conflict]:
    """Contradictions among the stored mappings; all of them are kept.

    Raises:
        Usage: The dataset is unknown.
    """
    if dataset is not None:
        await require_dataset(reader, dataset)
    return [
        Conflict(
            Dataset(row["dataset"]), row["stype_in"], tuple(row["symbols"]), tuple(row["ids"]),
            *_days(row), tuple(sorted(set(row["sources"]))),
        )
        for row in await reader.fetch(_CONFLICTS, dataset, limit)
    ]  # fmt: skip


def _days(row: Mapping[str, Any]) -> tuple[dt.date, dt.date]:
    return row["first_day"] or FIRST_DAY, row["past_day"] or LAST_DAY
