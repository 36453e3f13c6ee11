"""Quarantined records among rows, in order of the whole key, which is known once they are decoded.

They come ordered by index timestamp and instrument. Those equal in both are few, and are put in
order here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from ingestor.model import Table
from ingestor.query.copied import Columns
from ingestor.query.quarantined import Quarantined
from ingestor.query.selection import order_of

_LAST: Final = 1 << 31
"""Instead of an unknown ordinal: behind all known ones."""


@dataclass(frozen=True, slots=True)
class Held:
    """One quarantined record.

    Attributes:
        of: What is known of it, with its bytes as delivered.
        rest: What it is put in order by behind index timestamp and instrument: `Key.rest`.
        raw: The record of the newest version.
        shortened: Of a batch of records the first has the number of those with a value that the
            newest version has no field for, the others have 0.
    """

    of: Quarantined
    rest: tuple[int, ...]
    raw: bytes
    shortened: int

    @property
    def group(self) -> tuple[int | None, int]:
        return self.of.index_ns, self.of.instrument_id


@dataclass(frozen=True, slots=True)
class Key:
    """What records of a table are put in order by.

    Attributes:
        times: Key columns behind index timestamp and instrument, each with whether it is a time,
            which keys hold to the microsecond; the last column of the key, ordinal, is not of them.
    """

    table: Table
    times: tuple[tuple[str, bool], ...]

    @classmethod
    def of(cls, table: Table) -> Key:
        done = (table.index_column, "instrument_id", "ordinal")
        columns = [table[name] for name in order_of(table) if name not in done]
        behind = [column for column in columns if column.nanos_of is None]
        return cls(table, tuple((each.name, each.kind.sql == "TIMESTAMPTZ") for each in behind))

    def rest(self, columns: Columns, at: int, ordinal: int | None) -> tuple[int, ...]:
        """The key of record `at` behind index timestamp and instrument; times in µs."""
        behind = [
            int(columns[name][at]) // 1000 if time else int(columns[name][at])
            for name, time in self.times
        ]
        return (*behind, _LAST if ordinal is None else ordinal)

    def place(self, columns: Columns, each: Held) -> int:
        """How many rows of the columns, which are in order, come before a quarantined record."""
        if each.of.index_ns is None:
            return len(columns["instrument_id"])
        # As numpy's own integers: a Python int beside uint64 would be compared as a float.
        times, at = columns[self.table.index_column], np.uint64(each.of.index_ns)
        low, high = _run(times, at)
        first, past = _run(columns["instrument_id"][low:high], each.of.instrument_id)
        same = range(low + first, low + past)
        return low + first + bisect_right(same, each.rest, key=lambda row: self._row(columns, row))

    def stored(self, columns: Columns, each: Held) -> bool:
        """Whether a row of the columns, which are in order, has the key of a quarantined record.

        Then the record was stored after all: rules have changed since, or it came again corrected.
        """
        at = self.place(columns, each) - 1
        return (
            each.of.index_ns is not None
            and at >= 0
            and int(columns[self.table.index_column][at]) == each.of.index_ns
            and int(columns["instrument_id"][at]) == each.of.instrument_id
            and self._row(columns, at) == each.rest
        )

    def _row(self, columns: Columns, at: int) -> tuple[int, ...]:
        """As `rest`; of records that a table does not number it holds the first."""
        return self.rest(columns, at, int(columns["ordinal"][at]) if self.table.numbered else 0)


def _run(values: Any, value: Any) -> tuple[int, int]:
    """From where to where ordered values are equal to this one."""
    same = values.dtype.type(value)
    return int(np.searchsorted(values, same, "left")), int(np.searchsorted(values, same, "right"))


async def in_order(held: AsyncGenerator[Held]) -> AsyncGenerator[Held]:
    """The records in order of their whole key, and what was delivered twice but once.

    Of records with an ordinal those with the same bytes in the newest version are one. Equal ones
    whose ordinal is unknown may be the same as these: only what exceeds their number counts.

    Args:
        held: In order of index timestamp and instrument.
    """
    group: list[Held] = []
    async with aclosing(held):
        async for each in held:
            if group and group[0].group != each.group:
                for one in _settled(group):
                    yield one
                group = []
            group.append(each)
    for one in _settled(group):
        yield one


def _settled(group: Sequence[Held]) -> Sequence[Held]:
    """Records of one index timestamp and instrument, each once, in order."""
    if len(group) < 2:
        return group
    kept = list(_once(group))
    # Who is left out may be the one that has its batch's number.
    told = sum(each.shortened for each in group) - sum(each.shortened for each in kept)
    kept[0] = replace(kept[0], shortened=kept[0].shortened + told)
    return sorted(kept, key=lambda each: each.rest)


def _once(group: Sequence[Held]) -> Iterator[Held]:
    known = {(each.raw, each.of.ordinal): each for each in group if each.of.ordinal is not None}
    yield from known.values()
    same = Counter(raw for raw, _ in known)
    for each in group:
        if each.of.ordinal is None:
            if same[each.raw]:
                same[each.raw] -= 1
            else:
                yield each
