"""Counts the records of one file by day, array by array, as they are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from ingestor.job import Contents
from ingestor.model.kind import NANOSECONDS, UINT64_MAX
from ingestor.sources.wire import chosen

if TYPE_CHECKING:
    import numpy.typing as npt

    UInts = npt.NDArray[np.uint64]

DAY: Final = 86_400 * NANOSECONDS
UNDEFINED: Final = UINT64_MAX
# Beyond it the rows are merged: only days that alternate from record to record make so many.
_MOST_ROWS: Final = 100_000
_MOST_FLAGS: Final = 1 << 20
_ROW: Final = np.dtype(
    [
        (name, np.uint64)
        for name in ("day", "event_day", "records", "low", "high", "event_low", "event_high")
    ]
)


@dataclass(frozen=True, slots=True)
class Window:
    """A slice of a payload.

    Attributes:
        start: First index timestamp, UTC nanoseconds.
        end: Where it ends, exclusive.
        last: Whether it also takes the records whose index timestamp is undefined.
    """

    start: int
    end: int
    last: bool = True

    def rows(self, index: UInts) -> npt.NDArray[np.bool_] | None:
        """Which records of one array are inside; None for all of them."""
        low, high = int(index.min()), int(index.max())
        if self.start <= low and high < self.end:
            return None
        inside = (index >= np.uint64(self.start)) & (index < np.uint64(self.end))
        return inside | (index == np.uint64(UNDEFINED)) if self.last else inside


EVERYTHING: Final = Window(0, UNDEFINED)


class Tally:
    """Counts arrays of records as they are read; every step is vectorised."""

    def __init__(self, index_column: str, window: Window) -> None:
        self._index = index_column
        self._window = window
        self._instruments: npt.NDArray[np.uint32] = np.empty(0, np.uint32)
        self._publishers = np.zeros(1 << 16, np.bool_)
        self._last = 0
        self._ordered = True
        self.index_range: tuple[int, int] | None = None
        self.undefined = 0
        self.rows: list[npt.NDArray[np.void]] = []
        self._row_count = 0

    def add(self, records: npt.NDArray[np.void]) -> None:
        index = np.ascontiguousarray(records[self._index])
        inside = self._window.rows(index)
        self._note_order(index)
        if inside is not None:
            records, index = chosen(records, inside), index[inside]
        if not len(records):
            return
        self._note_ids(records)
        event = index if self._index == "ts_event" else np.ascontiguousarray(records["ts_event"])
        if int(index.max()) == UNDEFINED:
            defined = index != UNDEFINED
            self.undefined += len(index) - int(np.count_nonzero(defined))
            index, event = index[defined], event[defined]
        if len(index):
            self._note_days(index, event)

    def contents(self, days: npt.NDArray[np.void]) -> Contents:
        ids = Contents(
            records=0,
            ordered=self._ordered,
            instruments=tuple(self._instruments.tolist()),
            publishers=tuple(np.flatnonzero(self._publishers).tolist()),
        )
        return summed(days, undefined=self.undefined, like=ids)

    def _note_order(self, index: UInts) -> None:
        """Order and range hold for the whole file, whatever the window."""
        low, high = int(index.min()), int(index.max())
        if high == UNDEFINED:
            index = index[index != UNDEFINED]
            if not len(index):
                return
            high = int(index.max())
        if self._ordered:
            self._ordered = int(index[0]) >= self._last and bool((index[1:] >= index[:-1]).all())
            self._last = int(index[-1])
        known = self.index_range or (low, high)
        self.index_range = (min(low, known[0]), max(high, known[1]))

    def _note_ids(self, records: npt.NDArray[np.void]) -> None:
        self._publishers[records["publisher_id"]] = True
        ids = np.ascontiguousarray(records["instrument_id"])
        low, high = int(ids.min()), int(ids.max())
        if high - low < _MOST_FLAGS:
            flags = np.zeros(high - low + 1, np.bool_)
            flags[ids - np.uint32(low)] = True
            ids = (np.flatnonzero(flags) + low).astype(np.uint32)
        self._instruments = np.union1d(self._instruments, ids)

    def _note_days(self, index: UInts, event: UInts) -> None:
        """One row for each run of records of one index day and one event day."""
        days, event_days = _days(index), _days(event)
        change = np.zeros(len(index), np.bool_)
        change[0] = True
        for of in (days, event_days):
            if of.ndim:
                change[1:] |= of[1:] != of[:-1]
        starts = np.flatnonzero(change)
        rows = np.empty(len(starts), _ROW)
        rows["day"] = days[starts] if days.ndim else days
        rows["event_day"] = event_days[starts] if event_days.ndim else event_days
        rows["records"] = np.diff(starts, append=len(index))
        for low, high, values in (("low", "high", index), ("event_low", "event_high", event)):
            rows[low] = np.minimum.reduceat(values, starts)
            rows[high] = np.maximum.reduceat(values, starts)
        self.rows.append(rows)
        self._row_count += len(rows)
        if self._row_count > _MOST_ROWS:
            self.rows = [merged(self.rows)]
            self._row_count = len(self.rows[0])


def _days(times: UInts) -> UInts:
    """Day since 1970 of each time, UNDEFINED for an undefined one; one number where all agree."""
    low, high = int(times.min()), int(times.max())
    if high != UNDEFINED and low // DAY == high // DAY:
        return np.array(low // DAY, np.uint64)
    days = times // np.uint64(DAY)
    days[times == UNDEFINED] = UNDEFINED
    return days


def merged(rows: list[npt.NDArray[np.void]]) -> npt.NDArray[np.void]:
    """One row per pair of days, ascending."""
    if not rows:
        return np.empty(0, _ROW)
    table = np.concatenate(rows)
    table = table[np.lexsort((table["event_day"], table["day"]))]
    change = np.ones(len(table), np.bool_)
    change[1:] = (table["day"][1:] != table["day"][:-1]) | (
        table["event_day"][1:] != table["event_day"][:-1]
    )
    starts = np.flatnonzero(change)
    merged = table[starts]
    merged["records"] = np.add.reduceat(table["records"], starts)
    for low, high in (("low", "high"), ("event_low", "event_high")):
        merged[low] = np.minimum.reduceat(table[low], starts)
        merged[high] = np.maximum.reduceat(table[high], starts)
    return merged


def summed(days: npt.NDArray[np.void], *, undefined: int, like: Contents) -> Contents:
    """Contents of some rows of a survey; ids and order are those of `like`, the whole file."""
    event = days[days["event_day"] != UNDEFINED]
    index_days, at = np.unique(days["day"], return_inverse=True)
    counts = np.bincount(at, days["records"].astype(np.int64)).astype(np.int64)
    return Contents(
        records=int(days["records"].sum()) + undefined,
        index_min=int(days["low"].min()) if len(days) else None,
        index_max=int(days["high"].max()) if len(days) else None,
        event_min=int(event["event_low"].min()) if len(event) else None,
        event_max=int(event["event_high"].max()) if len(event) else None,
        ordered=like.ordered,
        instruments=like.instruments,
        publishers=like.publishers,
        event_days=tuple(np.unique(event["event_day"]).tolist()),
        index_days=dict(zip(index_days.tolist(), counts.tolist(), strict=True)),
    )
