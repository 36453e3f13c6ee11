"""Standard columns → pandas Series: wire integers become times, prices, nullable integers, text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import numpy.typing as npt

from ingestor.errors import Usage
from ingestor.model import Column
from ingestor.model.kind import CHARACTER, NANOSECONDS, PRICE, TEXT
from ingestor.query.selection import instant

if TYPE_CHECKING:
    import pandas as pd

Prices = Literal["float", "decimal"]
Values = npt.NDArray[Any]

_CHARACTERS: Final = [chr(each) for each in range(256)]
_PAST_NS: Final = 9_223_372_036 * NANOSECONDS
_EXACT: Final = 2**53
"""Integers up to it are float64."""


def series(column: Column, values: Values, prices: Prices) -> pd.Series:
    """A column of any kind as people read it.

    Raises:
        Usage: A time lies past 2262.
    """
    import pandas as pd

    null = values == column.null if column.nullable else np.zeros(len(values), bool)
    if column.kind is PRICE:
        return pd.Series(_floats(values, null) if prices == "float" else _decimals(values, null))
    if column.kind.sql == "TIMESTAMPTZ":
        return _times(column.name, values, null)
    if column.kind is CHARACTER:
        return named(_CHARACTERS, np.where(null, -1, values.astype(np.int64)))
    if column.kind is TEXT:
        texts, codes = _distinct(values)
        return named(texts, np.where(null, -1, codes))
    return pd.Series(pd.arrays.IntegerArray(values, null) if column.nullable else values)


def named(names: Sequence[str], codes: Values) -> pd.Series:
    """Text out of the few there are; -1 is null."""
    import pandas as pd

    # An array without any element has none to take.
    return pd.Series(pd.array([*names, ""], dtype="str").take(codes, allow_fill=True))


def _distinct(values: Values) -> tuple[list[str], Values]:
    """The texts there are, and the place of each value's; neighbours are often alike."""
    import pandas as pd

    first = np.ones(len(values), bool)
    first[1:] = values[1:] != values[:-1]
    codes, texts = pd.factorize(values[first].astype(object))
    return [each.decode() for each in texts], codes[np.cumsum(first) - 1]


def _times(name: str, values: Values, null: Values) -> pd.Series:
    import pandas as pd

    if (late := values[(values >= _PAST_NS) & ~null]).size:
        raise Usage(
            f"{name} {instant(int(late.min()))} is past {instant(_PAST_NS):%Y-%m-%d}, where "
            "pandas' nanoseconds end",
            hint="read_records gives it as text",
        )
    times = np.where(null, 0, values).astype("M8[ns]")
    times[null] = np.datetime64("NaT")
    return pd.Series(pd.DatetimeIndex(times, tz="UTC"))


def _floats(values: Values, null: Values) -> Values:
    """Each rounded once, as ``float(Decimal)`` is: both sides of the division are exact."""
    made = values / np.float64(NANOSECONDS)
    made[null] = np.nan
    if (large := (np.abs(values) > _EXACT) & ~null).any():
        made[large] = _each(values[large], lambda value: value / NANOSECONDS, np.float64)
    return made


def _decimals(values: Values, null: Values) -> Values:
    # By text: arithmetic would round to the precision of whoever calls.
    made = _each(values, lambda value: Decimal(f"{value}e-9"), object)
    made[null] = None
    return made


def _each(values: Values, convert: Callable[[int], object], dtype: type) -> Values:
    """What Python makes of integers; once of equal ones, for prices come again and again."""
    import pandas as pd

    codes, distinct = pd.factorize(values)
    made: Values = np.empty(len(distinct), dtype)
    made[:] = [convert(each) for each in distinct.tolist()]
    spread: Values = made[codes]
    return spread
