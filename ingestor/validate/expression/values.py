"""What an expression compares: columns, constants, and what is calculated from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import numpy as np

from ingestor.validate.expression.quantities import Array, Integers, Operation, magnitude
from ingestor.validate.expression.truth import Mask, united
from ingestor.validate.expression.units import Unit


@dataclass(frozen=True, slots=True)
class Batch:
    """The columns of n records, and what one evaluation has found out about them so far."""

    columns: Mapping[str, Array]
    count: int
    nulls: dict[str, Mask | None] = field(default_factory=dict)
    results: dict[Calculated, Integers] = field(default_factory=dict)

    def null(self, name: str, sentinel: int | bytes) -> Mask | None:
        """Where a column holds its sentinel; None is nowhere."""
        if name not in self.nulls:
            mask: Mask = self.columns[name] == sentinel
            self.nulls[name] = mask if mask.any() else None
        return self.nulls[name]

    def result(self, of: Calculated) -> Integers:
        if of not in self.results:
            self.results[of] = of.calculate(self)
        return self.results[of]


class Varying(Protocol):
    """A value that records differ in."""

    @property
    def unit(self) -> Unit: ...

    def read(self, batch: Batch) -> Array:
        """Values (n,); where they are null there is anything."""

    def null(self, batch: Batch) -> Mask | None:
        """Where they are null; None is nowhere."""

    def integers(self, batch: Batch) -> Integers:
        """Values to calculate with, 0 where they are null."""


@dataclass(frozen=True, slots=True, eq=False)
class Constant:
    """A value as written; text in bytes, a character as its byte."""

    unit: Unit
    value: int | bytes

    def integers(self, batch: Batch) -> Integers:
        return Integers.constant(int(self.value))

    def null(self, batch: Batch) -> Mask | None:
        return None


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A column; `sentinel` is its null, None where it has none."""

    unit: Unit
    name: str
    sentinel: int | bytes | None

    def read(self, batch: Batch) -> Array:
        return batch.columns[self.name]

    def null(self, batch: Batch) -> Mask | None:
        return None if self.sentinel is None else batch.null(self.name, self.sentinel)

    def integers(self, batch: Batch) -> Integers:
        data, null = self.read(batch), self.null(batch)
        return Integers.of(data if null is None else np.where(null, data.dtype.type(0), data))


class Calculated(Protocol):
    """A varying value that is worth keeping for the rest of an evaluation."""

    def calculate(self, batch: Batch) -> Integers: ...

    def __hash__(self) -> int: ...


@dataclass(frozen=True, slots=True, eq=False)
class Arithmetic:
    """Two values under an operator; null where either is."""

    unit: Unit
    operation: Operation
    left: Value
    right: Value

    def calculate(self, batch: Batch) -> Integers:
        return self.operation(self.left.integers(batch), self.right.integers(batch))

    def integers(self, batch: Batch) -> Integers:
        return batch.result(self)

    def read(self, batch: Batch) -> Array:
        return batch.result(self).data

    def null(self, batch: Batch) -> Mask | None:
        return united(self.left.null(batch), self.right.null(batch))


@dataclass(frozen=True, slots=True, eq=False)
class Magnitude:
    """``abs()`` of a value."""

    unit: Unit
    of: Varying

    def calculate(self, batch: Batch) -> Integers:
        return magnitude(self.of.integers(batch))

    def integers(self, batch: Batch) -> Integers:
        return batch.result(self)

    def read(self, batch: Batch) -> Array:
        return batch.result(self).data

    def null(self, batch: Batch) -> Mask | None:
        return self.of.null(batch)


Value: TypeAlias = Varying | Constant
