"""Copies of wire records as opaque bytes.

numpy copies a structured array field by field: 3 ms for 65,536 trades, 0.1 ms as bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Records = npt.NDArray[np.void]


def chosen(records: Records, rows: npt.NDArray[np.bool_]) -> Records:
    """The records where `rows` is true."""
    return _opaque(records)[rows].view(records.dtype)


def joined(arrays: Sequence[Records]) -> Records:
    """All records of `arrays`, one or more of one layout, in one array."""
    if len(arrays) == 1:
        return arrays[0]
    return np.concatenate([_opaque(records) for records in arrays]).view(arrays[0].dtype)


def _opaque(records: Records) -> Records:
    return records.view(f"V{records.dtype.itemsize}")
