"""Syntax tree → values: columns, literals, functions and arithmetic, with their units checked."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from ingestor.validate.expression.fault import Unfit, nearest, quoted
from ingestor.validate.expression.functions import FUNCTIONS
from ingestor.validate.expression.lexicon import MOST_NESTED
from ingestor.validate.expression.literals import number
from ingestor.validate.expression.operators import joined, negative
from ingestor.validate.expression.units import Unit, unit_of
from ingestor.validate.expression.values import Constant, Reading, Value

if TYPE_CHECKING:
    from ingestor.model.kind import Table
    from ingestor.validate.expression.syntax import Source

NULL: Final = "null"

_SIGNS: Final[Mapping[type[ast.operator], str]] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.BitAnd: "&",
}
_MOST_LISTED: Final = 24


class Terms:
    """Reads the values of one expression over one table.

    Attributes:
        columns: Those that were named, in order of appearance.
    """

    def __init__(self, table: Table, source: Source) -> None:
        self.columns: dict[str, None] = {}
        self._table = table
        self._source = source
        self._known = {column.name: column for column in table.frame_columns}

    def value(self, node: ast.expr, depth: int) -> Value:
        """The value that a node stands for; `depth` counts the nodes that it stands in.

        Raises:
            ExpressionFault: It stands for none, or mixes units.
        """
        if depth > MOST_NESTED:
            raise self._source.too_deep(node)
        with self.at(node):
            match node:
                case ast.Name():
                    return self._column(node.id)
                case ast.Constant():
                    return self._literal(node)
                case ast.UnaryOp(op=ast.USub()):
                    return negative(self.value(node.operand, depth + 1))
                case ast.BinOp():
                    return self._arithmetic(node, depth)
                case ast.Call():
                    return self._call(node, depth)
                case _:
                    raise Unfit(self._misplaced(node))

    @contextmanager
    def at(self, node: ast.expr) -> Iterator[None]:
        """Makes what does not fit a fault of this place."""
        try:
            yield
        except Unfit as exc:
            raise self._source.fault(node, str(exc)) from exc

    def _column(self, name: str) -> Reading:
        column = self._known.get(name)
        if column is None:
            raise Unfit(self._unknown(name))
        self.columns[name] = None
        sentinel = column.null if column.null is not None else column.required
        return Reading(unit_of(column), name, sentinel)

    def _unknown(self, name: str) -> str:
        if name == NULL:
            return "null equals nothing, not even null; write `is null` or `is not null`"
        if name in FUNCTIONS:
            return f"{quoted(name)} is a function; write {name}(…)"
        what = f"{self._table.name} has no column {quoted(name)} that rules can read"
        near = nearest(name, self._known)
        if near is not None:
            return f"{what}; did you mean {near}?"
        listed = list(self._known)[:_MOST_LISTED]
        more = ", …" if len(self._known) > len(listed) else ""
        return f"{what}; its columns are {', '.join(listed)}{more}"

    def _literal(self, node: ast.Constant) -> Constant:
        if isinstance(node.value, str):
            return Constant(Unit.TEXT, node.value.encode())
        return number(self._source.text(node))

    def _arithmetic(self, node: ast.BinOp, depth: int) -> Value:
        sign = _SIGNS.get(type(node.op))
        if sign is None:
            raise Unfit(
                f"{quoted(self._source.text(node))} has an operator that is none of + - * &"
            )
        left = self.value(node.left, depth + 1)
        return joined(sign, left, self.value(node.right, depth + 1))

    def _call(self, node: ast.Call, depth: int) -> Value:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        function = FUNCTIONS.get(name)
        if function is None:
            near = nearest(name, FUNCTIONS)
            meant = f"; did you mean {near}?" if near else f"; there are {', '.join(FUNCTIONS)}"
            raise Unfit(f"{quoted(self._source.text(node.func))} is no function{meant}")
        if len(node.args) != 1 or node.keywords:
            raise Unfit(f"{name}() takes one value; found {len(node.args)}")
        return function(self.value(node.args[0], depth + 1))

    def _misplaced(self, node: ast.expr) -> str:
        text = quoted(self._source.text(node))
        match node:
            case ast.List() | ast.Tuple() | ast.Set():
                return f"{text} is a list; lists stand after `in` only"
            case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
                return f"{text} is a condition, and stands where a value is needed"
            case ast.UnaryOp(op=ast.UAdd()):
                return f"{text} begins with a plus sign; leave it out"
            case _:
                return f"{text} is no value; columns, literals and functions are"
