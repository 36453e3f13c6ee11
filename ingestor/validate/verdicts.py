"""What the checks found → the verdict: each record refused once, flags among the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ingestor.model.frame import Frame
from ingestor.model.verdict import Judged, Rule, Severity, Verdict
from ingestor.validate.finding import NO_ROWS, Finding

if TYPE_CHECKING:
    import numpy.typing as npt

    from ingestor.validate.finding import Rows

    Places = npt.NDArray[np.int32]

_NOBODY = np.int32(-1)


@dataclass(frozen=True, slots=True)
class Found:
    """What one check found.

    Attributes:
        place: Its turn: the lowest one that refuses a record is told.
    """

    place: int
    rule: Rule
    finding: Finding


def verdict_of(frame: Frame, found: Sequence[Found]) -> Verdict:
    """The verdict, from what the checks found in the frame."""
    if not found:
        return Verdict(frame, _nobody(frame), _nobody(frame), 0, {})
    in_turn = sorted(found, key=lambda each: each.place)
    refusing = [each for each in in_turn if each.rule.severity is not Severity.FLAG]
    refused_by = _refused_by(len(frame), refusing)
    flagged, flagged_records = _flagged(frame, in_turn, refused_by)
    undecided = {each.rule.id: _kept(each.finding.undecided, refused_by) for each in in_turn}
    return Verdict(
        _accepted(frame, refused_by),
        _rejected(frame, refusing, refused_by),
        flagged,
        flagged_records,
        {rule: len(rows) for rule, rows in undecided.items() if len(rows)},
    )


def _refused_by(count: int, refusing: Sequence[Found]) -> Places | None:
    """For each record the first of `refusing` to refuse it, −1 for none; None: nothing does."""
    if not any(len(each.finding.broken) for each in refusing):
        return None
    refused_by = np.full(count, _NOBODY)
    for at in range(len(refusing) - 1, -1, -1):
        refused_by[refusing[at].finding.broken] = at
    return refused_by


def _kept(rows: Rows, refused_by: Places | None) -> Rows:
    return rows if refused_by is None else rows[refused_by[rows] == _NOBODY]


def _accepted(frame: Frame, refused_by: Places | None) -> Frame:
    return frame if refused_by is None else frame.take(np.flatnonzero(refused_by == _NOBODY))


def _rejected(frame: Frame, refusing: Sequence[Found], refused_by: Places | None) -> Judged:
    if refused_by is None:
        return _nobody(frame)
    rows = np.flatnonzero(refused_by != _NOBODY)
    return _judged(frame, rows, refused_by[rows], [each.rule for each in refusing])


def _flagged(
    frame: Frame, in_turn: Sequence[Found], refused_by: Places | None
) -> tuple[Judged, int]:
    flags = [each for each in in_turn if each.rule.severity is Severity.FLAG]
    kept = [_kept(each.finding.broken, refused_by) for each in flags]
    if not any(len(rows) for rows in kept):
        return _nobody(frame), 0
    rows = np.concatenate(kept)
    rules = np.repeat(np.arange(len(kept)), [len(each) for each in kept])
    in_delivery_order = np.argsort(rows, kind="stable")
    rows, rules = rows[in_delivery_order], rules[in_delivery_order]
    # Ascending, so that only a record's own flags stand side by side.
    records = 1 + int(np.count_nonzero(rows[1:] != rows[:-1]))
    return _judged(frame, rows, rules, [each.rule for each in flags]), records


def _judged(
    frame: Frame, rows: Rows, rules: npt.NDArray[np.signedinteger], of: Sequence[Rule]
) -> Judged:
    """With those rules alone that any record broke."""
    broken = np.flatnonzero(np.bincount(rules, minlength=len(of)))
    renumbered = np.searchsorted(broken, rules)
    return Judged(frame.take(rows), renumbered, tuple(of[at] for at in broken.tolist()))


def _nobody(frame: Frame) -> Judged:
    return Judged(frame.take(NO_ROWS), NO_ROWS, ())
