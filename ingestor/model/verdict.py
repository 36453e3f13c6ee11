"""The verdict over one frame: what is stored, what is quarantined, what is flagged, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from ingestor.model.frame import Frame

if TYPE_CHECKING:
    import numpy.typing as npt


class Severity(StrEnum):
    """What becomes of a record that breaks a rule."""

    FLAG = "flag"
    """It is stored, counted and listed."""
    QUARANTINE = "quarantine"
    """It is not stored; its bytes are kept with the reason."""
    STOP = "stop"
    """Its chunk fails: nothing of it is stored."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, as far as whoever tells of a broken one must know it.

    Attributes:
        id: Stable, e.g. ``high-below-low``; ``ts_recv.required`` where the table itself asks.
        columns: What it looks at; the first is the field at fault.
        reason: One sentence for people.
        of_table: Whether no row could hold what breaks it, whatever a rule file says.
    """

    id: str
    severity: Severity
    columns: tuple[str, ...]
    reason: str
    of_table: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """Records that broke rules, in delivery order.

    Attributes:
        frame: The k records; one that broke several rules of severity flag is there for each.
        rule: intp (k,), the place in `rules` of what each broke.
        rules: The rules that were broken by any.
    """

    frame: Frame
    rule: npt.NDArray[np.intp]
    rules: tuple[Rule, ...]

    def __len__(self) -> int:
        return len(self.rule)

    @property
    def counts(self) -> dict[str, int]:
        """Rule → records that broke it."""
        found = np.bincount(self.rule, minlength=len(self.rules)).tolist()
        return {rule.id: n for rule, n in zip(self.rules, found, strict=True) if n}

    @property
    def storable(self) -> npt.NDArray[np.bool_]:
        """Bool (k,): whether a row could hold the record, were it not for a rule file."""
        of_table = np.array([rule.of_table for rule in self.rules], dtype=np.bool_)
        return ~of_table[self.rule]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A frame, judged: `accepted` and `rejected` are all of its records.

    Attributes:
        rejected: Each record once, with the first rule that refuses it.
        flagged: Accepted records, once for each rule of severity flag that they break.
        flagged_records: How many records `flagged` speaks of.
        undecided: Rule → accepted records about which it could not be said whether they break it,
            because a reference value is unknown.
    """

    accepted: Frame
    rejected: Judged
    flagged: Judged
    flagged_records: int
    undecided: Mapping[str, int]
