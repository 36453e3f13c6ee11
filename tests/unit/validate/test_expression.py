"""What an expression of the rule language says of records: exactly, and with three truth values."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingestor.model import TABLES, table_of
from ingestor.model.kind import INT64_MAX, UINT64_MAX
from ingestor.validate.expression import Expression, ExpressionFault, compile_expression
from ingestor.vocabulary import Schema

TRADES, DEFINITIONS, BARS = map(table_of, (Schema.TRADES, Schema.DEFINITION, Schema.OHLCV_1D))
ONE = 10**9
DAY = 86_400 * ONE
REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "rule-language.md"


def said(text: str, table: Any = TRADES, **columns: Any) -> list[bool | None]:
    """What an expression says of each record: True, False, or None for null."""
    held = {name: np.array(v, table[name].kind.frame) for name, v in columns.items()}
    count = len(next(iter(held.values())))
    truth = compile_expression(text, table).evaluate(held, count)
    null = np.zeros(count, np.bool_) if truth.null is None else truth.null
    return [None if n else bool(t) for t, n in zip(truth.true, null, strict=True)]


def test_an_expression_names_its_columns_in_order_of_appearance():
    text = " size > 0 and\n  price > 1 or size < 9 "
    found = compile_expression(text, TRADES)
    assert isinstance(found, Expression)
    assert (found.text, found.columns) == (text, ("size", "price"))


def test_a_price_is_compared_in_exact_decimals():
    prices = [ONE // 10 * 3, ONE // 10 * 3 - 1, ONE // 10 * 3 + 1, INT64_MAX]
    assert said("price == 0.3", price=prices) == [True, False, False, None]
    assert said("price <= 0.299999999", price=prices) == [False, True, False, None]
    assert said("price - 0.1 == 0.1 * 2", price=prices) == [True, False, False, None]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("price < 9223372036.854775807", True),
        ("price <= 99999999999999999999", True),
        ("price == 99999999999999999999", False),
        ("price != 99999999999999999999", True),
        ("price > -99999999999999999999", True),
        ("price in [99999999999999999999, 1]", True),
        ("99999999999999999999 > price", True),
    ],
)
def test_a_literal_beyond_the_column_compares_rightly(text, wanted):
    assert said(text, price=[ONE, INT64_MAX]) == [wanted, None]


def test_a_fraction_is_compared_with_whole_numbers_exactly():
    sizes = [1, 2, 3, 2**32 - 1]
    assert said("size > 1.5", size=sizes) == [False, True, True, None]
    assert said("size >= 1.5", size=sizes) == [False, True, True, None]
    assert said("size < 2.5", size=sizes) == [True, True, False, None]
    assert said("size <= 2.5", size=sizes) == [True, True, False, None]
    assert said("-0.5 < size < 1.5", size=sizes) == [True, False, False, None]


def test_times_beyond_a_signed_integer_are_exact():
    event = [2**64 - 2, 2**64 - 2, 2**64 - 3, 0, UINT64_MAX]
    recv = [2**64 - 3, 0, 2**64 - 2, 2**64 - 2, 5]
    held = {"ts_event": event, "ts_recv": recv}
    assert said("ts_event > ts_recv", **held) == [True, True, False, False, None]
    text = "ts_event - ts_recv in [seconds(0.000000001), -seconds(0.000000001)]"
    assert said(text, **held) == [True, False, True, False, None]
    text = "abs(ts_recv - ts_event) > days(213503)"
    assert said(text, **held) == [False, True, False, True, None]


def test_days_and_durations_are_those_of_the_calendar():
    held = {"ts_event": [DAY, 19_793 * DAY, 19_793 * DAY - 1]}
    assert said('ts_event == date("1970-01-02")', **held) == [True, False, False]
    assert said("ts_event >= date('2024-03-11')", **held) == [False, True, False]
    text = "ts_event == date('2024-03-10') + hours(23) + minutes(59) + seconds(59.999999999)"
    assert said(text, **held) == [False, False, True]


def test_an_undefined_required_time_is_null():
    assert said("ts_recv is null", ts_recv=[UINT64_MAX, 1]) == [True, False]


def test_null_makes_a_comparison_null_and_logic_has_three_values():
    held = {"price": [INT64_MAX, ONE], "size": [0, 0]}
    assert said("price > 0", **held) == [None, True]
    assert said("not price > 0", **held) == [None, False]
    assert said("price > 0 and size > 0", **held) == [False, False]
    assert said("price > 0 or size == 0", **held) == [True, True]
    assert said("price > 0 or size > 0", **held) == [None, True]
    assert said("price not in [1, 2]", **held) == [None, False]
    assert said("price * 2 is null", **held) == [True, False]
    assert said("price is not null and price > 0", **held) == [False, True]


def test_characters_and_text_are_compared_with_what_stands_in_quotes():
    assert said('side in ("A", "B")', side=[*b"ABN", 0]) == [True, True, False, None]
    assert said('side != "A"', side=[*b"AN", 0]) == [False, True, None]
    symbols = [b"ESH4", "é".encode(), b""]
    assert said("raw_symbol == 'é'", DEFINITIONS, raw_symbol=symbols) == [False, True, None]
    assert said("raw_symbol < 'F'", DEFINITIONS, raw_symbol=symbols) == [True, False, None]
    long = "x" * 300
    assert said(f"raw_symbol == '{long}'", DEFINITIONS, raw_symbol=symbols) == [False, False, None]
    assert said("granularity == ''", BARS, granularity=[b"1d", b""]) == [False, True]


def test_a_long_list_is_looked_up_as_a_short_one_is():
    numbers = "-3, 99999999999999999999, " + ", ".join(map(str, range(10, 20)))
    deltas = [-3, -2, 10, 19, 20]
    wanted = [True, False, True, True, False]
    assert said(f"ts_in_delta in [{numbers}]", ts_in_delta=deltas) == wanted
    words = ", ".join(f"'S{n}'" for n in range(20))
    symbols = [b"S1", b"S20", b"S", b""]
    found = said(f"raw_symbol in [{words}]", DEFINITIONS, raw_symbol=symbols)
    assert found == [True, False, False, None]


def test_what_binds_closer_is_as_in_python():
    """`&` among it: closer than a comparison, unlike in C."""
    held = {"size": [2, 3], "flags": [1, 9], "depth": [1, 5]}
    assert said("flags & 8 == 0", **held) == [True, False]
    assert said("size + flags * 2 == 4 or depth == 5 and size == 0", **held) == [True, False]
    assert said("not size == 2 and depth == 5", **held) == [False, True]
    assert said("1 < size <= 2 < 3 * depth", **held) == [True, False]


def test_one_record_far_out_leaves_the_others_as_they_are():
    """A price times a size passes 64 bits; that batch is calculated in Python's integers."""
    held = {"price": [INT64_MAX - 1, 2 * ONE, -INT64_MAX], "size": [2**32 - 2, 3, 2**32 - 2]}
    assert said("price * size == 6", **held) == [False, True, False]
    assert said("price * size > 0", **held) == [True, True, False]
    assert said("abs(-price) * size * size > 18", **held) == [True, False, True]


def test_many_conditions_and_forty_levels_are_allowed():
    assert said("(" * 40 + "size > 0" + ")" * 40, size=[1]) == [True]
    assert said("not " * 40 + "size > 0", size=[1]) == [True]
    assert said(" or ".join(f"size == {n}" for n in range(120)), size=[119, 120]) == [True, False]


def test_every_column_of_every_table_can_be_named():
    for table in TABLES:
        for column in table.frame_columns:
            found = compile_expression(f"{column.name} is not null", table)
            assert found.columns == (column.name,)


def test_every_example_of_the_reference_is_an_expression():
    """Each line of a block that is highlighted compiles over a table that has its columns."""
    blocks = re.findall(r"^```python\n(.*?)^```", REFERENCE.read_text(), re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines() if line.strip()]
    assert len(lines) > 10
    for line in lines:
        assert any(_compiles(line, table) for table in TABLES), line


def _compiles(text: str, table: Any) -> bool:
    try:
        compile_expression(text, table)
    except ExpressionFault:
        return False
    return True
