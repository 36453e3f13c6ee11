"""Decimal text is read exactly or not at all, as a cell by cell evaluation with Decimal does it."""

from __future__ import annotations

import decimal
import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingestor.transform.decimals import scaled
from ingestor.vocabulary import Schema
from tests.cells import column_of, records, rule, values

PRICE = column_of("price")
SIZE = column_of("size")
VOLUME = column_of("volume", Schema.OHLCV_1D)
TRADE_COUNT = column_of("trade_count", Schema.OHLCV_1D)
QUANTITY = column_of("quantity", Schema.STATISTICS)
DELTA = column_of("ts_in_delta")
WIDE = decimal.Context(prec=400, Emax=10**6, Emin=-(10**6))
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
LOWEST, HIGHEST = -(2**63) + 1, 2**63 - 2

digits = st.text("0123456789", max_size=22)
numbers = st.builds(
    lambda sign, whole, point, decimals, exponent: f"{sign}{whole}{point}{decimals}{exponent}",
    st.sampled_from(["", "-", "+"]), digits, st.sampled_from(["", ".", "."]), digits,
    st.sampled_from(["", "", "", "e0", "e-3", "E+4", "e12", "e-30", "e999"]),
)  # fmt: skip
garbage = st.text("0123456789.+-eE ,_\tx'é", max_size=14)
cells = st.one_of(numbers, garbage, st.integers(-(2**64), 2**64).map(str))


def plain(cell: str, shift: int, lowest: int, highest: int) -> Any:
    """One cell, with Decimal."""
    text = cell.strip(" \t")
    if not text:
        return "null"
    if not NUMBER.fullmatch(text):
        return "unread"
    exact = WIDE.scaleb(Decimal(text), shift)
    found = int(exact)
    return found if found == exact and lowest <= found <= highest else "unread"


@settings(deadline=None)
@given(given_=st.lists(cells, min_size=1, max_size=30))
def test_a_price_is_what_decimal_makes_of_it(given_: list[str]) -> None:
    """Exact at 1e-9, unread beyond: the undefined price is no price."""
    made = values(PRICE, rule("decimal_price", field="x"), records(x=given_))

    assert made == [plain(each, 9, LOWEST, HIGHEST) for each in given_]


@settings(deadline=None)
@given(given_=st.lists(st.integers(LOWEST, HIGHEST), min_size=1, max_size=30))
@example([LOWEST, HIGHEST, 0, -1, 1, 10**9, -(10**9)])
def test_every_price_that_a_column_holds_can_be_written(given_: list[int]) -> None:
    """The whole range of 64 bits, as Decimal writes it."""
    written = [f"{WIDE.scaleb(Decimal(each), -9):f}" for each in given_]

    assert values(PRICE, rule("decimal_price", field="x"), records(x=written)) == given_


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("9223372036.854775807", "unread"), ("9223372036.854775806", 2**63 - 2),
        ("-9223372036.854775807", -(2**63) + 1), ("-9223372036.854775808", "unread"),
        ("1.0000000001", "unread"), ("1.0000000000", 10**9), ("-0.00", 0), (".5", 5 * 10**8),
        ("5.", 5 * 10**9), (".", "unread"), ("1e3", 10**12), ("1.5e-07", 150), ("1e-10", "unread"),
        ("1E3", 10**12), ("1e", "unread"), ("e5", "unread"), ("1,000.00", "unread"),
        ("1_000", "unread"), ("1 000", "unread"), (" 1.25\t", 1_250_000_000), ("", "null"),
        ("   ", "null"), ("nan", "unread"), ("inf", "unread"), ("0x10", "unread"),
        ("--1", "unread"), ("1-", "unread"), ("+1", 10**9), ("1.2.3", "unread"),
        ("0" * 60 + "1.5", 1_500_000_000), ("1" * 60, "unread"), ("0." + "0" * 60, 0),
        ("0.30000000000000004", "unread"), ("١", "unread"), (b"\xff", "unread"),
        (b"1\x002", "unread"),
    ],
)  # fmt: skip
def test_what_a_price_may_look_like(written: str, found: object) -> None:
    """Also beside a cell that is wider."""
    for others in ([], ["12.25"], ["x" * 50]):
        made = values(PRICE, rule("decimal_price", field="x"), records(x=[written, *others]))
        assert made[0] == found


@pytest.mark.parametrize(("scale", "found"), [("0.01", 12_250_000_000), ("1000", 1225 * 10**12)])
def test_a_scale_moves_the_point(scale: str, found: int) -> None:
    """Cents, and quotes in thousands."""
    given_ = rule("decimal_price", field="x", scale=scale)

    assert values(PRICE, given_, records(x=["1225"])) == [found]


def test_other_spellings_of_null_are_told_by_the_rule() -> None:
    """Whatever blanks are around them; other words stay unread."""
    given_ = rule("decimal_price", field="x", nulls=("NA", "-"))

    assert values(PRICE, given_, records(x=["NA", " - ", "N", "1"])) == [
        "null", "null", "unread", 10**9,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("column", "lowest", "highest"),
    [
        (SIZE, 0, 2**32 - 2), (DELTA, -(2**31), 2**31 - 1), (VOLUME, 0, 2**63 - 1),
        (TRADE_COUNT, 0, 2**63 - 1), (QUANTITY, -(2**63), 2**63 - 2),
    ],
    ids=lambda each: getattr(each, "name", ""),
)  # fmt: skip
@settings(deadline=None)
@given(given_=st.lists(cells, min_size=1, max_size=20))
def test_a_number_is_what_decimal_makes_of_it(
    column: Any, lowest: int, highest: int, given_: list[str]
) -> None:
    """In the bounds of its column, and never its null."""
    edges = [str(lowest), str(lowest - 1), str(highest), str(highest + 1), "12.0", "12.5"]
    wanted = [plain(each, 0, lowest, highest) for each in [*given_, *edges]]
    if not column.nullable:
        wanted = ["unread" if each == "null" else each for each in wanted]

    assert values(column, rule("number", field="x"), records(x=[*given_, *edges])) == wanted


@given(cell=cells, shift=st.integers(-9, 18))
def test_one_number_alone_is_read_the_same_way(cell: str, shift: int) -> None:
    """As literals of the file are."""
    found = scaled(cell.encode(), shift)
    wanted = plain(cell, shift, -(10**37), 10**37) if cell == cell.strip(" \t") else "unread"

    if found is None or abs(found) <= 10**37:
        assert ("unread" if found is None else found) == ("unread" if wanted == "null" else wanted)


def test_no_record_makes_no_value() -> None:
    assert values(PRICE, rule("decimal_price", field="x"), records(x=["1"])[:0]) == []
