"""Ordinals: 0, 1, 2 … among records that share every other key column, in delivery order.

Real trades repeat instrument, time and sequence (1.95 % of ES), some every field; the key keeps
them apart by their ordinal. Records that share a key share an index microsecond, so in an ordered
payload they are neighbours and a batch that never splits a microsecond can be numbered alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ingestor.errors import Unstorable
from ingestor.model import Table

Columns = dict[str, npt.NDArray[Any]]
Ordinals = npt.NDArray[np.int16]

HIGHEST = 32_767
_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: spreads small integers over the word


class Numbering(Protocol):
    """Gives every record of a batch its ordinal."""

    def ordinals(self, columns: Columns, position: npt.NDArray[np.uint64]) -> Ordinals: ...


@dataclass(frozen=True, slots=True)
class Adjacent:
    """For ordered payloads: each batch holds whole index microseconds and is numbered alone.

    Attributes:
        before: Key columns of preceding parts' records; those in a batch's own index microseconds
            are numbered before it.
    """

    table: Table
    before: Columns | None = None

    def ordinals(self, columns: Columns, position: npt.NDArray[np.uint64]) -> Ordinals:
        del position
        return _after(self.table, self._met(columns), columns)

    def _met(self, columns: Columns) -> Columns | None:
        """What of `before` may share a key with a record of the batch."""
        if self.before is None:
            return None
        earlier = self.before[self.table.index_column] // 1000
        met = np.isin(earlier, columns[self.table.index_column] // 1000)
        return {name: values[met] for name, values in self.before.items()} if met.any() else None


@dataclass(frozen=True, slots=True)
class Whole:
    """For payloads whose index timestamp decreases somewhere: numbered over all records at once.

    Attributes:
        positions: Places in the payload of all records of the slice, ascending.
        numbers: Their ordinals.
    """

    positions: npt.NDArray[np.uint64]
    numbers: Ordinals

    def ordinals(self, columns: Columns, position: npt.NDArray[np.uint64]) -> Ordinals:
        del columns
        return self.numbers[np.searchsorted(self.positions, position)]


def numbering_of(
    table: Table,
    *,
    ordered: bool,
    before: Columns | None,
    everything: tuple[Columns, npt.NDArray[np.uint64]] | None = None,
) -> Numbering:
    """The numbering for one slice.

    Args:
        ordered: Whether the index timestamp never decreases in the payload.
        before: Key columns of preceding parts' records, None where there are none.
        everything: Key columns and positions of all records of the slice; needed where not ordered.
    """
    if ordered:
        return Adjacent(table, before)
    assert everything is not None
    columns, positions = everything
    return Whole(positions, _after(table, before, columns))


def key_columns(table: Table, columns: Columns) -> Columns:
    """The key of each record as the table will see it: timestamps cut to the microsecond."""
    return {
        name: columns[name] // 1000 if table[name].kind.sql == "TIMESTAMPTZ" else columns[name]
        for name in table.key
        if name != "ordinal"
    }


def _after(table: Table, before: Columns | None, columns: Columns) -> Ordinals:
    keys = key_columns(table, columns)
    if before is None:
        return number(list(keys.values()), table)
    earlier = key_columns(table, before)
    count = len(next(iter(earlier.values())))
    joined = [np.concatenate([earlier[name], keys[name]]) for name in keys]
    return number(joined, table)[count:]


def number(keys: list[npt.NDArray[Any]], table: Table) -> Ordinals:
    """Ordinals of records whose key columns are `keys`, each of shape (n,), in delivery order.

    A hash of the key is sorted instead of the key: 65,536 records in 6 ms against 40 ms for a
    lexsort of five columns; only records whose hash repeats are then compared for real.

    Raises:
        Unstorable: More than 32,768 records share one key.
    """
    out = np.zeros(len(keys[0]), dtype=np.int16)
    suspects = _repeats(_hash(keys))
    if not len(suspects):
        return out
    order = suspects[np.lexsort([suspects, *(key[suspects] for key in keys)])]
    same = np.ones(len(order) - 1, dtype=bool)
    for key in keys:
        same &= key[order[1:]] == key[order[:-1]]
    runs = _place_in_run(same)
    if runs.max() > HIGHEST:
        raise Unstorable(
            f"{int(runs.max()) + 1} records of {table.name} share one key, "
            f"at most {HIGHEST + 1} can be told apart"
        )
    out[order] = runs
    return out


def _hash(keys: list[npt.NDArray[Any]]) -> npt.NDArray[np.uint64]:
    mixed = np.zeros(len(keys[0]), dtype=np.uint64)
    for key in keys:
        mixed = (mixed ^ key.astype(np.uint64)) * _MIX
        mixed ^= mixed >> np.uint64(32)
    return mixed


def _repeats(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.intp]:
    order = np.argsort(hashes)
    equal = hashes[order[1:]] == hashes[order[:-1]]
    twice = np.zeros(len(order), dtype=bool)
    twice[1:] = equal
    twice[:-1] |= equal
    return order[twice]


def _place_in_run(same: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """For a sorted sequence whose neighbours are `same`: 0, 1, 2 … within each run of equals."""
    index = np.arange(len(same) + 1)
    starts = np.concatenate([[0], np.where(same, 0, index[1:])])
    return index - np.maximum.accumulate(starts)
