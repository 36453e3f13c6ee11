"""Records of the wire as plain rows, decoded here and not by the product's transform."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ingestor.model import table_of
from ingestor.vocabulary import Schema

Row = tuple[object, ...]
Records = npt.NDArray[np.void]

_MOST: Final = {"i8": 2**63 - 1, "u8": 2**64 - 1, "u4": 2**32 - 1, "u2": 2**16 - 1}
_MICROSECONDS: Final = "(extract(epoch FROM {0}) * 1000000)::BIGINT"


@dataclass(frozen=True, slots=True)
class Field:
    """One value of a row: how SQL reads it, and what a record of the wire says."""

    sql: str
    read: Callable[[Records], list[Any]]


def _whole(name: str) -> Field:
    return Field(name, lambda records: records[name].tolist())


def _or_null(name: str, undefined: int) -> Field:
    return Field(
        name,
        lambda records: [None if v == undefined else v for v in records[name].tolist()],
    )


def _letter(name: str) -> Field:
    return Field(name, lambda records: [v.decode() or None for v in records[name].tolist()])


def _price(column: str, name: str | None = None) -> Field:
    def read(records: Records) -> list[Any]:
        fixed = records[name or column].tolist()
        return [None if v == _MOST["i8"] else Decimal(v).scaleb(-9) for v in fixed]

    return Field(column, read)


def _time(name: str) -> Field:
    """Nanoseconds since 1970, from a column of microseconds and the one of the rest beside it."""
    sql = f"{_MICROSECONDS.format(name)} * 1000 + {name}_ns"
    return Field(
        sql, lambda records: [None if v == _MOST["u8"] else v for v in records[name].tolist()]
    )


def _constant(column: str, value: object) -> Field:
    return Field(column, lambda records: [value] * len(records))


def _ordinal(*key: str) -> Field:
    """Which it is among those that are alike in all of the key, times cut to microseconds."""

    def read(records: Records) -> list[Any]:
        met: Counter[Row] = Counter()
        made = []
        for values in zip(*(_cut(name, records) for name in key), strict=True):
            made.append(met[values])
            met[values] += 1
        return made

    return Field("ordinal", read)


def _cut(name: str, records: Records) -> list[int]:
    values = records[name]
    found: list[int] = (values // np.uint64(1_000) if name.startswith("ts_") else values).tolist()
    return found


_EVENT: Final = (
    _time("ts_event"), _time("ts_recv"), _whole("instrument_id"), _whole("publisher_id"),
    _whole("sequence"), _whole("ts_in_delta"),
)  # fmt: skip
_TRADE: Final = (
    *_EVENT, _price("price"), _or_null("size", _MOST["u4"]), _letter("action"), _letter("side"),
    _whole("flags"), _whole("depth"),
    _ordinal("instrument_id", "ts_event", "ts_recv", "sequence", "publisher_id"),
)  # fmt: skip
_QUOTED: Final = (
    *_TRADE, _price("bid_px_00"), _price("ask_px_00"), _or_null("bid_sz_00", _MOST["u4"]),
    _or_null("ask_sz_00", _MOST["u4"]), _whole("bid_ct_00"), _whole("ask_ct_00"),
)  # fmt: skip
_STATISTIC: Final = (
    *_EVENT, _time("ts_ref"), _price("price"), _or_null("quantity", _MOST["i8"]),
    _whole("stat_type"), _or_null("channel_id", _MOST["u2"]), _whole("update_action"),
    _whole("stat_flags"),
    _ordinal("instrument_id", "ts_event", "ts_recv", "stat_type", "sequence", "publisher_id"),
)  # fmt: skip


def _bar(width: str) -> tuple[Field, ...]:
    prices = (_price(f"{name}_price", name) for name in ("open", "high", "low", "close"))
    start = Field(f"{_MICROSECONDS.format('ts_event')} * 1000", lambda r: r["ts_event"].tolist())
    return (
        start, _whole("instrument_id"), _whole("publisher_id"), *prices, _whole("volume"),
        _constant("trade_count", None), _constant("vwap", None), _constant("granularity", width),
        _constant("data_source", "databento"),
    )  # fmt: skip


FIELDS: Final = {
    Schema.TRADES: _TRADE,
    Schema.TBBO: _QUOTED,
    Schema.STATISTICS: _STATISTIC,
    Schema.OHLCV_1S: _bar("1s"),
    Schema.OHLCV_1M: _bar("1m"),
    Schema.OHLCV_1H: _bar("1h"),
    Schema.OHLCV_1D: _bar("1d"),
}
"""Every column of each table but chunk_id."""


def rows(schema: Schema, records: Records) -> list[Row]:
    """What the table must hold of the records, in their order."""
    return list(zip(*(each.read(records) for each in FIELDS[schema]), strict=True))


def select(schema: Schema) -> str:
    """Rows spelled as `rows` spells them, of the events in [$1, $2)."""
    columns = ", ".join(each.sql for each in FIELDS[schema])
    return (
        f"SELECT {columns} FROM public.{table_of(schema).name}"
        " WHERE ts_event >= $1 AND ts_event < $2"
    )
