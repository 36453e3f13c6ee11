"""Standard frames for tests, out of plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ingestor.model import Table
from ingestor.model.frame import Frame

FIRST = 100
"""Position of a frame's first record."""
_RAW = np.dtype([("n", "<u4")])


def frame(
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    ordinals: Sequence[int] | None = None,
    unread: Mapping[str, Sequence[bool]] | None = None,
) -> Frame:
    """A frame of these records; the raw bytes of each are its place, little endian."""
    columns: dict[str, Any] = {}
    for column in table.frame_columns:
        values = [row[column.name] for row in rows]
        columns[column.name] = np.array(values, dtype=np.dtype(column.kind.frame))
    raw = np.zeros(len(rows), _RAW)
    raw["n"] = np.arange(len(rows))
    return Frame(
        table,
        columns,
        raw,
        np.arange(len(rows), dtype=np.uint64) + FIRST,
        np.array(ordinals or [0] * len(rows), np.int16),
        {name: np.array(mask, np.bool_) for name, mask in (unread or {}).items()},
    )


def good(table: Table) -> dict[str, Any]:
    """A record of zeros and spaces that every table can hold."""
    return {c.name: (b"x" if c.kind.frame.startswith("S") else 0) for c in table.frame_columns}
