"""The frame as pandera takes it: a pandas DataFrame over the same memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from ingestor.model import Column, Table
from ingestor.model.frame import Frame

if TYPE_CHECKING:
    import numpy.typing as npt

_TEXT: Final = pd.ArrowDtype(pa.large_binary())


def view_of(frame: Frame) -> pd.DataFrame:
    """Every column of the frame, and `ordinal`; no value is copied.

    Text is Arrow's, with the NULs that fill it up: a Python object per value takes 3 ms for 65,536.
    """
    columns: dict[str, Any] = {
        name: _binary(values) if values.dtype.kind == "S" else values
        for name, values in frame.columns.items()
    }
    return pd.DataFrame({**columns, "ordinal": frame.ordinal}, copy=False)


def dtypes_of(table: Table) -> Mapping[str, Any]:
    """The dtype of each column of a view, in order."""
    dtypes = {column.name: _dtype_of(column) for column in table.frame_columns}
    return {**dtypes, "ordinal": np.dtype("i2")}


def _dtype_of(column: Column) -> Any:
    """What pandas calls the column's values; texts have one dtype, whatever their width."""
    return _TEXT if column.kind.frame.startswith("S") else np.dtype(column.kind.frame)


def _binary(values: npt.NDArray[Any]) -> Any:
    ends = np.arange(len(values) + 1, dtype=np.int64) * values.dtype.itemsize
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(np.ascontiguousarray(values))]
    array = pa.Array.from_buffers(pa.large_binary(), len(values), buffers)
    return pd.arrays.ArrowExtensionArray(array)
