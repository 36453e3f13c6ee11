"""The standard frame: one batch of records, spelled in the Table's columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ingestor.model.kind import Table

if TYPE_CHECKING:
    import numpy.typing as npt


UNPLACED = -1
"""Ordinal of a record whose key could not be read: nobody can say beside which it belongs."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A batch of n records.

    Attributes:
        table: What the columns mean.
        columns: Name → array of shape (n,), dtype of the column's Kind; null is the sentinel.
        raw: The wire records, shape (n,), as delivered; kept to quarantine what cannot be stored.
        position: uint64 (n,), 0-based place of each record in its payload.
        ordinal: int16 (n,), place among records that share every other key column; `UNPLACED` of
            a record whose key could not be read.
        unread: Column → bool (n,), the records whose value no conversion could read; the column
            holds anything there. Columns that were read whole are left out.
        cells: Column → the field of `raw` with the text that it is read from; of such columns.
    """

    table: Table
    columns: Mapping[str, npt.NDArray[np.generic]]
    raw: npt.NDArray[np.void]
    position: npt.NDArray[np.uint64]
    ordinal: npt.NDArray[np.int16]
    unread: Mapping[str, npt.NDArray[np.bool_]] = field(default_factory=dict)
    cells: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.position)

    def take(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Frame:
        """The records where `rows` is true, or at those places."""
        # numpy copies 65,536 structured records in 0.1 ms by `take`, in 5.3 ms by their index.
        places = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        return Frame(
            self.table,
            {name: values.take(places) for name, values in self.columns.items()},
            self.raw.take(places),
            self.position.take(places),
            self.ordinal.take(places),
            {name: values.take(places) for name, values in self.unread.items()},
            self.cells,
        )
