"""What one check finds in one frame: places, never a Python object per record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from ingestor.model.frame import Frame
from ingestor.model.references import Facts
from ingestor.model.verdict import Rule, Severity

if TYPE_CHECKING:
    import numpy.typing as npt

    Rows = npt.NDArray[np.intp]

NO_ROWS: Final = np.empty(0, np.intp)


@dataclass(frozen=True, slots=True)
class Finding:
    """Places in the frame, ascending.

    Attributes:
        broken: Records that break the rule.
        undecided: Records of which it cannot be said, for a reference value is unknown.
    """

    broken: Rows
    undecided: Rows


NOTHING: Final = Finding(NO_ROWS, NO_ROWS)


@dataclass(frozen=True, slots=True, eq=False)
class Check:
    """One check of a frame, named as its rule.

    Attributes:
        column: The column whose values it looks at; None where it looks at the whole frame.
    """

    rule: Rule
    find: Callable[[Frame, Facts], Finding]
    column: str | None = None


def of_table(rule_id: str, column: str, reason: str) -> Rule:
    """A rule of the table itself: no row could hold what breaks it."""
    return Rule(rule_id, Severity.QUARANTINE, (column,), reason, of_table=True)


def where(broken: npt.NDArray[np.bool_]) -> Finding:
    """The finding of a mask."""
    return Finding(np.flatnonzero(broken), NO_ROWS) if broken.any() else NOTHING
