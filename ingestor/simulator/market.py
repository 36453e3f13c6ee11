"""A market that never was: trades and bars, the same for the same seed, instrument and day.

Made to be as awkward as real data: trades that repeat a key, that differ in nanoseconds only, or in
nothing at all (1.95 % of real ES trades share instrument, time and sequence); several publishers;
prices below zero; days without trading.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

import numpy as np

from ingestor.dbn import layout, rtype
from ingestor.vocabulary import Schema

if TYPE_CHECKING:
    import numpy.typing as npt

SECOND: Final = 1_000_000_000
DAY: Final = 86_400 * SECOND
MONDAY: Final = 19_793 * DAY
"""2024-03-11, a Monday."""

UNDEFINED_TIME: Final = 2**64 - 1
WIDTHS: Final[Mapping[Schema, int]] = {
    Schema.OHLCV_1S: SECOND,
    Schema.OHLCV_1M: 60 * SECOND,
    Schema.OHLCV_1H: 3_600 * SECOND,
    Schema.OHLCV_1D: DAY,
}
_UNIT: Final = 10**9
_SATURDAY = 5
_US: Final = 1_000
_DAY_US: Final = DAY // _US
_WIRE_VERSION = 3


@dataclass(frozen=True, slots=True)
class Instrument:
    """Something that is traded.

    Attributes:
        price: Where its price begins, units of 1e-9; a spread may begin below zero.
        tick: Smallest price step, units of 1e-9.
    """

    symbol: str
    instrument_id: int
    publisher_id: int = 1
    price: int = 5_200 * _UNIT
    tick: int = _UNIT // 4


INSTRUMENTS: Final = (
    Instrument("ESM4", 17_077),
    Instrument("NQM4", 750, price=18_200 * _UNIT),
    Instrument("ESM4-ESU4", 42_140_878, price=-1 * _UNIT, tick=_UNIT // 20),
)


def make_trades(
    count: int,
    *,
    seed: int = 0,
    start: int = MONDAY,
    days: int = 1,
    instruments: Sequence[Instrument] = INSTRUMENTS,
    undefined: int = 0,
) -> npt.NDArray[np.void]:
    """Exactly `count` trades ordered by ts_recv, over `days` calendar days from `start`.

    Args:
        undefined: How many of them get an undefined ts_recv, spread over all.
    """
    open_days = max(1, sum(_is_open(start // DAY + day) for day in range(days)))
    per_day = -(-count // (open_days * len(instruments)))
    made = trades(instruments, start, start + days * DAY, seed=seed, per_day=per_day)[:count]
    if undefined:
        made["ts_recv"][np.linspace(0, count - 1, undefined).astype(np.int64)] = UNDEFINED_TIME
    return made


def trades(
    instruments: Sequence[Instrument], start: int, end: int, *, seed: int, per_day: int
) -> npt.NDArray[np.void]:
    """Trades with ts_recv in [start, end), ordered by it; `per_day` for each instrument."""
    found = [np.empty(0, layout(Schema.TRADES, _WIRE_VERSION))]
    for day in _open_days(start, end):
        parts = [trades_of_day(each, day, seed, per_day) for each in instruments]
        records = np.concatenate(parts)
        records = records[np.argsort(records["ts_recv"], kind="stable")]
        inside = (records["ts_recv"] >= np.uint64(start)) & (records["ts_recv"] < np.uint64(end))
        found.append(records[inside])
    return np.concatenate(found)


def make_bars(
    count: int,
    schema: Schema = Schema.OHLCV_1M,
    *,
    seed: int = 0,
    start: int = MONDAY,
    instruments: Sequence[Instrument] = INSTRUMENTS,
) -> npt.NDArray[np.void]:
    """Exactly `count` bars ordered by ts_event, from `start` on."""
    per_day = min(DAY // WIDTHS[schema], 1_000)
    days = -(-count // (per_day * len(instruments)))
    # Two days of each week are closed; one more week makes up for what the edges cut.
    end = start + (days * 7 // 5 + 7) * DAY
    return bars(schema, instruments, start, end, seed=seed, per_day=per_day)[:count]


def bars(
    schema: Schema,
    instruments: Sequence[Instrument],
    start: int,
    end: int,
    *,
    seed: int,
    per_day: int,
) -> npt.NDArray[np.void]:
    """Bars with ts_event in [start, end), ordered by it; at most `per_day` for each instrument."""
    found = [np.empty(0, layout(schema, _WIRE_VERSION))]
    for day in _open_days(start, end):
        parts = [bars_of_day(each, schema, day, seed, per_day) for each in instruments]
        records = np.concatenate(parts)
        records = records[np.argsort(records["ts_event"], kind="stable")]
        inside = (records["ts_event"] >= np.uint64(start)) & (records["ts_event"] < np.uint64(end))
        found.append(records[inside])
    return np.concatenate(found)


def mappings(
    instruments: Sequence[Instrument], start: int, end: int
) -> dict[str, list[tuple[date, date, str]]]:
    """Which symbol is which instrument, for the metadata of a file over [start, end)."""
    first, last = (datetime.fromtimestamp(time // SECOND, UTC).date() for time in (start, end))
    return {each.symbol: [(first, last, str(each.instrument_id))] for each in instruments}


def _open_days(start: int, end: int) -> Iterator[int]:
    return (day for day in range(start // DAY, -(-end // DAY)) if _is_open(day))


def _is_open(day: int) -> bool:
    """1970-01-01 was a Thursday."""
    return (day + 3) % 7 < _SATURDAY


def trades_of_day(
    instrument: Instrument, day: int, seed: int, count: int, *, part: int = 0, parts: int = 1
) -> npt.NDArray[np.void]:
    """`count` trades of one of the equal `parts` that a day (since 1970) is cut into, in order.

    A day cut otherwise holds other trades; parts serve days that are too large for memory.
    """
    random = chance(instrument, day, seed, part, parts)
    records = blank(Schema.TRADES, instrument, count)
    first, past = part_bounds(part, parts)
    first = max(first, SECOND)
    recv = np.sort(random.integers(day * DAY + first, day * DAY + past, count, np.uint64))
    delay = random.integers(20_000, 3_000_000, count, np.uint64)
    records["ts_recv"] = recv
    records["ts_event"] = recv - delay
    records["ts_in_delta"] = random.integers(10_000, 20_000, count)
    # Steps are below 50, so no part's numbers reach into the next one's.
    records["sequence"] = np.cumsum(random.integers(1, 50, count)) + part * count * 50
    records["price"] = _walk(random, _from_part(instrument, day, seed, part), count)
    records["size"] = random.geometric(0.3, count)
    records["action"] = b"T"
    records["side"] = random.choice(np.array([b"A", b"B", b"N"]), count, p=[0.48, 0.48, 0.04])
    records["flags"] = random.choice(np.array([0, 128, 130], np.uint8), count)
    _repeat_keys(random, records)
    return records


def part_bounds(part: int, parts: int) -> tuple[int, int]:
    """Where a part of a day begins and ends: nanoseconds since midnight, whole microseconds."""
    return (_DAY_US * part // parts * _US, _DAY_US * (part + 1) // parts * _US)


def _repeat_keys(random: np.random.Generator, records: npt.NDArray[np.void]) -> None:
    """Lets 4 % of the trades repeat the key of the one before; some in all, some but for ns."""
    kind = random.choice(np.array([0, 1, 2, 3]), len(records), p=[0.96, 0.02, 0.01, 0.01])
    kind[:1] = 0
    rows = np.arange(len(records))
    model = np.maximum.accumulate(np.where(kind == 0, rows, 0))
    repeats = kind > 0
    for name in ("ts_recv", "ts_event", "sequence"):
        records[name][repeats] = records[name][model[repeats]]
    same = kind == 2
    records[same] = records[model[same]]
    # Nanoseconds only: still in order, still in the microsecond.
    near = kind == 3
    below = records["ts_recv"][near] % np.uint64(1_000)
    step = np.minimum(np.uint64(999) - below, (rows - model)[near].astype(np.uint64))
    records["ts_recv"][near] += step
    records["ts_recv"] = np.maximum.accumulate(records["ts_recv"])


def bars_of_day(
    instrument: Instrument,
    schema: Schema,
    day: int,
    seed: int,
    count: int,
    *,
    part: int = 0,
    parts: int = 1,
) -> npt.NDArray[np.void]:
    """At most `count` bars of one of the equal `parts` of a day (since 1970), in order.

    Fewer only where the part has fewer places for bars of that width.
    """
    random = chance(instrument, day, seed, part, parts)
    width = WIDTHS[schema]
    slots = DAY // width
    first, past = slots * part // parts, slots * (part + 1) // parts
    chosen = random.choice(past - first, min(count, past - first), replace=False)
    taken = (np.sort(chosen) + first).astype(np.uint64)
    records = blank(schema, instrument, len(taken))
    records["ts_event"] = np.uint64(day * DAY) + taken * np.uint64(width)
    opens = _walk(random, _from_part(instrument, day, seed, part), len(taken) + 1)
    records["open"], records["close"] = opens[:-1], opens[1:]
    reach = random.integers(0, 5, (2, len(taken))) * instrument.tick
    records["high"] = np.maximum(opens[:-1], opens[1:]) + reach[0]
    records["low"] = np.minimum(opens[:-1], opens[1:]) - reach[1]
    records["volume"] = random.geometric(0.01, len(taken))
    return records


def chance(
    instrument: Instrument, day: int, seed: int, part: int = 0, parts: int = 1, *, of: int = 0
) -> np.random.Generator:
    """Chance of its own for each part of each day; a day in one part has the day's.

    Args:
        of: What it is for, where one part needs several; 0 for its trades or bars.
    """
    key = [seed, day, instrument.instrument_id, instrument.publisher_id]
    if of:
        return np.random.default_rng([*key, parts, part, of])
    return np.random.default_rng(key if parts == 1 else [*key, parts, part])


def _from_part(instrument: Instrument, day: int, seed: int, part: int) -> Instrument:
    """The instrument at the price where a part of its day begins: a walk over the parts."""
    if part == 0:
        return instrument
    key = [seed, day, instrument.instrument_id, instrument.publisher_id]
    steps = int(np.random.default_rng(key).integers(-20, 21, part).sum())
    return replace(instrument, price=instrument.price + steps * instrument.tick)


def blank(schema: Schema, instrument: Instrument, count: int) -> npt.NDArray[np.void]:
    """Records with header fields filled in and everything else 0."""
    records = np.zeros(count, layout(schema, _WIRE_VERSION))
    records["length"] = records.dtype.itemsize // 4
    records["rtype"] = rtype(schema)
    records["publisher_id"] = instrument.publisher_id
    records["instrument_id"] = instrument.instrument_id
    return records


def _walk(random: np.random.Generator, instrument: Instrument, count: int) -> npt.NDArray[np.int64]:
    steps = np.cumsum(random.integers(-2, 3, count))
    return np.asarray(instrument.price + steps * instrument.tick, np.int64)
