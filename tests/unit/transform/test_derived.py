"""Columns made of other columns: exact, null where those are, unread where those are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestor.model import table_of
from ingestor.transform.derived import derivation, kinship
from ingestor.transform.rules import CopyOf, Difference
from ingestor.vocabulary import Schema
from tests.cells import told

BARS = table_of(Schema.OHLCV_1D)
TRADES = table_of(Schema.TRADES)
STATISTICS = table_of(Schema.STATISTICS)
DEFINITIONS = table_of(Schema.DEFINITION)


def derived(rule: Any, table: Any, name: str, **sources: list[int]) -> list[Any]:
    columns = {each: np.array(values, table[each].kind.frame) for each, values in sources.items()}
    read = derivation(rule, table[name], table)(columns, {})
    bad = np.zeros(len(read.values), bool) if read.unread is None else read.unread
    return [told(table[name], v, b) for v, b in zip(read.values.tolist(), bad, strict=True)]


def of(a: str, b: str) -> Difference:
    return Difference(op="difference", of=a, minus=b)


u64 = st.integers(0, 2**64 - 2)
near = st.integers(2**63, 2**63 + 2**33)


@settings(deadline=None)
@given(pairs=st.lists(st.tuples(u64, u64) | st.tuples(near, near), min_size=1, max_size=30))
def test_a_difference_of_times_is_exact_or_unread(pairs: list[tuple[int, int]]) -> None:
    """Nanoseconds in 32 bits with a sign."""
    one, other = ([each[at] for each in pairs] for at in (0, 1))
    found = derived(of("ts_recv", "ts_event"), TRADES, "ts_in_delta", ts_recv=one, ts_event=other)

    assert found == [a - b if -(2**31) <= a - b < 2**31 else "unread" for a, b in pairs]


prices = st.integers(-(2**63), 2**63 - 1)


@settings(deadline=None)
@given(pairs=st.lists(st.tuples(prices, prices), min_size=1, max_size=30))
def test_a_difference_of_prices_never_wraps(pairs: list[tuple[int, int]]) -> None:
    """Null where one is undefined; unread where 64 bits do not hold it."""
    one, other = ([each[at] for each in pairs] for at in (0, 1))
    found = derived(of("high_price", "low_price"), BARS, "vwap", high_price=one, low_price=other)
    null = 2**63 - 1

    def plain(a: int, b: int) -> Any:
        if null in (a, b):
            return "null"
        return a - b if -null <= a - b < null else "unread"

    assert found == [plain(a, b) for a, b in pairs]


def test_a_copy_spells_null_as_its_own_column_does() -> None:
    """An undefined time that is never null elsewhere is a null here, not a number."""
    copy = CopyOf(op="copy_of", column="ts_recv")
    assert derived(copy, STATISTICS, "ts_ref", ts_recv=[1, 2**64 - 1]) == [1, "null"]
    narrow = CopyOf(op="copy_of", column="quantity")
    assert derived(narrow, STATISTICS, "channel_id", quantity=[5, 2**63 - 1, -1, 2**16 - 1]) == [
        5, "null", "unread", "unread",
    ]  # fmt: skip


def test_a_copy_of_what_is_unread_is_unread() -> None:
    copy = derivation(CopyOf(op="copy_of", column="ts_event"), TRADES["ts_recv"], TRADES)
    found = copy({"ts_event": np.array([1, 2], "u8")}, {"ts_event": np.array([False, True])})

    assert found.values.tolist() == [1, 2**64 - 1]
    assert found.unread is not None
    assert found.unread.tolist() == [False, True]


def test_text_is_copied_whole() -> None:
    copy = derivation(CopyOf(op="copy_of", column="asset"), DEFINITIONS["underlying"], DEFINITIONS)
    found = copy({"asset": np.array([b"ES", b""], "S7")}, {})

    assert (found.values.tolist(), found.unread) == ([b"ES", b""], None)


@pytest.mark.parametrize(
    ("rule", "name", "said"),
    [
        (of("ts_recv", "price"), "ts_in_delta", "not of one sort"),
        (of("ts_recv", "ts_event"), "price", "of sort time is no price"),
        (of("side", "action"), "side", "of sort character is no character"),
        (CopyOf(op="copy_of", column="price"), "size", "price is a price, size a whole number"),
        (of("size", "flags"), "depth", ""),
    ],
)
def test_what_cannot_be_made_of_what_is_told(rule: Any, name: str, said: str) -> None:
    found = kinship(rule, TRADES[name], TRADES)
    assert said in found
    assert bool(said) == bool(found)
