"""The operators + - * & on two values: their units, and constants calculated at once."""

from __future__ import annotations

from typing import Final

from ingestor.validate.expression.fault import Unfit
from ingestor.validate.expression.literals import fitted, is_whole
from ingestor.validate.expression.quantities import OPERATIONS
from ingestor.validate.expression.units import ONE, RESULT, TAKES, Unit, remedy
from ingestor.validate.expression.values import Arithmetic, Constant, Value

_OF_ONE_UNIT: Final = ("+", "-")


def joined(sign: str, left: Value, right: Value) -> Value:
    """Two values under an operator.

    Raises:
        Unfit: Their units do not go together.
    """
    if isinstance(left, Constant) and isinstance(right, Constant):
        return _folded(sign, left, right)
    left, right = _fitted(sign, left, right)
    return Arithmetic(_result(sign, left, right), OPERATIONS[sign], left, right)


def negative(of: Value) -> Value:
    """A value below zero."""
    if of.unit in {Unit.TEXT, Unit.CHARACTER, Unit.TIME}:
        raise Unfit(f"{of.unit} has no negative")
    return joined("-", Constant(of.unit, 0), of)


def _result(sign: str, left: Value, right: Value) -> Unit:
    unit = RESULT[sign].get((left.unit, right.unit))
    if unit is None:
        found = f"found {left.unit} {sign} {right.unit}"
        raise Unfit(f"{TAKES[sign]}; {found}{remedy(left.unit, right.unit)}")
    return unit


def _fitted(sign: str, left: Value, right: Value) -> tuple[Value, Value]:
    """Both, with a plain number given the unit in which it meets the other."""
    if sign in _OF_ONE_UNIT:
        return _plain(left, right.unit), _plain(right, left.unit)
    return _plain(left, Unit.NUMBER), _plain(right, Unit.NUMBER)


def _plain(value: Value, unit: Unit) -> Value:
    if isinstance(value, Constant) and value.unit is Unit.PLAIN:
        return fitted(value, unit)
    return value


def _folded(sign: str, left: Constant, right: Constant) -> Constant:
    if left.unit is right.unit is Unit.PLAIN:
        return Constant(Unit.PLAIN, _plain_result(sign, left, right))
    fit, other = _fitted(sign, left, right)
    unit = _result(sign, fit, other)
    assert isinstance(fit, Constant)
    assert isinstance(other, Constant)
    return Constant(unit, OPERATIONS[sign].on_integers(int(fit.value), int(other.value)))


def _plain_result(sign: str, left: Constant, right: Constant) -> int:
    """Of two numbers as written, in integers of 1e-9."""
    one, other = int(left.value), int(right.value)
    if sign in _OF_ONE_UNIT:
        return OPERATIONS[sign].on_integers(one, other)
    if not (is_whole(left) and is_whole(right)) and (sign == "&" or not _one_whole(left, right)):
        raise Unfit(f"{TAKES[sign]}; found two numbers with fractions")
    if sign == "&":
        return (one // ONE & other // ONE) * ONE
    return one * other // ONE


def _one_whole(left: Constant, right: Constant) -> bool:
    return is_whole(left) or is_whole(right)
