"""What an expression says of a record: comparisons, tests for null, and their junctions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Protocol

import numpy as np

from ingestor.validate.expression.comparisons import Comparison, among
from ingestor.validate.expression.truth import Truth, negated, united
from ingestor.validate.expression.values import Batch, Constant, Varying


class Condition(Protocol):
    """Anything that is true, false or null."""

    def judge(self, batch: Batch) -> Truth: ...


@dataclass(frozen=True, slots=True)
class Against:
    """A value compared with a constant of its unit."""

    comparison: Comparison
    left: Varying
    right: Constant

    def judge(self, batch: Batch) -> Truth:
        found = self.comparison.constant(self.left.read(batch), self.right.value)
        return Truth.of(found, self.left.null(batch))


@dataclass(frozen=True, slots=True)
class Between:
    """Two values of one unit compared."""

    comparison: Comparison
    left: Varying
    right: Varying

    def judge(self, batch: Batch) -> Truth:
        found = self.comparison.arrays(self.left.read(batch), self.right.read(batch))
        return Truth.of(found, united(self.left.null(batch), self.right.null(batch)))


@dataclass(frozen=True, slots=True)
class Among:
    """A value looked up in a list of constants of its unit."""

    value: Varying
    constants: tuple[int | bytes, ...]

    def judge(self, batch: Batch) -> Truth:
        found = among(self.value.read(batch), self.constants)
        return Truth.of(found, self.value.null(batch))


@dataclass(frozen=True, slots=True)
class IsNull:
    """Whether a value is null; never null itself."""

    value: Varying

    def judge(self, batch: Batch) -> Truth:
        null = self.value.null(batch)
        return Truth(np.zeros(batch.count, np.bool_) if null is None else null, None)


@dataclass(frozen=True, slots=True)
class Negation:
    """``not``."""

    condition: Condition

    def judge(self, batch: Batch) -> Truth:
        return negated(self.condition.judge(batch))


@dataclass(frozen=True, slots=True)
class Junction:
    """Two or more conditions under ``and`` or ``or``."""

    join: Callable[[Truth, Truth], Truth]
    conditions: tuple[Condition, ...]

    def judge(self, batch: Batch) -> Truth:
        return reduce(self.join, (each.judge(batch) for each in self.conditions))
