"""A batch judged column by column says of each record what plain Python says of it alone."""

from __future__ import annotations

from decimal import localcontext
from typing import Any

import numpy as np
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingestor.model.kind import INT64_MAX
from ingestor.validate.expression import Truth, compile_expression
from ingestor.validate.expression.quantities import OPERATIONS, Integers, magnitude
from ingestor.validate.expression.units import Unit
from ingestor.validate.expression.values import Batch, Reading
from tests.unit.validate.expression_trees import EVERY, judged
from tests.unit.validate.plain_expression import CALCULATED, plain, plain_value, spelled


def answers(truth: Truth) -> list[bool | None]:
    null = np.zeros(len(truth.true), np.bool_) if truth.null is None else truth.null
    assert truth.true.dtype == null.dtype == np.bool_
    assert not (truth.true & null).any()
    return [None if n else bool(t) for t, n in zip(truth.true.tolist(), null.tolist(), strict=True)]


def rows_of(columns: dict[str, Any]) -> list[dict[str, Any]]:
    values = [[plain_value(EVERY[n], each) for each in held] for n, held in columns.items()]
    return [dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True)]


def times(event: int, recv: int) -> dict[str, Any]:
    return {"event": np.array([event], np.uint64), "recv": np.array([recv], np.uint64)}


FAR = ("compared", ("calculated", "-", ("column", "event"), ("column", "recv")),
       ("<", ("span", "seconds", "1")))  # fmt: skip


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(case=(FAR, times(0, 2**64 - 2)))
@example(case=(FAR, times(2**64 - 2, 2**63)))
@given(case=judged())
def test_a_batch_is_judged_as_each_record_is_alone(case):
    """Every operator, unit and kind; ends of the dtypes, nulls, and a batch of nothing."""
    tree, columns = case
    text = spelled(tree)
    expression = compile_expression(text, EVERY)
    rows = rows_of(columns)
    with localcontext(prec=2_000):
        wanted = [plain(tree, row) for row in rows]
    assert answers(expression.evaluate(columns, len(rows))) == wanted, text
    assert set(expression.columns) == set(columns)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(case=judged())
def test_records_do_not_depend_on_their_neighbours(case):
    """One record far out makes a batch be calculated otherwise, and answered no otherwise."""
    tree, columns = case
    expression = compile_expression(spelled(tree), EVERY)
    count = len(next(iter(columns.values())))
    together = answers(expression.evaluate(columns, count))
    for row in range(count):
        alone = {name: values[row : row + 1] for name, values in columns.items()}
        assert answers(expression.evaluate(alone, 1)) == [together[row]]


edges = st.integers(-9, 9) | st.sampled_from([-(2**63), -(2**62), 2**62, 2**63, 2**64 - 1])
intervals = st.tuples(edges, edges).map(sorted).map(tuple)


@settings(max_examples=300, deadline=None)
@given(sign=st.sampled_from(sorted(OPERATIONS)), left=intervals, right=intervals, data=st.data())
def test_bounds_hold_every_result(sign, left, right, data):
    """What decides whether an int64 has room is never too narrow, whatever the operands are."""
    operation = OPERATIONS[sign]
    low, high = operation.on_bounds(left, right)
    values = data.draw(st.integers(*left)), data.draw(st.integers(*right))
    assert low <= operation.on_integers(*values) <= high


@settings(max_examples=300, deadline=None)
@given(
    sign=st.sampled_from(sorted(OPERATIONS)),
    left=st.lists(edges.filter(lambda n: -(2**63) <= n < 2**63), min_size=1, max_size=5),
    right=st.lists(edges.filter(lambda n: 0 <= n < 2**64), min_size=1, max_size=5),
)
def test_arithmetic_is_that_of_python_and_its_bounds_hold(sign, left, right):
    count = min(len(left), len(right))
    operands = left[:count], right[:count]
    arrays = np.array(operands[0], np.int64), np.array(operands[1], np.uint64)
    result = OPERATIONS[sign](*map(Integers.of, arrays))
    wanted = [CALCULATED[sign](*each) for each in zip(*operands, strict=True)]
    assert result.data.tolist() == wanted
    assert result.bounds[0] <= min(wanted) <= max(wanted) <= result.bounds[1]


@settings(max_examples=200, deadline=None)
@given(values=st.lists(edges.filter(lambda n: -(2**63) <= n < 2**63), max_size=5))
def test_a_magnitude_is_that_of_python_and_its_bounds_hold(values):
    result = magnitude(Integers.of(np.array(values, np.int64)))
    assert result.data.tolist() == [abs(each) for each in values]
    assert result.bounds[0] == 0
    assert all(abs(each) <= result.bounds[1] for each in values)


def test_a_null_does_not_take_a_batch_out_of_64_bits():
    """Its sentinel is an end of the dtype: calculated with, it would leave no room."""
    batch = Batch({"bid": np.array([10, INT64_MAX, 30]), "ask": np.array([INT64_MAX, 2, 40])}, 3)
    bid, ask = (Reading(Unit.PRICE, name, INT64_MAX).integers(batch) for name in ("bid", "ask"))
    for sign in "+-":
        assert OPERATIONS[sign](ask, bid).data.dtype == np.int64
    assert OPERATIONS["-"](ask, bid).data[2] == 10
