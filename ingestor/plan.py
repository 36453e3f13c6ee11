"""What has to be asked of a provider, and in which chunks: arithmetic on days and symbols.

Chunks lie on an absolute grid of days, so that two requests that overlap, or next month's top-up,
cut what they share at the same days.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import gcd
from typing import Final, Protocol, TypeVar

from ingestor.days import DAY_NS, DayRange, DaySet, date_of_day, midnight
from ingestor.errors import BadJob
from ingestor.job import ChunkPlan
from ingestor.model import Table
from ingestor.vocabulary import ALL_SYMBOLS, MAX_SYMBOLS, Schema

MAX_DAYS: Final = 36_500
"""Most days of one chunk: a century, beyond any dataset."""

# Definitions name what the rest is about; coarse bars are soon there and give the overview.
_FIRST: Final = ("definition", "ohlcv-1d", "ohlcv-1h", "ohlcv-1m", "ohlcv-1s")


@dataclass(frozen=True, slots=True)
class Span:
    """Days that have to be asked for, of symbols that all lack them.

    Attributes:
        symbols: Sorted and distinct, at most MAX_SYMBOLS; or ALL_SYMBOLS alone.
        first: Number of the first day; the provider has it, and the one before `past`.
        past: Number of the day after the last.
        unavailable: Days in between that the provider does not have; asking for them is free.
    """

    symbols: tuple[str, ...]
    first: int
    past: int
    unavailable: DaySet = field(default_factory=DaySet)


@dataclass(frozen=True, slots=True)
class Rules:
    """How large a chunk may be.

    Attributes:
        days: Width of the grid, 1 to MAX_DAYS; a chunk never crosses a line of it.
        symbols: Most symbols of one chunk, 1 to MAX_SYMBOLS.

    Raises:
        BadJob: One of them is out of bounds.
    """

    days: int
    symbols: int

    def __post_init__(self) -> None:
        bounds = (("days", self.days, MAX_DAYS), ("symbols", self.symbols, MAX_SYMBOLS))
        for name, found, most in bounds:
            if not 1 <= found <= most:
                raise BadJob(
                    f"a chunk of {found} {name} is impossible; allowed are 1 to {most}",
                    hint=f"give --chunk-{name} within that, or leave it out for the default",
                )


def spans(
    symbols: Sequence[str], wanted: DaySet, held: Mapping[str, DaySet], unavailable: DaySet
) -> tuple[Span, ...]:
    """What has to be asked: the wanted days that are neither held nor unavailable.

    Ranges that only unavailable days divide are one span, so that bars are not cut at every
    weekend; a held day always cuts. Ordered by first day, then end, then symbols.

    Args:
        symbols: In any order, repeats allowed.
        wanted: With or without the unavailable days: the answer is the same.
        held: Days per symbol; those of ALL_SYMBOLS are held for every one.
        unavailable: Days that the provider does not have, or not yet.

    Raises:
        BadJob: No symbol, or ALL_SYMBOLS beside others.
    """
    lacking: dict[DaySet, list[str]] = defaultdict(list)
    for symbol in _checked(symbols):
        lacking[held.get(symbol, DaySet())].append(symbol)
    of_all = held.get(ALL_SYMBOLS, DaySet())
    found: dict[DayRange, list[str]] = defaultdict(list)
    for days, alike in lacking.items():
        cut = days | of_all
        for each in _bridged(wanted - cut - unavailable, unavailable - cut):
            found[each] += alike
    return tuple(
        Span(part, first, past, unavailable & DaySet([(first, past)]))
        for (first, past), alike in sorted(found.items())
        for part in _parts(sorted(alike), MAX_SYMBOLS)
    )


def fitting(rules: Rules, table: Table, *, most: int) -> tuple[Rules, tuple[str, ...]]:
    """The rules, with fewer days where a chunk would touch more than `most` hypertable chunks.

    Returns:
        The rules and, where they were changed, a line that says so.

    Raises:
        BadJob: Even a chunk of one day would touch more.
    """
    fit = (days for days in range(rules.days, 0, -1) if _touched(days, table) <= most)
    days = next(fit, None)
    if days is None:
        raise BadJob(
            f"a day of {table.name} touches up to {_touched(1, table)} hypertable chunks; "
            f"allowed are {most}",
            hint="raise store.max_hypertable_chunks",
        )
    note = (
        f"chunks of {table.name} take {days} days instead of {rules.days}: more would touch over "
        f"{most} hypertable chunks"
    )
    return replace(rules, days=days), (note,) if days < rules.days else ()


def chunks(
    spans: Iterable[Span], rules: Rules, table: Table, *, most: int
) -> tuple[ChunkPlan, ...]:
    """Cuts spans by the grid, then by symbols; ordered by start, then symbols.

    Spans that have the same days of a grid cell share its chunks. No chunk begins or ends with an
    unavailable day: the chunks of a cell are then the same whatever else was asked. None touches
    more than `most` hypertable chunks: `fitting` lowers rules that would.

    Raises:
        BadJob: Even a chunk of one day would touch more.
    """
    fit, _ = fitting(rules, table, most=most)
    pieces: dict[DayRange, list[tuple[str, ...]]] = defaultdict(list)
    for span in spans:
        for piece in _pieces(span, fit.days):
            pieces[piece].append(span.symbols)
    # Thousands of chunks share a few groups of symbols: 2,000 option symbols are 130 kB each time.
    groups: dict[tuple[tuple[str, ...], ...], tuple[tuple[str, ...], ...]] = {}
    plans: list[ChunkPlan] = []
    for (first, past), alike in pieces.items():
        key = tuple(alike)
        if key not in groups:
            groups[key] = tuple(_parts(sorted(set().union(*alike)), fit.symbols))
        plans += [ChunkPlan(midnight(first), midnight(past), symbols=part) for part in groups[key]]
    return tuple(sorted(plans, key=lambda plan: (plan.start, plan.symbols)))


def clamp(
    start: int | None, end: int | None, available: tuple[int, int]
) -> tuple[DaySet, tuple[str, ...]]:
    """Whole days of [start, end) that lie inside what the provider has.

    Args:
        start: UTC nanoseconds at midnight; None for the first whole day there is.
        end: Day after the last; None for the end of the last whole day there is.
        available: Start and end of what the provider has, UTC nanoseconds, at any time of day.

    Returns:
        The days, and a line for people for each thing that was left out.

    Raises:
        BadJob: Start or end has a time of day, or end does not lie behind start.
    """
    low, high = -(-available[0] // DAY_NS), available[1] // DAY_NS
    first = None if start is None else _whole("start", start)
    past = None if end is None else _whole("end", end)
    if first is not None and past is not None and past <= first:
        raise BadJob(
            f"end {date_of_day(past)} does not lie behind start {date_of_day(first)}",
            hint="end is exclusive: for a single day give the day after it",
        )
    days = DaySet([(max(low, first or low), high if past is None else min(past, high))])
    return days, tuple(_left_out(first, past, low, high))


def job_key(
    source: str,
    dataset: str,
    stype_in: str,
    symbols: Iterable[str],
    requests: Iterable[tuple[Schema, DaySet]],
    *,
    salt: str = "",
) -> str:
    """Hex digest that names a resolved request, however it was spelled.

    Orders, repeats, name, chunk sizes and what is held do not count; days do.

    Args:
        requests: Schema and days, clamped and without the unavailable ones.
        salt: Makes a request differ from its equals, where it is to be planned again.
    """
    days: dict[str, DaySet] = defaultdict(DaySet)
    for schema, asked in requests:
        days[str(schema)] |= asked
    resolved = [
        source, dataset, stype_in, salt, sorted(set(symbols)),
        [[schema, days[schema].ranges] for schema in sorted(days)],
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(resolved).encode()).hexdigest()


class _OfSchema(Protocol):
    @property
    def schema(self) -> Schema: ...


_Asked = TypeVar("_Asked", bound=_OfSchema)


def in_order(wanted: Iterable[_Asked]) -> tuple[_Asked, ...]:
    """Definitions first, then bars from coarse to fine, then the rest; else as given."""
    rank = {schema: place for place, schema in enumerate(_FIRST)}
    return tuple(sorted(wanted, key=lambda each: rank.get(str(each.schema), len(rank))))


def _checked(symbols: Sequence[str]) -> list[str]:
    distinct = sorted(set(symbols))
    if not distinct:
        raise BadJob("no symbols were given", hint=f"name some, or {ALL_SYMBOLS} for all")
    if ALL_SYMBOLS in distinct and len(distinct) > 1:
        raise BadJob(
            f"{ALL_SYMBOLS} stands beside {len(distinct) - 1} other symbols; it must stand alone",
            hint="leave out the others, which it holds, or leave out it",
        )
    return distinct


def _bridged(asked: DaySet, bridge: DaySet) -> list[DayRange]:
    """The ranges of `asked`, joined where every day between two of them is in `bridge`."""
    made: list[DayRange] = []
    for first, past in asked.ranges:
        joined = bool(made) and bridge.covers(made[-1][1], first)
        made.append((made.pop()[0] if joined else first, past))
    return made


def _parts(symbols: list[str], most: int) -> Iterator[tuple[str, ...]]:
    for at in range(0, len(symbols), most):
        yield tuple(symbols[at : at + most])


def _pieces(span: Span, days: int) -> Iterable[DayRange]:
    """One range per cell of the grid that holds a day the provider has."""
    cells: dict[int, DayRange] = {}
    for first, past in (DaySet([(span.first, span.past)]) - span.unavailable).ranges:
        for cell in range(first // days, (past - 1) // days + 1):
            begin = max(first, cell * days)
            cells[cell] = (cells.get(cell, (begin,))[0], min(past, (cell + 1) * days))
    return cells.values()


def _touched(days: int, table: Table) -> int:
    """Most hypertable chunks that the records of one grid cell fall into.

    TimescaleDB counts intervals from 1970, as the grid does. Where a request filters on another
    time than the hypertable is cut by, events may lie before the cell's first midnight.
    """
    worst_offset = table.interval_days - gcd(days, table.interval_days)
    earlier = table.time_column != table.index_column
    return (worst_offset + days - 1) // table.interval_days + 1 + earlier


def _whole(name: str, time: int) -> int:
    day, rest = divmod(time, DAY_NS)
    if rest:
        before, after = date_of_day(day), date_of_day(day + 1)
        raise BadJob(
            f"{name} lies within {before}, and requests are whole UTC days",
            hint=f"give {before} or {after}",
        )
    return day


def _left_out(first: int | None, past: int | None, low: int, high: int) -> Iterator[str]:
    """What [first, past) asks for beyond [low, high), which the provider has."""
    if low >= high:
        yield "nothing is left: the provider has no whole day yet"
    elif (first is not None and first >= high) or (past is not None and past <= low):
        had = f"{date_of_day(low)} to {date_of_day(high)}"
        yield f"nothing is left: the provider has {had} (end exclusive), and none of it was asked"
    else:
        if first is not None and first < low:
            yield f"start moved from {date_of_day(first)} to {date_of_day(low)}: it begins there"
        if past is not None and past > high:
            yield f"end moved from {date_of_day(past)} to {date_of_day(high)}: no more is there yet"
