"""Standard frames → the bytes of a binary COPY, without a Python object per value.

A COPY BINARY row of fixed-width columns *is* a numpy structured record with big-endian fields:
field count, then (length, value) per column. Two million trades encode in 0.5 s this way; a Decimal
and a datetime per value take 50 s. Format: PostgreSQL manual, COPY, "Binary Format".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ingestor.model import Column, Table
from ingestor.model.frame import Frame

HEADER: Final = b"PGCOPY\n\xff\r\n\0" + b"\0" * 8
TRAILER: Final = b"\xff\xff"

_EPOCH_NS = np.int64(946_684_800_000_000_000)  # 2000-01-01, where PostgreSQL counts from

Values = npt.NDArray[Any]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Cell:
    """One column of one batch.

    Attributes:
        value: Big-endian value bytes of shape (n, width), or (1, width) where all are alike.
        sent: Length that each row sends, −1 for a null; None where all send `width` bytes.
        constant: Whether `value` holds one value for all rows.
    """

    value: Bytes
    sent: npt.NDArray[np.int32] | None = None
    constant: bool = False

    @property
    def width(self) -> int:
        return int(self.value.shape[1])


def encode(frame: Frame, *, chunk_id: int) -> memoryview:
    """The rows of a frame, every column of its table in DDL order, without header and trailer.

    Values must be storable (`ingestor.validate`): sentinels of nullable columns become NULL,
    everything else is written as it is.
    """
    if not len(frame):
        return memoryview(b"")
    cells = [_cell(column, frame, chunk_id) for column in frame.table.columns]
    rows = _rows(cells, len(frame)).view(np.uint8)
    keep = _kept(cells, len(frame), rows.size // len(frame))
    return (rows if keep is None else rows[keep.ravel()]).data


def _rows(cells: list[_Cell], count: int) -> npt.NDArray[np.void]:
    """All rows at full width, as if nothing were null: a structured array of shape (count,).

    One row with everything that is constant is copied to all, then each other value is set as one
    field: 2 ms for 65,536 trades, against 16 ms for slices of a plain byte array.
    """
    fields = [("count", ">i2")]
    for at, cell in enumerate(cells):
        fields += [(f"length{at}", ">i4"), (f"value{at}", f"V{cell.width}")]
    template = np.zeros(1, dtype=fields)
    template["count"] = len(cells)
    for at, cell in enumerate(cells):
        template[f"length{at}"] = cell.width
        if cell.constant and cell.width:
            template[f"value{at}"] = cell.value.view(f"V{cell.width}")[0, 0]
    rows = np.repeat(template, count)
    for at, cell in enumerate(cells):
        if (lengths := cell.sent) is not None:
            rows[f"length{at}"] = lengths
        if not cell.constant and cell.width:
            rows[f"value{at}"] = cell.value.view(f"V{cell.width}")[:, 0]
    return rows


def _kept(cells: list[_Cell], count: int, width: int) -> npt.NDArray[np.bool_] | None:
    """Which bytes are sent: a null has no value, a short text ends early. None: all of them."""
    if all(cell.sent is None for cell in cells):
        return None
    keep = np.ones((count, width), dtype=bool)
    at = 2
    for cell in cells:
        if (lengths := cell.sent) is not None:
            keep[:, at + 4 : at + 4 + cell.width] = np.arange(cell.width) < lengths[:, None]
        at += 4 + cell.width
    return keep


def _cell(column: Column, frame: Frame, chunk_id: int) -> _Cell:
    if column.name == "chunk_id":
        return _Cell(_big(np.array([chunk_id]), ">i4"), constant=True)
    if column.name == "ordinal":
        return _Cell(_big(frame.ordinal, ">i2"))
    if column.nanos_of is not None:
        return _nanos(frame.columns[column.nanos_of], frame.table[column.nanos_of])
    values = frame.columns[column.name]
    if column.kind.frame.startswith("S"):
        return _text(values, nullable=column.nullable)
    return _nullable(values, column, _ENCODERS[column.kind.sql])


def _nullable(values: Values, column: Column, encoder: Callable[[Values, int], Bytes]) -> _Cell:
    """Masks before any cast: a sentinel never goes through arithmetic that it would overflow."""
    width = column.kind.width
    if not column.nullable:
        return _Cell(encoder(values, width))
    null = values == column.null
    if not null.any():
        return _Cell(encoder(values, width))
    if null.all():
        return _Cell(np.empty((len(values), 0), dtype=np.uint8), _lengths(null, 0))
    return _Cell(
        encoder(np.where(null, values.dtype.type(0), values), width), _lengths(null, width)
    )


def _lengths(null: npt.NDArray[np.bool_], width: int) -> npt.NDArray[np.int32]:
    return np.where(null, -1, width).astype(np.int32)


def _nanos(values: Values, of: Column) -> _Cell:
    column = Column(of.name, of.kind, "", null=of.null)
    null = values == column.null if column.nullable else None
    below = _big((values % np.uint64(1000)).astype(np.int16), ">i2")
    return _Cell(below, _lengths(null, 2) if null is not None and null.any() else None)


def _text(values: Values, *, nullable: bool) -> _Cell:
    width = max(values.dtype.itemsize, 1)
    value = np.ascontiguousarray(values).view(np.uint8).reshape(len(values), width)
    lengths = np.char.str_len(values).astype(np.int32)
    if not nullable and bool((lengths == width).all()):
        return _Cell(value)
    return _Cell(value, np.where((lengths == 0) & nullable, -1, lengths).astype(np.int32))


def _big(values: Values, dtype: str) -> Bytes:
    """Values as big-endian bytes, shape (n, itemsize)."""
    cast = np.ascontiguousarray(values.astype(dtype))
    return cast.view(np.uint8).reshape(len(cast), cast.dtype.itemsize)


def _integer(values: Values, width: int) -> Bytes:
    return _big(values, f">i{width}")


def _timestamp(values: Values, width: int) -> Bytes:
    """uint64 ns since 1970 → int64 µs since 2000, floored.

    Divided before the cast: nanoseconds past 2^63 (the year 2262) turned negative would be 1969.
    """
    micros = (values // np.uint64(1000)).astype(np.int64) - _EPOCH_NS // 1000
    return _big(micros, f">i{width}")


def _character(values: Values, width: int) -> Bytes:
    return np.ascontiguousarray(values).view(np.uint8).reshape(len(values), width)


# Five base-10,000 digits hold any u64: weight 4, no decimals.
_WHOLE: Final = np.dtype(
    [("ndigits", ">i2"), ("weight", ">i2"), ("sign", ">i2"), ("dscale", ">i2"), ("d", ">i2", 5)]
)


def _whole(values: Values, width: int) -> Bytes:
    """uint64 → NUMERIC without decimals."""
    out = np.zeros(len(values), dtype=_WHOLE)
    out["ndigits"], out["weight"] = 5, 4
    rest = values
    for at in range(4, -1, -1):
        rest, out["d"][:, at] = np.divmod(rest, np.uint64(10**4))
    return out.view(np.uint8).reshape(len(values), width)


# NUMERIC with six base-10,000 digits, weight 2, nine decimals; the server strips zero digits.
_NUMERIC: Final = np.dtype(
    [("ndigits", ">i2"), ("weight", ">i2"), ("sign", ">i2"), ("dscale", ">i2"), ("d", ">i2", 6)]
)


def _numeric(values: Values, width: int) -> Bytes:
    """int64 at 1e-9 → NUMERIC, exact, by integer arithmetic only.

    The absolute value is taken in uint64, where −2^63 + 1 has one; `np.abs` would wrap.
    """
    negative = values < 0
    bits = values.view(np.uint64)
    magnitude = np.where(negative, np.uint64(0) - bits, bits)
    whole, fraction = np.divmod(magnitude, np.uint64(10**9))
    out = np.empty(len(values), dtype=_NUMERIC)
    out["ndigits"], out["weight"], out["dscale"] = 6, 2, 9
    out["sign"] = np.where(negative, 0x4000, 0)
    digits = out["d"]
    upper, digits[:, 2] = np.divmod(whole, np.uint64(10**4))
    digits[:, 0], digits[:, 1] = np.divmod(upper, np.uint64(10**4))
    upper, last = np.divmod(fraction, np.uint64(10))
    digits[:, 3], digits[:, 4] = np.divmod(upper, np.uint64(10**4))
    digits[:, 5] = last * np.uint64(1000)
    return out.view(np.uint8).reshape(len(values), width)


_ENCODERS: Final[dict[str, Callable[[Values, int], Bytes]]] = {
    "TIMESTAMPTZ": _timestamp,
    "NUMERIC": _numeric,
    "NUMERIC(20)": _whole,
    "BIGINT": _integer,
    "INTEGER": _integer,
    "SMALLINT": _integer,
    "TEXT": _character,
}


def columns_of(table: Table) -> list[str]:
    """Column names in the order `encode` writes them."""
    return [column.name for column in table.columns]
