"""Text → Expression, once; Expression over a batch → Truth, as often as wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ingestor.validate.expression.clauses import Clauses
from ingestor.validate.expression.fault import ExpressionFault
from ingestor.validate.expression.syntax import parsed
from ingestor.validate.expression.terms import Terms
from ingestor.validate.expression.values import Batch

if TYPE_CHECKING:
    from ingestor.model.kind import Table
    from ingestor.validate.expression.conditions import Condition
    from ingestor.validate.expression.quantities import Array
    from ingestor.validate.expression.truth import Truth


@dataclass(frozen=True)
class Expression:
    """A condition over the columns of one table.

    Attributes:
        text: As it was written.
        columns: The columns that it reads, in order of appearance; at least one.
    """

    text: str
    columns: tuple[str, ...]
    _condition: Condition = field(repr=False, compare=False)

    def evaluate(self, columns: Mapping[str, Array], count: int) -> Truth:
        """What it says of `count` records.

        Args:
            columns: Name → array (n,) of the standard frame, with sentinels for nulls; at least
                those of `self.columns`. They are never written to.
            count: n.
        """
        return self._condition.judge(Batch(columns, count))


def compile_expression(text: str, table: Table) -> Expression:
    """An expression over the columns of a frame of `table`.

    Raises:
        ExpressionFault: The text is no expression of the language, names what the table has not, or
            mixes units.
    """
    node, source = parsed(text)
    terms = Terms(table, source)
    condition = Clauses(source, terms).condition(node, 1)
    if not terms.columns:
        raise ExpressionFault("it names no column, so it says the same of every record", 1)
    return Expression(text, tuple(terms.columns), condition)
