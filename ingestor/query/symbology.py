"""What the metadata of a DBN file say of symbols, from the stored mappings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ingestor.days import DaySet, day_of
from ingestor.errors import Usage
from ingestor.query.meanings import meanings
from ingestor.query.names import dates
from ingestor.query.question import Question
from ingestor.query.reader import Reader
from ingestor.vocabulary import ALL_SYMBOLS, SType

# Symbols are ASCII in 71 bytes of DBN 3, the last one NUL. 64 MiB are what HDI itself reads.
_SYMBOL_BYTES: Final = 71
_INTERVAL_BYTES: Final = 8 + _SYMBOL_BYTES
_MOST_BYTES: Final = 64 << 20

_KNOWN: Final = """
SELECT i.symbol, i.instrument_id, lower(d) AS first_day, upper(d) AS past_day
FROM ingest.symbol_intervals i, unnest(i.days * datemultirange(daterange($2, $3))) AS d
WHERE i.dataset = $1 AND i.stype_in = 'raw_symbol' AND i.stype_out = 'instrument_id'
  AND i.days && daterange($2, $3)
ORDER BY i.symbol, first_day, i.instrument_id LIMIT $4
"""

Held = tuple[str, int, dt.date, dt.date]
"""Symbol, instrument id, first day, day after the last."""

Intervals = dict[str, list[tuple[dt.date, dt.date, str]]]


@dataclass(frozen=True, slots=True)
class Symbology:
    """Symbols and mappings of a file's metadata.

    Attributes:
        symbols: As asked for.
        mappings: Symbol → (first day, day after the last, instrument id). Those of a parent are
            its members under their raw symbols, as the provider's own files have it.
        partial: Symbols that meant nothing on some of the days; `not_found` on any.
    """

    stype_in: SType
    symbols: Sequence[str]
    mappings: Mapping[str, Sequence[tuple[dt.date, dt.date, str]]] = field(default_factory=dict)
    partial: Sequence[str] = ()
    not_found: Sequence[str] = ()


async def symbology(reader: Reader, asked: Question) -> Symbology:
    """What is stored about the question's symbols, cut to its days.

    All symbols of a dataset are its raw symbols of these days; where the metadata cannot hold them
    or none is known, ALL_SYMBOLS without mappings. Instrument ids have none, as in the provider's
    own files.

    Raises:
        Usage: The symbols have more intervals than the metadata can hold, or are none of DBN's.
    """
    if asked.symbols is None:
        return await _of_all(reader, asked)
    if foreign := [each for each in asked.symbols if not _spellable(each)]:
        raise Usage(
            f"{foreign[0]!r} cannot stand in the metadata of a file, which hold ASCII of at most "
            f"{_SYMBOL_BYTES - 1} characters",
            hint="export it by its number, with --stype-in instrument_id; or --all",
        )
    if asked.stype_in is SType.INSTRUMENT_ID:
        return Symbology(asked.stype_in, asked.symbols)
    assert asked.dataset is not None
    found = await meanings(
        reader, asked.symbols, dataset=asked.dataset, first=asked.start, past=asked.end,
        stype_in=asked.stype_in,
    )  # fmt: skip
    parents = asked.stype_in is SType.PARENT
    named = [
        (name, each.instrument_id, each.first, each.past)
        for each in found.found
        if (name := each.raw_symbol if parents else each.symbol) is not None
    ]
    made = _merged(named)
    if _bytes(asked.symbols, made) > _MOST_BYTES:
        raise Usage(
            f"the metadata of a file cannot hold {len(named):,} intervals of symbols",
            hint="export fewer symbols or fewer days at once",
        )
    return Symbology(asked.stype_in, asked.symbols, made, found.partial, found.not_found)


async def _of_all(reader: Reader, asked: Question) -> Symbology:
    most = _MOST_BYTES // _INTERVAL_BYTES
    rows = await reader.fetch(_KNOWN, asked.dataset, asked.start, asked.end, most)
    made = _merged(
        (row["symbol"], row["instrument_id"], row["first_day"], row["past_day"]) for row in rows
    )
    if not made or _bytes(made, made) > _MOST_BYTES:
        return Symbology(SType.RAW_SYMBOL, [ALL_SYMBOLS])
    asked_days = DaySet([(day_of(asked.start), day_of(asked.end))])
    partial = [symbol for symbol, some in made.items() if asked_days - _days(some)]
    return Symbology(SType.RAW_SYMBOL, list(made), made, partial)


def _spellable(symbol: str) -> bool:
    return symbol.isascii() and len(symbol) < _SYMBOL_BYTES


def _merged(held: Iterable[Held]) -> Intervals:
    """Each symbol's intervals by day; a member of two parents has its days once.

    Names that DBN cannot spell are left out: a venue's record holds any bytes, metadata do not.
    """
    days: dict[tuple[str, int], DaySet] = {}
    for symbol, number, first, past in held:
        if not _spellable(symbol):
            continue
        own = DaySet([(day_of(first), day_of(past))])
        days[symbol, number] = days.get((symbol, number), DaySet()) | own
    made: Intervals = {}
    for (symbol, number), some in days.items():
        made.setdefault(symbol, []).extend((*each, str(number)) for each in dates(some))
    return {symbol: sorted(some) for symbol, some in made.items()}


def _days(some: Iterable[tuple[dt.date, dt.date, str]]) -> DaySet:
    return DaySet((day_of(first), day_of(past)) for first, past, _ in some)


def _bytes(symbols: Iterable[str], made: Intervals) -> int:
    named = sum(1 for _ in symbols) * _SYMBOL_BYTES
    return named + sum(_SYMBOL_BYTES + 4 + len(some) * _INTERVAL_BYTES for some in made.values())
