"""A text that is no expression is refused with its place, and nothing of Python is reachable."""

from __future__ import annotations

import ast
import inspect
import threading
import warnings
from collections.abc import Iterator
from keyword import kwlist
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingestor.model import table_of
from ingestor.validate import expression
from ingestor.validate.expression import Expression, ExpressionFault, compile_expression
from ingestor.vocabulary import Schema

TRADES, DEFINITIONS = map(table_of, (Schema.TRADES, Schema.DEFINITION))


@pytest.fixture(autouse=True)
def _no_warnings() -> Iterator[None]:
    """Python's parser may not speak to users: of backslashes, or of `1or 2`."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def fault(text: str, table: Any = TRADES) -> ExpressionFault:
    with pytest.raises(ExpressionFault) as caught:
        compile_expression(text, table)
    return caught.value


@pytest.mark.parametrize(
    ("text", "column", "what"),
    [
        ("", 1, "empty"),
        ("prize > 0", 1, "no column `prize` that rules can read; did you mean price?"),
        ("size > 0 and  prize > 0", 15, "did you mean price?"),
        ("\n  prize > 0", 4, "did you mean price?"),
        ("zzz > 0", 1, "its columns are ts_event, ts_recv"),
        ("bogus > 0", 1, "its columns are ts_event, ts_recv"),
        ("ordinal > 1", 1, "no column `ordinal`"),
        ("chunk_id > 1", 1, "no column `chunk_id`"),
        ("ts_event_ns > 1", 1, "did you mean ts_event?"),
        ("price = 0", 7, "write == to compare"),
        ("price > 0 && size > 0", 11, "write and"),
        ("price > 0 AND size > 0", 11, "`AND` has no meaning here; write and"),
        ("price > 0 and", 14, "ends too early"),
        ("price > 0 size", 11, "cannot be read from `size` on"),
        ("(price > 0", 1, "`(` is never closed"),
        ("price > 0]", 10, "`]` closes nothing"),
        ("price > 'x", 9, "not closed"),
        ("price * price > 1", 1, "found a price * a price"),
        ("price > size", 1, "cannot compare a price with a whole number"),
        ("size > 0 and price == size", 14, "cannot compare a price with a whole number"),
        ("price + size > 1", 1, "found a price + a whole number"),
        ("price * 1.5 > 1", 1, "`1.5` has a fraction"),
        ("size + 0.5 > 1", 1, "`0.5` has a fraction"),
        ("price > 0.5 * 0.5", 9, "two numbers with fractions"),
        ("size == 1.5", 9, "never equals 1.5"),
        ("size in [1, 1.5]", 13, "never equals 1.5"),
        ("price > 0.1234567891", 9, "10 decimals"),
        ("price > 1e3", 9, "`1e3`"),
        ("price > 0x1F", 9, "`0x1F`"),
        ("price / 2 > 1", 7, "no division"),
        ("price ** 2 > 1", 7, "`**` has no meaning here"),
        ("price > +1", 9, "plus sign"),
        ("price & 1 == 0", 1, "`&` takes two whole numbers"),
        ("ts_event - ts_recv < 5", 22, "seconds(1)"),
        ("ts_event + 5 > ts_recv", 1, "found a time + a plain number"),
        ("ts_event + ts_recv > seconds(1)", 1, "found a time + a time"),
        ("ts_event > '2024-03-11'", 12, 'date("2024-03-11")'),
        ("ts_event > date('2024-02-30')", 12, "`2024-02-30` is no day"),
        ("ts_event > date('20240311')", 12, "`20240311` is no day"),
        ("ts_event > date(20240311)", 12, "in quotes"),
        ("ts_event - ts_recv < seconds(size)", 22, "found a whole number"),
        ("ts_event - ts_recv < seconds(0.0000000001)", 30, "10 decimals"),
        ("-ts_event < ts_recv", 1, "a time has no negative"),
        ("abs(side) == 'A'", 1, "found a character"),
        ("abs(price, size) > 0", 1, "takes one value; found 2"),
        ("abs() > 0", 1, "found 0"),
        ("max(price) > 0", 1, "`max` is no function"),
        ("abs > 0", 1, "write abs(…)"),
        ("side == 'AB'", 9, "not one character"),
        ("side == 'é'", 9, "not one character"),
        ("side == ''", 9, "not one character"),
        ("side == 5", 9, "written in quotes"),
        ("price == '5'", 10, "without quotes"),
        ("side in 'AB'", 9, "takes a list"),
        ("side in []", 9, "takes a list"),
        ("side in ['A' 'B']", 14, "comma"),
        ("price in [size]", 11, "no literal"),
        ("size in [1, null]", 13, "`is null`"),
        ("size == null", 9, "`is null`"),
        ("size == None", 9, "`is null`"),
        ("size is 5", 9, "asks for null only"),
        ("5 is null", 1, "literals"),
        ("1 < 2", 5, "literals"),
        ("price", 1, "`price` is a price; a condition is needed"),
        ("not price", 5, "a condition is needed"),
        ("price and size > 0", 1, "a condition is needed"),
        ("(price > 0) == (size > 0)", 2, "is a condition"),
        ("(price > 0) is null", 2, "is a condition"),
        ("(price > 0) + 1 > 0", 2, "is a condition"),
        ("0 < price is null", 1, "two values only"),
        ("[price] == 1", 1, "lists stand after `in` only"),
        ("price > 0 # yes", 11, "comments"),
        ("price\x00 > 0", 6, "has no meaning"),
        ("pr\u0456ce > 0", 3, "has no meaning"),  # a Cyrillic letter
        ("side == '\\n'", 9, "backslash"),
        ("side == '\ud800'", 10, "half a character"),
    ],
)
def test_a_wrong_text_is_refused_with_place_and_remedy(text, column, what):
    found = fault(text)
    assert what in found.what
    assert found.column == column
    assert str(found) == f"character {column}: {found.what}"


def test_empty_text_is_refused_where_it_is_null():
    assert "write `is null`" in fault("raw_symbol == ''", DEFINITIONS).what


def test_places_count_characters_not_bytes():
    assert fault("raw_symbol == 'ééé' and prize > 0", DEFINITIONS).column == 25


@pytest.mark.parametrize(
    "text",
    [
        "price.real > 0", "price.__class__ == 1", "().__class__", "''.join(side)", "side[0] == 'A'",
        "__import__('os') == 1", "eval('1') > 0", "open('/etc/passwd') == 1", "print(price)",
        "lambda: price > 0", "(lambda price: price)(1) > 0", "[p for p in price] == 1",
        "{p for p in price}", "(p for p in price)", "(x := price) > 0", "price > 0 if size else 1",
        "f'{price}' == 'a'", "b'A' == side", "r'A' == side", "u'A' == side", "rb'A' == side",
        "side == 'A' 'B'", "side == '''A'''", "side in [*side]", "abs(*price) > 0",
        "abs(**price) > 0", "abs(x=price) > 0", "abs(abs)(price) > 0", "await price > 0",
        "yield price", "price; size", "price > 0\nimport os", "import os", "del price", "price = 1",
        "price @ size > 0", "~size > 0", "size << 1 > 0", "size % 2 == 0", "size // 2 > 0",
        "size ^ 1 > 0", "size | 1 > 0", "size ** 9 ** 9 > 0", "{'a': 1} == price", "price > ...",
        "True", "price > True", "price is None", "None is null", "price > 1j", "price > 1_",
        "1if 1", "1or 2", "price > 0o17", "price > 0b1", "price > 007", "`price` > 0",
        "price, size", "(price, size) == (1, 2)", "price <> 0", "price ! 0", "$price > 0",
        "__builtins__ is null", "price > 0;", "@price > 0", "price\\\n > 0", "abs(price > 0)",
        "seconds(price) > 1", "not", "()", "[]", "{}", "''", "nul is null", "*", "1 2",
        "price is not", "price > 0,", "price in {}", "price in {1: 2}", "price in size",
    ],
)  # fmt: skip
def test_nothing_of_python_but_the_language_is_reachable(text):
    assert fault(text).column >= 1


WORDS = (
    *(c.name for c in TRADES.columns), "and", "or", "not", "in", "is", "null", "abs", "seconds",
    "date", "'A'", "'2024-03-11'", "0", "1.5", "99999999999999999999", "<", "<=", "==", "!=", "+",
    "-", "*", "&", "(", ")", "[", "]", "{", "}", ",", ".", ":", "=", "'", '"', "\\", "\n", "é",
    "\x00", "\ud800", *kwlist,
)  # fmt: skip
soups = st.tuples(st.sampled_from(["", " "]), st.lists(st.sampled_from(WORDS), max_size=25)).map(
    lambda each: each[0].join(each[1])
)


def outcome(text: str) -> ExpressionFault | Expression:
    """Never another error."""
    try:
        return compile_expression(text, TRADES)
    except ExpressionFault as exc:
        return exc


def check(text: str) -> None:
    """A fault lies within the text and says something; what compiles can be evaluated."""
    found = outcome(text)
    if isinstance(found, ExpressionFault):
        assert 1 <= found.column <= len(text) + 1
        assert found.what
        return
    columns = {c.name: np.zeros(3, c.kind.frame) for c in TRADES.frame_columns}
    assert len(found.evaluate(columns, 3).true) == 3


@settings(max_examples=800, deadline=None)
@example(text="\ufeffprice > 0")
@example(text="price > 0\x0c")
@given(text=soups | st.text(max_size=60))
def test_any_text_is_an_expression_or_a_fault(text):
    check(text)


GOOD = (
    "price > 0 and size in [1, 2, 3] or ts_event - ts_recv < seconds(1.5)",
    "not (side == 'A' and abs(price - 1.25) * size >= 0.5) or flags & 8 != 0",
    "date('2024-03-11') <= ts_event < date('2024-03-12') + days(1) and price is not null",
)


@settings(max_examples=400, deadline=None)
@given(text=st.sampled_from(GOOD), data=st.data())
def test_a_good_text_with_a_piece_cut_out_or_put_in_is_an_expression_or_a_fault(text, data):
    first = data.draw(st.integers(0, len(text)))
    last = data.draw(st.integers(first, min(len(text), first + 4)))
    check(text[:first] + data.draw(st.sampled_from(["", *WORDS])) + text[last:])


@pytest.mark.parametrize(
    "text",
    [
        "(" * 900 + "price > 0" + ")" * 900,
        "[" * 1_900,
        "not " * 450 + "price > 0",
        "-" * 1_900 + "price > 0",
        "- " * 900 + "price > 0",
        "0 < price" + " + price" * 240,
        "size > 0 and (" * 130 + "size > 0" + ")" * 130,
        "abs(" * 395 + "price" + ")" * 395,
        "price > 0 or not (size > 0 and (" * 24 + "price > 0" + "))" * 24,
    ],
)
def test_what_is_nested_too_deep_is_refused_on_a_small_stack(text):
    """Python's parser would raise MemoryError or RecursionError, or end the process."""
    found: list[ExpressionFault] = []
    before = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=lambda: found.append(fault(text)))
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join(timeout=60)
    assert "nested too deep; 50 levels are allowed" in found[0].what


def test_a_text_that_is_too_long_is_refused():
    compile_expression("size > 0".ljust(2_000), TRADES)
    assert "2001 characters; at most 2000" in fault("size > 0".ljust(2_001)).what


def test_the_language_runs_nothing_of_python():
    """The tree that Python's parser makes is looked at; nothing of this package runs a text."""
    package = Path(inspect.getfile(expression)).parent
    running = {"eval", "exec", "compile", "getattr", "__import__", "globals", "literal_eval"}
    modules = [ast.parse(module.read_text()) for module in package.glob("*.py")]
    assert len(modules) > 5
    # `re.compile` is the one that may be there: it makes a pattern.
    named = [node for tree in modules for node in ast.walk(tree) if isinstance(node, ast.Name)]
    assert not {node.id for node in named} & running
