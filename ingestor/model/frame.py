"""The standard frame: one batch of records, spelled in the Table's columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingestor.model.kind import Table

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Frame:
    """A batch of n records.

    Attributes:
        table: What the columns mean.
        columns: Name → array of shape (n,), dtype of the column's Kind; null is the sentinel.
        raw: The wire records, shape (n,), as delivered; kept to quarantine what cannot be stored.
        position: uint64 (n,), 0-based place of each record in its payload.
        ordinal: int16 (n,), place among records that share every other key column.
    """

    table: Table
    columns: Mapping[str, npt.NDArray[np.generic]]
    raw: npt.NDArray[np.void]
    position: npt.NDArray[np.uint64]
    ordinal: npt.NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.position)

    def take(self, rows: npt.NDArray[np.bool_]) -> Frame:
        """The records where `rows` is true."""
        return Frame(
            self.table,
            {name: values[rows] for name, values in self.columns.items()},
            self.raw[rows],
            self.position[rows],
            self.ordinal[rows],
        )
