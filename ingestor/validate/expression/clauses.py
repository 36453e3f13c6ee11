"""Syntax tree → conditions: comparisons, lists, tests for null, and, or, not."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from ingestor.validate.expression.comparisons import COMPARISONS
from ingestor.validate.expression.conditions import (
    Against,
    Among,
    Between,
    Condition,
    IsNull,
    Junction,
    Negation,
)
from ingestor.validate.expression.fault import Unfit, quoted
from ingestor.validate.expression.literals import fitted, floor, is_whole, written
from ingestor.validate.expression.terms import NULL
from ingestor.validate.expression.truth import both, either
from ingestor.validate.expression.units import Unit, remedy
from ingestor.validate.expression.values import Constant, Reading, Value, Varying

if TYPE_CHECKING:
    from ingestor.validate.expression.syntax import Source
    from ingestor.validate.expression.terms import Terms

_SIGNS: Final[Mapping[type[ast.cmpop], str]] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}


class Clauses:
    """Reads the conditions of one expression."""

    def __init__(self, source: Source, terms: Terms) -> None:
        self._source = source
        self._terms = terms

    def condition(self, node: ast.expr, depth: int) -> Condition:
        """The condition that a node stands for.

        `depth` counts the nodes that it stands in; each ends in values, which refuse too many.

        Raises:
            ExpressionFault: It stands for none, or mixes units.
        """
        match node:
            case ast.BoolOp():
                join = both if isinstance(node.op, ast.And) else either
                parts = (self.condition(each, depth + 1) for each in node.values)
                return Junction(join, tuple(parts))
            case ast.UnaryOp(op=ast.Not()):
                return Negation(self.condition(node.operand, depth + 1))
            case ast.Compare():
                return self._comparison(node, depth)
            case _:
                found = self._terms.value(node, depth).unit
                text = quoted(self._source.text(node))
                what = f"{text} is {found}; a condition is needed, such as a comparison"
                raise self._source.fault(node, what)

    def _comparison(self, node: ast.Compare, depth: int) -> Condition:
        first = node.ops[0]
        if all(type(op) in _SIGNS for op in node.ops):
            return self._chain(node, depth)
        with self._terms.at(node):
            if len(node.ops) > 1:
                raise Unfit("`is` and `in` stand between two values only; join others by `and`")
            value = _varying(self._terms.value(node.left, depth + 1))
        other = node.comparators[0]
        found = (
            self._null(value, other)
            if isinstance(first, ast.Is | ast.IsNot)
            else self._among(value, other, depth)
        )
        return Negation(found) if isinstance(first, ast.IsNot | ast.NotIn) else found

    def _chain(self, node: ast.Compare, depth: int) -> Condition:
        """``a < b < c`` is ``a < b and b < c``, with b calculated once."""
        nodes = (node.left, *node.comparators)
        sides = pairwise((each, self._terms.value(each, depth + 1)) for each in nodes)
        links = tuple(map(self._link, node.ops, sides))
        return links[0] if len(links) == 1 else Junction(both, links)

    def _link(self, op: ast.cmpop, sides: tuple[tuple[ast.expr, Value], ...]) -> Condition:
        (first, left), (second, right) = sides
        with self._terms.at(second if isinstance(right, Constant) else first):
            return compared(_SIGNS[type(op)], left, right)

    def _null(self, value: Varying, node: ast.expr) -> Condition:
        if isinstance(node, ast.Name) and node.id == NULL:
            return IsNull(value)
        raise self._source.fault(node, "`is` asks for null only; write == or != to compare")

    def _among(self, value: Varying, node: ast.expr, depth: int) -> Condition:
        if not isinstance(node, ast.List | ast.Tuple | ast.Set) or not node.elts:
            text = quoted(self._source.text(node))
            what = f"`in` takes a list of literals, as [1, 2]; found {text}"
            raise self._source.fault(node, what)
        element = partial(self._element, value, depth=depth + 2)
        return Among(value, tuple(element(each) for each in node.elts))

    def _element(self, value: Varying, node: ast.expr, depth: int) -> int | bytes:
        constant = self._terms.value(node, depth)
        with self._terms.at(node):
            if not isinstance(constant, Constant):
                raise Unfit(f"{quoted(self._source.text(node))} is no literal; lists hold literals")
            return _fitted(value, constant).value


def compared(sign: str, left: Value, right: Value) -> Condition:
    """One comparison.

    Raises:
        Unfit: Both sides are literals, or their units do not meet.
    """
    if isinstance(left, Constant):
        return _against(COMPARISONS[sign].mirrored, _varying(right), left)
    if isinstance(right, Constant):
        return _against(sign, left, right)
    if left.unit is not right.unit:
        raise _apart(left, right)
    return Between(COMPARISONS[sign], left, right)


def _against(sign: str, value: Varying, constant: Constant) -> Condition:
    comparison = COMPARISONS[sign]
    fraction = constant.unit is Unit.PLAIN and not is_whole(constant)
    if fraction and value.unit is Unit.NUMBER and comparison.within is not None:
        return Against(COMPARISONS[comparison.within], value, floor(constant))
    return Against(comparison, value, _fitted(value, constant))


def _fitted(value: Varying, constant: Constant) -> Constant:
    """A literal in the unit of what it is compared with."""
    if constant.unit is Unit.PLAIN and value.unit is Unit.NUMBER and not is_whole(constant):
        raise Unfit(f"a whole number never equals {written(constant)}")
    fit = fitted(constant, value.unit)
    if fit.unit is not value.unit:
        raise _apart(value, constant)
    if isinstance(value, Reading) and fit.value == value.sentinel == b"":
        raise Unfit(f"empty text is null in {value.name}; write `is null`")
    return fit


def _varying(value: Value) -> Varying:
    if isinstance(value, Constant):
        raise Unfit("both sides are literals; one must name a column")
    return value


def _apart(left: Value, right: Value) -> Unfit:
    return Unfit(f"cannot compare {left.unit} with {right.unit}{remedy(left.unit, right.unit)}")
