"""The six comparisons, over arrays and against exact constants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ingestor.validate.expression.quantities import Array
from ingestor.validate.expression.truth import Mask

_FEW: Final = 8
"""So many equalities joined by "or" cost less than a sorted search."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One operator.

    Attributes:
        mirrored: The sign that says the same with the sides exchanged.
        of_less: What it says where every value is less than the constant.
        of_more: The same, where every value is more.
        within: The sign that says the same about whole numbers, with a fraction cut off to the
            whole number below it; None where no whole number can answer.
    """

    sign: str
    on_arrays: np.ufunc
    mirrored: str
    of_less: bool
    of_more: bool
    within: str | None

    def arrays(self, left: Array, right: Array) -> Mask:
        """Of each pair; signed and unsigned are compared exactly."""
        found: Mask = self.on_arrays(left, right)
        return found

    def constant(self, values: Array, other: int | bytes) -> Mask:
        """Of each value with one, which need not fit their dtype."""
        if isinstance(other, int) and values.dtype.kind in "iu":
            info = np.iinfo(values.dtype)
            if not info.min <= other <= info.max:
                answer = self.of_more if other < info.min else self.of_less
                return np.full(len(values), answer)
            other = values.dtype.type(other)
        found: Mask = self.on_arrays(values, other)
        return found


COMPARISONS: Final[Mapping[str, Comparison]] = {
    each.sign: each
    for each in (
        Comparison("<", np.less, ">", True, False, "<="),
        Comparison("<=", np.less_equal, ">=", True, False, "<="),
        Comparison(">", np.greater, "<", False, True, ">"),
        Comparison(">=", np.greater_equal, "<=", False, True, ">"),
        Comparison("==", np.equal, "==", False, False, None),
        Comparison("!=", np.not_equal, "!=", True, True, None),
    )
}

_EQUAL: Final = COMPARISONS["=="]


def among(values: Array, constants: Sequence[int | bytes]) -> Mask:
    """Whether each value is one of `constants`, of which there is at least one."""
    if len(constants) > _FEW and values.dtype.kind in "iu":
        info = np.iinfo(values.dtype)
        fitting = [each for each in constants if info.min <= int(each) <= info.max]
        return np.isin(values, np.array(fitting, values.dtype))
    if len(constants) > _FEW and values.dtype.kind == "S":
        return np.isin(values, np.array(constants))
    found = _EQUAL.constant(values, constants[0])
    for each in constants[1:]:
        found |= _EQUAL.constant(values, each)
    return found
