"""Symbol → instrument ids. Ids are used again, so every one holds for a range of days only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ingestor.days import DaySet, date_of_day, day_of
from ingestor.errors import Usage
from ingestor.query.misses import not_held, require_dataset
from ingestor.query.reader import Reader
from ingestor.vocabulary import Dataset, SType

# One statement for all types: `parent_members` and `continuous_rolls` are this view's rows of
# their type.
_INTERVALS: Final = """
SELECT dataset, symbol, instrument_id, valid_from AS first_day, valid_to AS past_day
FROM public.symbol_mappings
WHERE symbol = ANY($1::TEXT[]) AND stype_in = $3 AND stype_out = 'instrument_id'
  AND ($2::TEXT IS NULL OR dataset = $2)
ORDER BY dataset, symbol, first_day, instrument_id
"""

_ASKED: Final = """
SELECT DISTINCT dataset FROM ingest.requests ORDER BY dataset
"""

FIRST_DAY: Final = dt.date(1970, 1, 1)
LAST_DAY: Final = dt.date.max
_HIGHEST_ID: Final = 2**32 - 1
_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Interval:
    """From `first` to before `past` (UTC days), `symbol` of `dataset` was this instrument.

    Attributes:
        symbol: None for an instrument that goes by its own name, its raw symbol of each day:
            members of a parent, and instruments asked for by number.
    """

    dataset: Dataset
    symbol: str | None
    instrument_id: int
    first: dt.date
    past: dt.date

    @property
    def days(self) -> DaySet:
        return DaySet([(day_of(self.first), day_of(self.past))])


@dataclass(frozen=True, slots=True)
class Resolution:
    """What the symbols of a question mean.

    Attributes:
        intervals: Of all symbols, on all days: a record's ts_event may lie days before the index
            timestamp that says which id was in force.
        notes: Lines for people: symbols that are held, but not on all days asked for, and those
            that meant several instruments at once.
        by_symbol: Each symbol as it was asked for, with what it meant by itself.
    """

    intervals: tuple[Interval, ...]
    notes: tuple[str, ...] = ()
    by_symbol: Mapping[str, Sequence[Interval]] = field(default_factory=dict)


async def resolve(
    reader: Reader,
    symbols: Sequence[str],
    *,
    dataset: Dataset | None,
    start: dt.date,
    end: dt.date,
    stype_in: SType = SType.RAW_SYMBOL,
) -> Resolution:
    """The instrument ids of `symbols`; start and end (exclusive) only decide what is noted.

    Raises:
        Usage: A symbol is unknown as one of this type; or held in several datasets, and none is
            named.
    """
    if dataset is not None:
        await require_dataset(reader, dataset)
    if stype_in is SType.INSTRUMENT_ID:
        found = await numbered(reader, symbols, dataset)
        own = {str(each.symbol): [each] for each in found}
        return Resolution(tuple(dict.fromkeys(map(_unnamed, found))), by_symbol=own)
    by_symbol = await stored_intervals(reader, symbols, dataset, stype_in)
    if unknown := [symbol for symbol, intervals in by_symbol.items() if not intervals]:
        raise await not_held(reader, unknown, dataset, stype_in)
    for symbol, intervals in by_symbol.items():
        _refuse_several(symbol, intervals)
    notes = [_note(symbol, held, start, end) for symbol, held in by_symbol.items()]
    every = [each for intervals in by_symbol.values() for each in intervals]
    if stype_in is SType.PARENT:
        every = list(members(every))
    else:
        notes += [_doubt(symbol, held, start, end) for symbol, held in by_symbol.items()]
    return Resolution(tuple(every), tuple(filter(None, notes)), by_symbol)


async def stored_intervals(
    reader: Reader, symbols: Sequence[str], dataset: Dataset | None, stype_in: SType
) -> dict[str, list[Interval]]:
    """Intervals of each symbol as one of this type, in the order of days; none where unknown."""
    # PostgreSQL's text holds no NUL, so no stored symbol does.
    askable = [symbol for symbol in symbols if "\0" not in symbol]
    found: dict[str, list[Interval]] = {symbol: [] for symbol in symbols}
    for row in await reader.fetch(_INTERVALS, askable, dataset, stype_in):
        found[row["symbol"]].append(_interval(row))
    return found


async def numbered(
    reader: Reader, symbols: Sequence[str], dataset: Dataset | None
) -> list[Interval]:
    """Instruments by number, on every day there is; `symbol` is as it was written.

    Raises:
        Usage: It is no number; or the dataset is not named where there are several.
    """
    ids = {symbol: _number(symbol) for symbol in symbols}
    where = dataset or await _only_dataset(reader)
    return [Interval(where, symbol, each, FIRST_DAY, LAST_DAY) for symbol, each in ids.items()]


def _number(symbol: str) -> int:
    if not (symbol.isascii() and symbol.isdecimal() and int(symbol) <= _HIGHEST_ID):
        raise Usage(
            f"{symbol!r} is no instrument id, which is a number up to {_HIGHEST_ID}",
            hint="for names use the symbol type raw_symbol, parent or continuous",
        )
    return int(symbol)


async def _only_dataset(reader: Reader) -> Dataset:
    datasets = [row["dataset"] for row in await reader.fetch(_ASKED)]
    if len(datasets) == 1:
        return Dataset(datasets[0])
    there = ", ".join(datasets) or "none yet"
    raise Usage(
        "an instrument id means nothing outside its dataset, and none is named",
        hint=f"name it with --dataset; this database has {there}",
    )


def _interval(row: Mapping[str, Any]) -> Interval:
    return Interval(
        Dataset(row["dataset"]),
        row["symbol"],
        row["instrument_id"],
        row["first_day"] or FIRST_DAY,
        row["past_day"] or LAST_DAY,
    )


def _unnamed(each: Interval) -> Interval:
    return Interval(each.dataset, None, each.instrument_id, each.first, each.past)


def members(intervals: Iterable[Interval]) -> Iterator[Interval]:
    """Each instrument once on each day, whichever and however many parents it belongs to."""
    held: dict[tuple[Dataset, int], DaySet] = {}
    for each in intervals:
        key = each.dataset, each.instrument_id
        held[key] = held.get(key, DaySet()) | each.days
    for (dataset, instrument_id), days in held.items():
        for first, past in days.ranges:
            yield Interval(dataset, None, instrument_id, date_of_day(first), date_of_day(past))


def doubled(intervals: Iterable[Interval]) -> bool:
    """Whether an instrument is in more than one of the intervals on a day."""
    held: dict[tuple[Dataset, int], DaySet] = {}
    for each in intervals:
        key = each.dataset, each.instrument_id
        known = held.get(key, DaySet())
        if known & each.days:
            return True
        held[key] = known | each.days
    return False


def _refuse_several(symbol: str, intervals: Iterable[Interval]) -> None:
    datasets = sorted({each.dataset for each in intervals})
    if len(datasets) > 1:
        raise Usage(
            f"{symbol} is held in several datasets: {', '.join(datasets)}",
            hint=f"name the one that is meant: --dataset {datasets[0]}",
        )


def _note(symbol: str, held: Sequence[Interval], start: dt.date, end: dt.date) -> str:
    asked = DaySet([(day_of(start), day_of(end))])
    known = DaySet((day_of(each.first), day_of(each.past)) for each in held)
    if not asked & known:
        return f"{symbol} is known on other days only: {spans(known)}"
    if asked - known:
        return f"{symbol} is known on some of these days only: {spans(asked & known)}"
    return ""


def spans(days: DaySet) -> str:
    """The first ranges of days, as people read them."""
    shown = ", ".join(
        f"{date_of_day(first)} to {date_of_day(past)}" for first, past in days.ranges[:_SHOWN]
    )
    return f"{shown}{', …' if len(days.ranges) > _SHOWN else ''} (end exclusive)"


def _doubt(symbol: str, held: Sequence[Interval], start: dt.date, end: dt.date) -> str:
    """What to say of a symbol that was several instruments on one of the days."""
    asked = DaySet([(day_of(start), day_of(end))])
    seen: dict[int, DaySet] = {}
    for each in held:
        days = each.days & asked
        for other, known in seen.items():
            if other != each.instrument_id and (both := days & known):
                pair = f"{other} and {each.instrument_id}"
                day = date_of_day(both.ranges[0][0])
                return f"{symbol} was {pair} on {day}: see `hdi symbols conflicts`"
        seen[each.instrument_id] = seen.get(each.instrument_id, DaySet()) | days
    return ""
