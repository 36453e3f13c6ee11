"""Symbol → instrument ids. Ids are used again, so every one holds for a range of days only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from ingestor.errors import Usage
from ingestor.query.reader import Reader
from ingestor.vocabulary import Dataset

# Ranges of one symbol and id are united: the same id known under two symbol types must not
# bring its rows twice.
_INTERVALS: Final = """
SELECT s.dataset, s.symbol, s.instrument_id, lower(d) AS first_day, upper(d) AS past_day
FROM (SELECT dataset, symbol, instrument_id, range_agg(daterange(valid_from, valid_to)) AS days
      FROM public.symbol_mappings
      WHERE symbol = ANY($1::TEXT[]) AND stype_out = 'instrument_id'
        AND ($2::TEXT IS NULL OR dataset = $2)
      GROUP BY dataset, symbol, instrument_id) s, unnest(s.days) AS d
ORDER BY s.dataset, s.symbol, first_day, s.instrument_id
"""

_NAMES: Final = """
SELECT instrument_id, symbol, valid_from AS first_day, valid_to AS past_day
FROM public.symbol_mappings
WHERE dataset = $1 AND instrument_id = ANY($2::BIGINT[]) AND stype_in = 'raw_symbol'
  AND stype_out = 'instrument_id'
ORDER BY instrument_id, valid_from, symbol
"""

_DATASETS: Final = """
SELECT DISTINCT dataset FROM public.symbol_mappings ORDER BY dataset
"""

_PUBLISHED: Final = """
SELECT DISTINCT dataset FROM public.publishers ORDER BY dataset
"""

# Symbols that begin alike; a database of options holds millions, so not all are compared.
_ALIKE: Final = """
SELECT DISTINCT symbol FROM public.symbol_mappings
WHERE ($2::TEXT IS NULL OR dataset = $2) AND starts_with(upper(symbol), upper($1))
ORDER BY symbol LIMIT 200
"""
_FIRST_DAY = dt.date(1970, 1, 1)
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Interval:
    """From `first` to before `past` (UTC days), `symbol` of `dataset` was this instrument."""

    dataset: Dataset
    symbol: str
    instrument_id: int
    first: dt.date
    past: dt.date


@dataclass(frozen=True, slots=True)
class Resolution:
    """What the symbols of a question mean.

    Attributes:
        intervals: Of all symbols, on all days: a record's ts_event may lie days before the index
            timestamp that says which id was in force.
        notes: Lines for people: symbols that are held, but not on the days asked for.
    """

    intervals: tuple[Interval, ...]
    notes: tuple[str, ...] = ()


async def resolve(
    reader: Reader,
    symbols: Sequence[str],
    *,
    dataset: Dataset | None,
    start: dt.date,
    end: dt.date,
) -> Resolution:
    """The instrument ids of `symbols`; start and end (exclusive) only decide what is noted.

    Raises:
        Usage: A symbol is unknown; or held in several datasets, and none is named.
    """
    if dataset is not None:
        await require_dataset(reader, dataset)
    rows = await reader.fetch(_INTERVALS, list(symbols), dataset)
    found = tuple(_interval(row) for row in rows)
    by_symbol: dict[str, list[Interval]] = {symbol: [] for symbol in symbols}
    for each in found:
        by_symbol[each.symbol].append(each)
    if unknown := [symbol for symbol, intervals in by_symbol.items() if not intervals]:
        raise await _unknown(reader, unknown, dataset)
    for symbol, intervals in by_symbol.items():
        _refuse_several(symbol, intervals)
    notes = (_note(symbol, held, start, end) for symbol, held in by_symbol.items())
    return Resolution(found, tuple(filter(None, notes)))


def _interval(row: Mapping[str, Any]) -> Interval:
    return Interval(
        Dataset(row["dataset"]),
        row["symbol"],
        row["instrument_id"],
        row["first_day"] or _FIRST_DAY,
        row["past_day"] or dt.date.max,
    )


def _refuse_several(symbol: str, intervals: Iterable[Interval]) -> None:
    datasets = sorted({each.dataset for each in intervals})
    if len(datasets) > 1:
        raise Usage(
            f"{symbol} is held in several datasets: {', '.join(datasets)}",
            hint=f"name the one that is meant: --dataset {datasets[0]}",
        )


def _note(symbol: str, held: Sequence[Interval], start: dt.date, end: dt.date) -> str:
    if any(each.first < end and start < each.past for each in held):
        return ""
    spans = ", ".join(f"{each.first} to {each.past}" for each in held[:3])
    more = ", …" if len(held) > 3 else ""
    return f"{symbol} is known on other days only: {spans}{more} (end exclusive)"


async def _unknown(reader: Reader, symbols: Sequence[str], dataset: Dataset | None) -> Usage:
    within = f" in {dataset}" if dataset else ""
    shown = ", ".join(map(repr, symbols[:_SHOWN])) + (", …" if len(symbols) > _SHOWN else "")
    what = "symbol" if len(symbols) == 1 else f"{len(symbols)} symbols"
    verb = "is" if len(symbols) == 1 else "are"
    near = await _near(reader, symbols[0], dataset)
    hint = f"did you mean {' or '.join(near)}?" if near else "`hdi jobs` shows what was loaded"
    return Usage(f"{what} {shown} {verb} not held{within}", hint=hint)


async def _near(reader: Reader, symbol: str, dataset: Dataset | None) -> list[str]:
    """Held symbols that a slip of the finger may have meant."""
    for length in dict.fromkeys((min(len(symbol), 3), 1, 0)):
        rows = await reader.fetch(_ALIKE, symbol[:length], dataset)
        spelled = {row["symbol"].upper(): row["symbol"] for row in rows}
        if near := get_close_matches(symbol.upper(), spelled, n=3, cutoff=0.6):
            return [spelled[each] for each in near]
    return []


async def require_dataset(reader: Reader, dataset: Dataset) -> None:
    """A misspelt dataset must not read as an empty one.

    Raises:
        Usage: No publisher is known of it.
    """
    published = [row["dataset"] for row in await reader.fetch(_PUBLISHED)]
    if dataset in published:
        return
    held = [row["dataset"] for row in await reader.fetch(_DATASETS)]
    near = get_close_matches(dataset, published, n=3, cutoff=0.6)
    allowed = f"held are {', '.join(held)}" if held else "none is held yet"
    hint = f"did you mean {' or '.join(near)}?" if near else allowed
    raise Usage(f"dataset {dataset} is unknown", hint=hint)


class Names:
    """Instrument id and day → raw symbol, within a dataset; every id is looked up once."""

    def __init__(self, reader: Reader, dataset: Dataset) -> None:
        self._reader = reader
        self._dataset = dataset
        self._known: dict[int, list[tuple[dt.date, dt.date, str]]] = {}

    async def learn(self, ids: Iterable[int]) -> None:
        """Looks up the ids that are new."""
        new = sorted(set(ids) - self._known.keys())
        if not new:
            return
        self._known.update({each: [] for each in new})
        for row in await self._reader.fetch(_NAMES, self._dataset, new):
            first, past = row["first_day"] or _FIRST_DAY, row["past_day"] or dt.date.max
            self._known[row["instrument_id"]].append((first, past, row["symbol"]))

    def of(self, instrument_id: int, day: dt.date) -> str | None:
        """The raw symbol; None where no payload told one. Of several the first by alphabet."""
        names = (name for first, past, name in self._known[instrument_id] if first <= day < past)
        return min(names, default=None)
