"""Standard columns as pandas has them: each value exactly what its decimal or its wire says."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.errors import Usage
from ingestor.model import table_of
from ingestor.model.kind import INT64_MAX, UINT64_MAX
from ingestor.query.series import named, series
from ingestor.vocabulary import Schema

TRADES = table_of(Schema.TRADES)
STATISTICS = table_of(Schema.STATISTICS)

prices = st.lists(
    st.integers(-INT64_MAX, INT64_MAX - 1) | st.integers(-(2**55), 2**55), min_size=1, max_size=20
)


@given(prices)
def test_a_float_is_the_one_nearest_to_the_decimal(values: list[int]) -> None:
    """Past 2^53, too, where the integer itself is no float."""
    found = series(TRADES["price"], np.array(values, np.int64), "float")

    assert found.tolist() == [float(Decimal(value).scaleb(-9)) for value in values]


def test_a_division_of_floats_alone_would_be_off() -> None:
    """Why large ones go another way."""
    value = next(v for v in range(2**60, 2**60 + 10**6) if float(v) / 1e9 != v / 10**9)

    assert series(TRADES["price"], np.array([value]), "float").tolist() == [
        float(Decimal(value).scaleb(-9))
    ]


@given(prices)
def test_a_decimal_is_exact(values: list[int]) -> None:
    """And null is None."""
    found = series(TRADES["price"], np.array([*values, INT64_MAX], np.int64), "decimal")

    assert found.tolist() == [*(Decimal(value).scaleb(-9) for value in values), None]
    assert found.dtype == object


def test_null_is_told_apart_in_every_kind() -> None:
    """NaN, NA, NaT, and no text."""
    price = series(TRADES["price"], np.array([INT64_MAX, 1]), "float")
    size = series(TRADES["size"], np.array([2**32 - 1, 0], np.uint32), "float")
    side = series(TRADES["side"], np.array([0, ord("A")], np.uint8), "float")
    time = series(STATISTICS["ts_ref"], np.array([UINT64_MAX, 1], np.uint64), "float")

    for found in (price, size, side, time):
        assert found.isna().tolist() == [True, False]
    assert [str(each.dtype) for each in (price, size, side, time)] == [
        "float64", "UInt32", "str", "datetime64[ns, UTC]",
    ]  # fmt: skip


def test_the_last_moment_of_pandas_is_the_last() -> None:
    """Past it there is only an error, which says of which column."""
    last = 9_223_372_036 * 10**9 - 1
    assert series(TRADES["ts_event"], np.array([last], np.uint64), "float").astype(
        "int64"
    ).tolist() == [last]
    with pytest.raises(Usage, match=r"ts_event 2262-04-11 23:47:16\+00:00 is past 2262-04-11"):
        series(TRADES["ts_event"], np.array([last + 10**9, last + 1], np.uint64), "float")


def test_text_may_be_of_nobody() -> None:
    """No names at all, and rows all the same."""
    found = named([], np.array([-1, -1]))

    assert found.isna().tolist() == [True, True]
    assert str(found.dtype) == "str"
    assert len(named([], np.array([], np.int64))) == 0
