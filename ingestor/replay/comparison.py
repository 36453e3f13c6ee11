"""Two verdicts over the same records, held against each other by their places in the payload.

Keys may differ between two mappings; a record's place does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from ingestor.model.frame import Frame
from ingestor.model.verdict import Judged, Rule, Verdict

if TYPE_CHECKING:
    import numpy.typing as npt

    Positions = npt.NDArray[np.uint64]


class Change(StrEnum):
    """What two configurations do differently to a record."""

    REFUSED = "newly_refused"
    ACCEPTED = "newly_accepted"
    REASON = "refused_by_it_instead"
    FLAGGED = "newly_flagged"
    UNFLAGGED = "no_longer_flagged"
    VALUE = "changed_value"


@dataclass(frozen=True, slots=True)
class Changed:
    """Records of one batch that change in one way.

    Attributes:
        by: Id of the rule; of a value, the column.
        positions: Ascending places in the payload.
        columns: What to look at.
    """

    change: Change
    by: str
    positions: Positions
    columns: tuple[str, ...]


def in_step(old: Iterator[Verdict], new: Iterator[Verdict]) -> Iterator[tuple[Verdict, Verdict]]:
    """Verdicts over the same stretch of the payload, whatever batches they came in.

    A stretch that one side does not have is an empty verdict there.
    """
    left, right = next(old, None), next(new, None)
    while left is not None and right is not None:
        until = min(_end(left), _end(right))
        one, left = _cut(left, until, old)
        other, right = _cut(right, until, new)
        yield one, other
    while left is not None:
        yield left, _empty(left)
        left = next(old, None)
    while right is not None:
        yield _empty(right), right
        right = next(new, None)


def _end(verdict: Verdict) -> int:
    """The place behind its last record."""
    places = (verdict.accepted.position, verdict.rejected.frame.position)
    return max((int(each[-1]) + 1 for each in places if len(each)), default=0)


def _cut(verdict: Verdict, until: int, rest: Iterator[Verdict]) -> tuple[Verdict, Verdict | None]:
    """What lies before a place, and what follows it."""
    if _end(verdict) <= until:
        return verdict, next(rest, None)
    after = replace(_part(verdict, until, None), undecided={})
    return _part(verdict, None, until), after


def _empty(verdict: Verdict) -> Verdict:
    return replace(_part(verdict, None, 0), undecided={})


def _part(verdict: Verdict, start: int | None, end: int | None) -> Verdict:
    def inside(positions: Positions) -> slice:
        bounds = [
            each if each is None else int(np.searchsorted(positions, np.uint64(each)))
            for each in (start, end)
        ]
        return slice(*bounds)

    def judged(each: Judged) -> Judged:
        rows = np.arange(len(each))[inside(each.frame.position)]
        return Judged(each.frame.take(rows), each.rule[rows], each.rules)

    rows = np.arange(len(verdict.accepted))[inside(verdict.accepted.position)]
    return replace(
        verdict,
        accepted=verdict.accepted.take(rows),
        rejected=judged(verdict.rejected),
        flagged=judged(verdict.flagged),
    )


def changes(old: Verdict, new: Verdict, *, values: bool) -> Iterator[Changed]:
    """What becomes different for some records of a stretch.

    Args:
        values: Whether values are compared, too: of records that both accept.
    """
    yield from _refusals(old, new)
    yield from _flags(old, new)
    if values:
        yield from _values(old.accepted, new.accepted)


def _refusals(old: Verdict, new: Verdict) -> Iterator[Changed]:
    yield from _named(Change.REFUSED, new.rejected, old.accepted.position)
    yield from _named(Change.ACCEPTED, old.rejected, new.accepted.position)
    before, after = old.rejected, new.rejected
    if not len(before) or not len(after):
        return
    _, one, other = np.intersect1d(
        before.frame.position, after.frame.position, assume_unique=True, return_indices=True
    )
    differs = _ids(before)[one] != _ids(after)[other]
    yield from _by_rule(Change.REASON, after, other[differs])


def _named(change: Change, judged: Judged, among: Positions) -> Iterator[Changed]:
    """The records of `judged` that are among those of the other side."""
    if len(judged):
        rows = np.flatnonzero(np.isin(judged.frame.position, among))
        yield from _by_rule(change, judged, rows)


def _flags(old: Verdict, new: Verdict) -> Iterator[Changed]:
    for change, here, there in (
        (Change.FLAGGED, new.flagged, old.flagged),
        (Change.UNFLAGGED, old.flagged, new.flagged),
    ):
        known = {rule.id: there.frame.position[there.rule == at]
                 for at, rule in enumerate(there.rules)}  # fmt: skip
        for at, rule in enumerate(here.rules):
            rows = np.flatnonzero(here.rule == at)
            if rule.id in known:
                rows = rows[~np.isin(here.frame.position[rows], known[rule.id])]
            yield from _by_rule(change, here, rows)


def _by_rule(change: Change, judged: Judged, rows: npt.NDArray[np.intp]) -> Iterator[Changed]:
    for at in np.unique(judged.rule[rows]).tolist():
        rule: Rule = judged.rules[at]
        mine = rows[judged.rule[rows] == at]
        yield Changed(change, rule.id, judged.frame.position[mine], rule.columns)


def _ids(judged: Judged) -> npt.NDArray[np.str_]:
    return np.array([rule.id for rule in judged.rules])[judged.rule]


def _values(old: Frame, new: Frame) -> Iterator[Changed]:
    one, other, positions = _common(old, new)
    for name in (*(column.name for column in new.table.frame_columns), "ordinal"):
        differs = column(old, name)[one] != column(new, name)[other]
        if differs.any():
            yield Changed(Change.VALUE, name, positions[differs], (name,))


def _common(
    old: Frame, new: Frame
) -> tuple[npt.NDArray[np.intp] | slice, npt.NDArray[np.intp] | slice, Positions]:
    """Rows of the records that both frames have, and their places."""
    if np.array_equal(old.position, new.position):
        return slice(None), slice(None), new.position
    positions, one, other = np.intersect1d(
        old.position, new.position, assume_unique=True, return_indices=True
    )
    return one, other, positions


def column(frame: Frame, name: str) -> npt.NDArray[np.generic]:
    """A column of the frame, or its ordinals."""
    return frame.ordinal if name == "ordinal" else frame.columns[name]


def record(verdict: Verdict, position: int) -> tuple[Frame, int] | None:
    """The frame and row of the record at a place, accepted or not; None where it is not there."""
    frames: Sequence[Frame] = (verdict.accepted, verdict.rejected.frame)
    for frame in frames:
        row = int(np.searchsorted(frame.position, np.uint64(position)))
        if row < len(frame) and int(frame.position[row]) == position:
            return frame, row
    return None
