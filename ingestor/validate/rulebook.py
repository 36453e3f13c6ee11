"""The rules of one table, compiled from its file and what that includes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from ingestor.model import Table
from ingestor.model.frame import Frame
from ingestor.model.references import Facts
from ingestor.model.verdict import Rule
from ingestor.validate.conditions import (
    Condition,
    DatasetIn,
    PublisherIn,
    ReferenceLike,
    all_of,
    own_column,
)
from ingestor.validate.expression import Expression
from ingestor.validate.finding import NO_ROWS, NOTHING, Finding
from ingestor.validate.limit import Limit
from ingestor.validate.rules import WrittenLimit, WrittenRule, WrittenWhen
from ingestor.vocabulary import Schema

_NO_CONDITIONS: Final = WrittenWhen.model_construct()


@dataclass(frozen=True, slots=True, eq=False)
class CompiledRule:
    """A rule of a rule file.

    Attributes:
        expression: What must hold.
        required: Whether a record of which it is undefined breaks it.
        conditions: Which records it is meant for: those for which all hold.
    """

    rule: Rule
    expression: Expression
    required: bool
    conditions: tuple[Condition, ...]

    @classmethod
    def of(cls, written: WrittenRule, expression: Expression) -> CompiledRule:
        reason = written.reason or f"breaks `{expression.text}`"
        rule = Rule(written.id, written.severity, expression.columns, reason)
        when = written.when or _NO_CONDITIONS
        return cls(rule, expression, written.required, tuple(_conditions(when)))

    def find(self, frame: Frame, facts: Facts) -> Finding:
        """Records that break it, and those of which that is not known.

        Conditions are asked for what breaks the check alone: nearly always nothing.
        """
        if self._of_other_datasets(facts):
            return NOTHING
        truth = self.expression.evaluate(frame.columns, len(frame))
        fine = truth.true if self.required or truth.null is None else truth.true | truth.null
        if fine.all():
            return NOTHING
        rows = np.flatnonzero(~fine)
        if not self.conditions:
            return Finding(rows, NO_ROWS)
        meant = all_of(self.conditions, frame, rows, facts)
        return Finding(rows[meant.holds], rows[meant.unknown])

    def needs(self, table: Table) -> Iterator[str]:
        """The reference values that its conditions ask for, which no column of `table` tells."""
        for each in self.conditions:
            if isinstance(each, ReferenceLike) and own_column(table, each.name) is None:
                yield each.name

    def _of_other_datasets(self, facts: Facts) -> bool:
        return any(
            isinstance(each, DatasetIn) and facts.dataset not in each.datasets
            for each in self.conditions
        )


@dataclass(frozen=True, slots=True, eq=False)
class Rulebook:
    """What the records of one table are judged by, beside what its columns can hold.

    Attributes:
        digest: sha256, hex, over the files that were read; empty where there are none. It is that
            of what ``sha256sum`` prints of them in ``configs/validation``: the table's file, then
            those it includes, in their order.
        rules: In the order in which they refuse: included ones first.
        needs: Reference values that they ask for, of `ingestor.model.references.NAMES`.
        bounds: How many records may be refused.
    """

    table: Table
    digest: str
    rules: tuple[CompiledRule, ...]
    needs: frozenset[str]
    bounds: WrittenLimit

    @classmethod
    def of(
        cls, table: Table, digest: str, rules: tuple[CompiledRule, ...], bounds: WrittenLimit
    ) -> Rulebook:
        needs = frozenset(name for each in rules for name in each.needs(table))
        return cls(table, digest, rules, needs, bounds)

    def limit(self, schema: Schema, records: int) -> Limit:
        """A count of refusals among a payload's `records`, none so far."""
        least, share = self.bounds.of(schema)
        return Limit(self.table, records=records, most=max(least, int(share * records)))


@cache
def NO_RULES(table: Table) -> Rulebook:  # noqa: N802 - as constant as its table
    """The rulebook of a table that has no file: only what its columns can hold."""
    return Rulebook.of(table, "", (), WrittenLimit())


def _conditions(when: WrittenWhen) -> Iterator[Condition]:
    """What is known at once stands first."""
    if when.dataset is not None:
        yield DatasetIn(when.dataset)
    if when.publisher is not None:
        yield PublisherIn(when.publisher)
    if when.instrument_class is not None:
        yield ReferenceLike.exactly("instrument_class", when.instrument_class)
    if when.symbol is not None:
        yield ReferenceLike.like("symbol", when.symbol)
