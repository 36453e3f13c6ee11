"""Three-valued truth over a batch: true, false, or null where a value is undefined (Kleene)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Mask: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Truth:
    """What a condition says of n records.

    Attributes:
        true: bool (n,), whether it holds.
        null: bool (n,), whether it is undefined; None where it is so nowhere. A record with neither
            breaks it.
    """

    true: Mask
    null: Mask | None

    @classmethod
    def of(cls, found: Mask, null: Mask | None) -> Truth:
        """`found` counts only where nothing is null."""
        # On booleans, > is "and not", in one pass.
        return cls(found if null is None else found > null, null)


def both(left: Truth, right: Truth) -> Truth:
    """``and``: false where either is false, null where it is not known to be."""
    true = left.true & right.true
    if left.null is None and right.null is None:
        return Truth(true, None)
    return Truth(true, (_possible(left) & _possible(right)) > true)


def either(left: Truth, right: Truth) -> Truth:
    """``or``: true where either is true, null where it is not known to be."""
    true = left.true | right.true
    null = united(left.null, right.null)
    return Truth(true, None if null is None else null > true)


def negated(truth: Truth) -> Truth:
    """``not``: null stays null."""
    return Truth(~_possible(truth), truth.null)


def united(left: Mask | None, right: Mask | None) -> Mask | None:
    """Where either is; None is nowhere."""
    if left is None or right is None:
        return right if left is None else left
    return left | right


def _possible(truth: Truth) -> Mask:
    return truth.true if truth.null is None else truth.true | truth.null
