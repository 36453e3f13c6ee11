"""The symbol of each row of a selection, by numpy: no step in Python per row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ingestor.days import DAY_NS
from ingestor.query.copied import Columns
from ingestor.query.gathered import PART
from ingestor.query.names import Instrument, Names
from ingestor.query.reader import Reader
from ingestor.query.selection import Selection

Codes = npt.NDArray[np.int64]

# An instrument and a day in one number: dataset, instrument id, day up to date.max.
_DAY_BITS: Final = 22
_ID_BITS: Final = 32


@dataclass(frozen=True, slots=True)
class RowSymbols:
    """Symbols of rows.

    Attributes:
        names: The symbols there are.
        codes: Of each row, the place of its symbol among them; -1 where none is known.
    """

    names: list[str]
    codes: Codes


async def row_symbols(reader: Reader, wanted: Selection, columns: Columns) -> RowSymbols:
    """The symbol that was asked for, else the raw symbol of the row's instrument on its day."""
    if wanted.intervals is None:
        asked: list[str | None] = [None]
        dataset = np.zeros(1, np.int64)
    else:
        asked = [each.symbol for each in wanted.intervals]
        dataset = np.array([wanted.datasets.index(each.dataset) for each in wanted.intervals])
    names = list(dict.fromkeys(symbol for symbol in asked if symbol is not None))
    known = {symbol: at for at, symbol in enumerate(names)}
    part = columns[PART]
    codes = np.array([-1 if each is None else known[each] for each in asked], np.int64)[part]
    unnamed = np.flatnonzero(codes < 0)
    if len(unnamed):
        days = columns[wanted.table.index_column][unnamed] // DAY_NS
        ids = columns["instrument_id"][unnamed]
        found = await _raw(reader, wanted, _keys(dataset[part[unnamed]], ids, days))
        codes[unnamed] = np.where(found.codes < 0, -1, found.codes + len(names))
        names += found.names
    return RowSymbols(names, codes)


async def _raw(reader: Reader, wanted: Selection, keys: Codes) -> RowSymbols:
    """Raw symbols by instrument and day."""
    import pandas as pd

    instruments = [_instrument(wanted, int(each)) for each in pd.unique(keys >> _DAY_BITS)]
    names = Names(reader)
    await names.learn(instruments)
    spans = sorted(
        (_key(wanted, each, first), _key(wanted, each, past), name)
        for each in instruments
        for first, past, name in names.spans(each)
    )
    if not spans:
        return RowSymbols([], np.full(len(keys), -1))
    starts, ends, raw = zip(*spans, strict=True)
    at = np.searchsorted(np.array(starts), keys, "right") - 1
    # Spans of an instrument are disjoint, and none reaches into the next one's numbers.
    held = (at >= 0) & (keys < np.array(ends)[at])
    return RowSymbols(list(raw), np.where(held, at, -1))


def _keys(dataset: Codes, ids: npt.NDArray[Any], days: npt.NDArray[Any]) -> Codes:
    instruments = dataset << _ID_BITS | ids.astype(np.int64)
    return instruments << _DAY_BITS | days.astype(np.int64)


def _key(wanted: Selection, instrument: Instrument, day: int) -> int:
    dataset, number = instrument
    return (wanted.datasets.index(dataset) << _ID_BITS | number) << _DAY_BITS | day


def _instrument(wanted: Selection, key: int) -> Instrument:
    return wanted.datasets[key >> _ID_BITS], key & (1 << _ID_BITS) - 1
