"""Trees of the rule language, and columns for them to be judged over, of every unit and kind."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from hypothesis import strategies as st

from ingestor.model import Column, Table
from ingestor.model.kind import (
    CHARACTER,
    COUNT64,
    INT8,
    INT16,
    INT32,
    INT64,
    INT64_MAX,
    PRICE,
    TEXT,
    TIMESTAMP,
    UINT8,
    UINT16,
    UINT32,
    UINT64,
    UINT64_MAX,
    WHOLE_SECOND,
)
from tests.unit.validate.plain_expression import COMPARED, SPANS, null

EVERY = Table(
    name="every_kind",
    schemas=(),
    columns=(
        Column("bid", PRICE, "", null=INT64_MAX),
        Column("ask", PRICE, "", null=INT64_MAX),
        Column("strike", PRICE, ""),
        Column("volume", COUNT64, ""),
        Column("trades", COUNT64, "", null=UINT64_MAX),
        Column("quantity", INT64, "", null=INT64_MAX),
        Column("signed", INT64, ""),
        Column("big", UINT64, ""),
        Column("u_four", UINT32, "", null=2**32 - 1),
        Column("i_four", INT32, "", null=2**31 - 1),
        Column("u_two", UINT16, ""),
        Column("i_two", INT16, "", null=2**15 - 1),
        Column("u_one", UINT8, "", null=2**8 - 1),
        Column("i_one", INT8, "", null=2**7 - 1),
        Column("event", TIMESTAMP, "", required=UINT64_MAX),
        Column("recv", TIMESTAMP, "", null=UINT64_MAX),
        Column("bar", WHOLE_SECOND, ""),
        Column("side", CHARACTER, "", null=0),
        Column("code", CHARACTER, ""),
        Column("symbol", TEXT, "", null=b""),
        Column("width", TEXT, ""),
    ),
    key=(),
    time_column="event",
    index_column="recv",
    interval_days=1,
    doc="",
    record="",
)
PRICES = ("bid", "ask", "strike")
TIMES = ("event", "recv", "bar")
CHARACTERS = ("side", "code")
TEXTS = ("symbol", "width")
NUMBERS = tuple(
    c.name for c in EVERY.columns if c.name not in (*PRICES, *TIMES, *CHARACTERS, *TEXTS)
)
WORDS = ("ES", "ESH4", "é", "A B", "zz")
EXTREMES = (
    0, 1, -1, 127, 128, 255, 256, 2**31 - 2, 2**32 - 2, 2**32, 2**62, -(2**62),
    2**63 - 2, 2**63 - 1, 2**63, -(2**63) + 1, -(2**63), 2**64 - 2, 2**64 - 1,
    1_700_000_000_000_000_000, 1_000_000_000,
)  # fmt: skip


def later(of: Callable[[], Any]) -> Any:
    """A strategy made when it is needed; its name stays short in what hypothesis prints."""
    made = cache(of)

    @st.composite
    def drawn(draw: Any) -> Any:
        return draw(made())

    return drawn()


def of_columns(names: tuple[str, ...]) -> Any:
    return st.sampled_from(names).map(lambda name: ("column", name))


whole_numbers = later(lambda: st.sampled_from(EXTREMES) | st.integers(-300, 300))
texts_of_numbers = later(
    lambda: st.one_of(
        whole_numbers.filter(lambda n: n >= 0).map(str),
        st.decimals(0, 10**11, places=9).map(lambda d: f"{d:f}"),
        st.sampled_from(["0.000000001", "9223372036.854775806", "9223372036.854775807"]),
        st.sampled_from(["0.5", "1.5", "127.999999999", "254.5", "18446744073709551614.5"]),
    )
)
plain_numbers = texts_of_numbers.map(lambda text: ("number", text))
whole_literals = whole_numbers.map(
    lambda n: ("number", str(n)) if n >= 0 else ("negative", ("number", str(-n)))
)


def pair(sign: str, left: Any, right: Any) -> Any:
    return st.tuples(st.just("calculated"), st.just(sign), left, right)


def one(word: str, of: Any) -> Any:
    return st.tuples(st.just(word), of)


def signed(of: Any) -> Any:
    return one("negative", of) | one("abs", of)


spans = st.tuples(
    st.just("span"), st.sampled_from(sorted(SPANS)), st.sampled_from(["0", "1", "1.5", "400000"])
)
dates = st.sampled_from(["1960-02-29", "1970-01-01", "2024-03-11", "2554-07-21", "9999-12-31"])


@cache
def numbers(deep: int) -> Any:
    return later(lambda: _numbers(deep))


def _numbers(deep: int) -> Any:
    if not deep:
        return of_columns(NUMBERS)
    below = numbers(deep - 1)
    other = below | whole_literals
    return st.one_of(below, *(pair(s, below, other) for s in "+-*&"), signed(below))


@cache
def prices(deep: int) -> Any:
    return later(lambda: _prices(deep))


def _prices(deep: int) -> Any:
    if not deep:
        return of_columns(PRICES)
    below = prices(deep - 1)
    factor = numbers(deep - 1) | whole_literals
    sums = [pair(sign, below, below | plain_numbers) for sign in "+-"]
    back = pair("-", plain_numbers, below)
    return st.one_of(
        below, *sums, back, pair("*", below, factor), pair("*", factor, below), signed(below)
    )


@cache
def durations(deep: int) -> Any:
    return later(lambda: _durations(deep))


def _durations(deep: int) -> Any:
    if not deep:
        return spans | pair("-", of_columns(TIMES), of_columns(TIMES))
    below = durations(deep - 1)
    sums = [pair(sign, below, below) for sign in "+-"]
    return st.one_of(
        pair("-", times(deep - 1), times(deep - 1)), *sums,
        pair("*", below, whole_literals), signed(below),
    )  # fmt: skip


@cache
def times(deep: int) -> Any:
    return later(lambda: _times(deep))


def _times(deep: int) -> Any:
    if not deep:
        return of_columns(TIMES) | dates.map(lambda text: ("date", text))
    below = times(deep - 1)
    other = durations(deep - 1)
    return st.one_of(
        below, pair("+", below, other), pair("+", other, below), pair("-", below, other)
    )


def named(tree: Any) -> set[str]:
    """The columns that a tree names."""
    if tree[:1] == ("column",):
        return {tree[1]}
    return set().union(*(named(each) for each in tree if isinstance(each, tuple)))


SIGNS = st.sampled_from(sorted(COMPARED))
ORDERS = st.sampled_from(["<", "<=", ">", ">="])
characters = st.sampled_from("AB~ ").map(lambda text: ("text", text))
words = st.sampled_from(WORDS).map(lambda text: ("text", text))


def link(signs: Any, right: Any) -> Any:
    return st.tuples(signs, right)


def comparison(value: Any, literal: Any, signs: Any = SIGNS) -> Any:
    """``a < b``, ``3 < a``, ``a < b <= c``; every link names a column."""
    return later(lambda: _comparison(value, literal, signs))


def _comparison(value: Any, literal: Any, signs: Any) -> Any:
    chain = st.tuples(st.just("compared"), value, link(signs, value), link(signs, literal | value))
    ahead = st.tuples(st.just("compared"), literal, link(signs, value), link(signs, value))
    return st.tuples(st.just("compared"), value, link(signs, literal | value)) | chain | ahead


def listed(value: Any, literal: Any) -> Any:
    return st.lists(literal, min_size=1, max_size=12).flatmap(
        lambda choices: value.map(lambda of: ("in", of, *choices))
    )


@cache
def simple(deep: int) -> Any:
    """Conditions without ``and``, ``or``, ``not``."""
    return later(lambda: _simple(deep))


def _simple(deep: int) -> Any:
    price, number = prices(deep), numbers(deep)
    time, duration = times(deep).filter(named), durations(deep).filter(named)
    of_dates = dates.map(lambda text: ("date", text))
    side, symbol = of_columns(CHARACTERS), of_columns(TEXTS)
    return st.one_of(
        comparison(price, plain_numbers), listed(price, plain_numbers),
        comparison(number, whole_literals), listed(number, whole_literals),
        comparison(number, plain_numbers, ORDERS),
        comparison(time, of_dates), listed(time, of_dates),
        comparison(duration, spans), listed(duration, spans),
        comparison(side, characters), listed(side, characters),
        comparison(symbol, words), listed(symbol, words),
        one("null", price | number | time | duration | side | symbol),
    )  # fmt: skip


def conditions(deep: int = 2) -> Any:
    leaves = simple(0) | simple(1) | simple(2)
    return st.recursive(
        leaves,
        lambda below: one("not", below) | st.tuples(st.sampled_from(["and", "or"]), below, below),
        max_leaves=2**deep,
    )


def values_of(column: Column) -> Any:
    """Values of a column, the ends of its dtype and its null as likely as any."""
    if column.kind is TEXT:
        return st.sampled_from([b"", *(word.encode() for word in WORDS), b"E", b"x" * 71])
    info = np.iinfo(column.kind.frame)
    held = sorted(
        {int(info.min), int(info.max), *(e for e in EXTREMES if info.min <= e <= info.max)}
    )
    spared = null(column)
    often = held if spared is None else [*held, spared, spared, spared]
    if column.kind is CHARACTER:
        often = [*b"AB~ ", *often]
    return st.sampled_from(often) | st.integers(int(info.min), int(info.max))


@st.composite
def judged(draw: Any) -> tuple[Any, dict[str, Any]]:
    """A tree, and the columns that it names: none of a record to six, which nobody may write to."""
    tree = draw(conditions())
    count = draw(st.integers(0, 6))
    columns = {}
    for name in sorted(named(tree)):
        kept = draw(st.lists(values_of(EVERY[name]), min_size=count, max_size=count))
        columns[name] = np.array(kept, np.dtype(EVERY[name].kind.frame))
        columns[name].flags.writeable = False
    return tree, columns
