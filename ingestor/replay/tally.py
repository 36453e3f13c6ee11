"""What a rehearsal has found so far: counts per rule and column, and a few examples of each."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ingestor.days import DAY_NS, date_of_day
from ingestor.model.kind import UINT64_MAX
from ingestor.model.readable import readable
from ingestor.replay.comparison import Change, Changed, changes, record

if TYPE_CHECKING:
    import numpy.typing as npt

    from ingestor.job import Claim
    from ingestor.model.frame import Frame
    from ingestor.model.verdict import Verdict
    from ingestor.sources.source import Payload


@dataclass(frozen=True, slots=True)
class Example:
    """A record that changes.

    Attributes:
        by: Id of the rule; of a changed value, the column.
        payload: Its uri; `position` is the record's 0-based place in it.
        symbol: What the payload calls the instrument; None where it does not say.
        time: Index timestamp, ISO 8601; None where it is undefined.
        values: Column → what it holds by the old and by the new configuration, for people.
    """

    change: Change
    by: str
    chunk_id: int
    payload: str
    position: int
    instrument_id: int
    symbol: str | None
    time: str | None
    values: Mapping[str, tuple[Any, Any]]


@dataclass(slots=True)
class Tally:
    """Counts grow, memory does not: of each change and rule `examples` records are kept."""

    examples_kept: int
    records: int = 0
    changed_records: int = 0
    by_rule: dict[str, Counter[Change]] = field(default_factory=lambda: defaultdict(Counter))
    columns: Counter[str] = field(default_factory=Counter)
    undecided_old: Counter[str] = field(default_factory=Counter)
    undecided_new: Counter[str] = field(default_factory=Counter)
    examples: list[Example] = field(default_factory=list)
    _kept: Counter[tuple[Change, str]] = field(default_factory=Counter)

    def add(
        self, old: Verdict, new: Verdict, claim: Claim, payload: Payload, *, values: bool
    ) -> None:
        """Takes in one stretch of a payload."""
        self.records += max(_count(old), _count(new))
        self.undecided_old.update(old.undecided)
        self.undecided_new.update(new.undecided)
        touched: list[npt.NDArray[np.uint64]] = []
        for each in changes(old, new, values=values):
            touched.append(each.positions)
            if each.change is Change.VALUE:
                self.columns[each.by] += len(each.positions)
            else:
                self.by_rule[each.by][each.change] += len(each.positions)
            self._keep(each, old, new, claim, payload)
        if touched:
            self.changed_records += len(np.unique(np.concatenate(touched)))

    def take_in(self, other: Tally) -> None:
        """Adds what was found in another payload."""
        self.records += other.records
        self.changed_records += other.changed_records
        for rule, counts in other.by_rule.items():
            self.by_rule[rule].update(counts)
        for mine, theirs in (
            (self.columns, other.columns),
            (self.undecided_old, other.undecided_old),
            (self.undecided_new, other.undecided_new),
        ):
            mine.update(theirs)
        for example in other.examples:
            if self._kept[example.change, example.by] < self.examples_kept:
                self.examples.append(example)
                self._kept[example.change, example.by] += 1

    def _keep(
        self, each: Changed, old: Verdict, new: Verdict, claim: Claim, payload: Payload
    ) -> None:
        room = self.examples_kept - self._kept[each.change, each.by]
        for position in each.positions[: max(room, 0)].tolist():
            self.examples.append(_example(each, position, old, new, claim, payload))
            self._kept[each.change, each.by] += 1


def _count(verdict: Verdict) -> int:
    return len(verdict.accepted) + len(verdict.rejected)


def _example(
    each: Changed, position: int, old: Verdict, new: Verdict, claim: Claim, payload: Payload
) -> Example:
    before, after = record(old, position), record(new, position)
    here = after or before
    assert here is not None, "a record that changes is on one of the sides"
    frame, row = here
    index = int(frame.columns[frame.table.index_column][row])
    known = {column.name for column in frame.table.frame_columns} | {"ordinal"}
    names = [name for name in each.columns if name in known]
    one, other = (_readable(side, names) for side in (before, after))
    time = _readable(here, [frame.table.index_column])[frame.table.index_column]
    instrument_id = int(frame.columns["instrument_id"][row])
    return Example(
        change=each.change,
        by=each.by,
        chunk_id=claim.chunk_id,
        payload=payload.ref.uri,
        position=position,
        instrument_id=instrument_id,
        symbol=None if index == UINT64_MAX else symbol_of(payload, instrument_id, index),
        time=time,
        values={name: (one.get(name), other.get(name)) for name in names},
    )


def _readable(side: tuple[Frame, int] | None, names: list[str]) -> dict[str, Any]:
    if side is None or not names:
        return {}
    frame, row = side
    return dict(readable(frame, names, [row])[0])


def symbol_of(payload: Payload, instrument_id: int, index_ns: int) -> str | None:
    """What the payload calls an instrument on the day of an instant."""
    day = date_of_day(index_ns // DAY_NS).isoformat()
    target = str(instrument_id)
    for each in payload.symbology:
        if each.target == target and each.start <= day < each.end:
            return each.symbol
    return None
