"""What to say beside an answer that is right, and still less than it looks like.

Nothing held, nothing stored of an instrument id, days that no receipt proves complete.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from ingestor.days import DAY_NS, DaySet
from ingestor.query.holdings import days_of
from ingestor.query.reader import Reader
from ingestor.query.selection import Selection, instruments
from ingestor.query.symbols import Interval, spans
from ingestor.vocabulary import Dataset, SType

_LOADED: Final = """
SELECT DISTINCT r.dataset
FROM ingest.chunks k JOIN ingest.requests r USING (request_id)
WHERE k.receipt IS NOT NULL AND r.schema = $1 AND r.dataset = ANY($2::TEXT[])
"""

_ANY: Final = """
SELECT EXISTS (SELECT FROM ingest.coverage WHERE dataset = $1 AND schema = $2) AS any
"""

# Of all symbols: the days on which at least one is proven.
_EVERY: Final = """
SELECT range_agg(days) AS days FROM ingest.coverage WHERE dataset = $1 AND schema = $2
"""

_OWN: Final = """
SELECT symbol, days FROM ingest.coverage
WHERE dataset = $1 AND schema = $2
  AND (symbol = '*' OR (stype_in = $3 AND symbol = ANY($4::TEXT[])))
"""

# What was asked for under another type proves its instruments, too: a parent its members, a
# number its contract. Not the reverse: some members do not make a parent complete.
_OTHER: Final = """
WITH asked AS (
    SELECT symbol, instrument_id, datemultirange(daterange(first, past)) AS days
    FROM unnest($4::TEXT[], $5::BIGINT[], $6::DATE[], $7::DATE[])
      AS a(symbol, instrument_id, first, past)
)
SELECT a.symbol, a.days * i.days * c.days AS days
FROM asked a
JOIN ingest.symbol_intervals i ON i.dataset = $1 AND i.instrument_id = a.instrument_id
     AND i.stype_out = 'instrument_id' AND i.stype_in <> $3
JOIN ingest.coverage c ON c.dataset = $1 AND c.schema = $2 AND c.stype_in = i.stype_in
     AND c.symbol = i.symbol
UNION ALL
SELECT a.symbol, a.days * c.days
FROM asked a
JOIN ingest.coverage c ON c.dataset = $1 AND c.schema = $2 AND c.stype_in = 'instrument_id'
     AND c.symbol = a.instrument_id::TEXT
"""

_SHOWN: Final = 5

Meant = Mapping[str, Sequence[Interval]]
"""Symbol as it was asked for → what it meant, on all days."""


async def notes_on(
    reader: Reader, wanted: Selection, meant: Meant | None, stype_in: SType
) -> list[str]:
    """Lines for people about a selection; `meant` is None for all symbols of its dataset."""
    loaded = {row["dataset"] for row in await reader.fetch(_LOADED, wanted.schema, wanted.datasets)}
    found = [
        f"no {wanted.schema} of {dataset} are held"
        for dataset in wanted.datasets
        if dataset not in loaded
    ]
    if loaded and meant is not None and stype_in is SType.INSTRUMENT_ID:
        found += await _absent(reader, wanted, meant)
    for dataset in wanted.datasets:
        if dataset in loaded:
            found += await _unproven(reader, wanted, dataset, meant, stype_in)
    return found


async def complete(reader: Reader, wanted: Selection, meant: Meant | None, stype_in: SType) -> bool:
    """Whether receipts prove that the selection holds all there is of its symbols and days."""
    asked = DaySet([(wanted.start // DAY_NS, -(-wanted.end // DAY_NS))])
    for dataset in wanted.datasets:
        if meant is None:
            rows = await reader.fetch(_OWN, dataset, wanted.schema, stype_in, [])
            missing = {"*": asked - _by_symbol(rows).get("*", DaySet())}
        else:
            missing = await _missing(reader, wanted, dataset, meant, stype_in, asked)
        if any(missing.values()):
            return False
    return bool(wanted.datasets)


async def _absent(reader: Reader, wanted: Selection, meant: Meant) -> list[str]:
    there = await instruments(reader, wanted)
    absent = [
        symbol
        for symbol, some in meant.items()
        if not any((each.dataset, each.instrument_id) in there for each in some)
    ]
    if not absent:
        return []
    ids = "instrument id" if len(absent) == 1 else "instrument ids"
    where = ", ".join(wanted.datasets)
    return [f"no {wanted.schema} of {ids} {_listed(absent)} of {where} are held on these days"]


async def _unproven(
    reader: Reader, wanted: Selection, dataset: Dataset, meant: Meant | None, stype_in: SType
) -> list[str]:
    """A line about the days that are not proven complete, once anything of this kind is proven."""
    [row] = await reader.fetch(_ANY, dataset, wanted.schema)
    if not row["any"]:
        return []
    asked = DaySet([(wanted.start // DAY_NS, -(-wanted.end // DAY_NS))])
    if meant is None:
        [row] = await reader.fetch(_EVERY, dataset, wanted.schema)
        missing = {str(dataset): asked - days_of(row["days"])}
    else:
        own = {symbol: some for symbol, some in meant.items() if _of(some, dataset)}
        missing = await _missing(reader, wanted, dataset, own, stype_in, asked)
    open_ = {symbol: days for symbol, days in missing.items() if days}
    if not open_:
        return []
    days = DaySet(each for some in open_.values() for each in some.ranges)
    return [f"{wanted.schema} of {_listed(list(open_))}: not proven complete on {spans(days)}"]


def _of(some: Sequence[Interval], dataset: Dataset) -> bool:
    return any(each.dataset == dataset for each in some)


async def _missing(
    reader: Reader,
    wanted: Selection,
    dataset: Dataset,
    meant: Meant,
    stype_in: SType,
    asked: DaySet,
) -> dict[str, DaySet]:
    """The days of `asked` that nothing proves, by symbol."""
    where = dataset, wanted.schema, stype_in
    proven = _by_symbol(await reader.fetch(_OWN, *where, list(meant)))
    every = proven.get("*", DaySet())
    left = {symbol: asked - every - proven.get(symbol, DaySet()) for symbol in meant}
    if stype_in is SType.PARENT or not any(left.values()):
        return left
    rows = [(symbol, each) for symbol, days in left.items() if days for each in meant[symbol]]
    others = _by_symbol(
        await reader.fetch(
            _OTHER, *where, [symbol for symbol, _ in rows],
            [each.instrument_id for _, each in rows], [each.first for _, each in rows],
            [each.past for _, each in rows],
        )
    )  # fmt: skip
    return {symbol: days - others.get(symbol, DaySet()) for symbol, days in left.items()}


def _by_symbol(rows: Iterable[Mapping[str, Any]]) -> dict[str, DaySet]:
    found: dict[str, DaySet] = defaultdict(DaySet)
    for row in rows:
        found[row["symbol"]] |= days_of(row["days"])
    return dict(found)


def _listed(symbols: Sequence[str]) -> str:
    return ", ".join(symbols[:_SHOWN]) + (", …" if len(symbols) > _SHOWN else "")
