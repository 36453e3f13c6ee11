"""The bytes of a binary COPY → standard columns: the inverse of the store's encoder.

Every column is selected as an expression of one width that is never NULL, so that a row *is* a
numpy structured record: field count, then (length, value) per expression. Format: PostgreSQL
manual, COPY, "Binary Format". A query with a Python object per value takes 20 times as long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ingestor.errors import Terminal
from ingestor.model import Column, Table
from ingestor.model.kind import CHARACTER, INT64_MAX, NANOSECONDS

HEADER: Final = b"PGCOPY\n\xff\r\n\0" + b"\0" * 8
TRAILER: Final = b"\xff\xff"

_EPOCH_US: Final = np.int64(946_684_800_000_000)  # 2000-01-01, where PostgreSQL counts from
_TOP_BIT: Final = 1 << 63

Values = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class _Cell:
    """One frame column as it is read.

    Attributes:
        sent: SQL expressions, each with the numpy dtype of its value.
        decode: The expressions' values → the frame's; all of shape (n,).
    """

    sent: tuple[tuple[str, str], ...]
    decode: Callable[..., Values]


@dataclass(frozen=True)
class RowLayout:
    """How rows of some columns of a table are read.

    Attributes:
        select: The list of expressions, to stand between SELECT and FROM.
        dtype: One row on its way.
    """

    table: Table
    cells: Mapping[str, _Cell]
    select: str
    dtype: np.dtype[np.void]

    @classmethod
    def of(cls, table: Table, names: Iterable[str], widths: Mapping[str, int]) -> RowLayout:
        """The layout of the frame columns `names` of a table that the statement calls ``t``.

        Args:
            widths: Most bytes of each text column.
        """
        cells = {name: _cell(table, table[name], widths.get(name, 0)) for name in names}
        sent = [each for cell in cells.values() for each in cell.sent]
        fields = [("count", ">i2")]
        for at, (_, dtype) in enumerate(sent):
            fields += [(f"length{at}", ">i4"), (f"value{at}", dtype)]
        return cls(table, cells, ", ".join(sql for sql, _ in sent), np.dtype(fields))

    def decode(self, raw: bytes | bytearray | memoryview) -> dict[str, Values]:
        """The standard columns of whole rows, without COPY's header and trailer.

        Raises:
            Terminal: A row has another shape: a text is longer than its field on the wire.
        """
        rows = np.frombuffer(raw, self.dtype)
        made, at = {}, 0
        for name, cell in self.cells.items():
            numbers = range(at, at + len(cell.sent))
            for each in numbers:
                self._check(name, rows[f"length{each}"], self.dtype[f"value{each}"].itemsize)
            made[name] = cell.decode(*(rows[f"value{each}"] for each in numbers))
            at += len(cell.sent)
        return made

    def _check(self, name: str, lengths: Values, width: int) -> None:
        if (wrong := lengths != width).any():
            raise Terminal(
                f"{self.table.name}.{name} holds a value of {lengths[wrong.argmax()]} bytes; "
                f"{width} are what its field on the wire has",
                hint="find it with octet_length(); it came from no DBN record",
            )


def _cell(table: Table, column: Column, width: int) -> _Cell:
    name = f"t.{column.name}"
    if column.kind is CHARACTER:
        return _Cell(((f"coalesce(ascii({name}), 0)::SMALLINT", ">i2"),), _as("u1"))
    if column.kind.frame.startswith("S"):
        return _text(name, width)
    match column.kind.sql:
        case "TIMESTAMPTZ":
            return _time(table, column)
        case "NUMERIC":
            fixed = _never_null(f"({name} * {NANOSECONDS})::BIGINT", column, "BIGINT")
            return _Cell(((fixed, ">i8"),), _as(column.kind.frame))
        case "NUMERIC(20)":
            whole = _never_null(name, column, "NUMERIC")
            return _Cell(((f"({whole} - {_TOP_BIT})::BIGINT", ">i8"),), _unsigned)
        case sql:
            whole = _never_null(name, column, sql)
            return _Cell(((whole, f">i{column.kind.width}"),), _as(column.kind.frame))


def _never_null(expression: str, column: Column, sql: str) -> str:
    """The column's sentinel for NULL; one past 2^63 by its two's complement, as `_as` reads it."""
    if not isinstance(column.null, int):
        return expression
    wraps = sql == "BIGINT" and column.null > INT64_MAX
    sentinel = column.null - 2 * _TOP_BIT if wraps else column.null
    return f"coalesce({expression}, '{sentinel}'::{sql})"


def _text(name: str, width: int) -> _Cell:
    """UTF-8, filled up with NUL; a longer text stays longer, and `decode` refuses it."""
    filling = f"substr('\\x{'00' * width}'::BYTEA, octet_length(coalesce({name}, '')) + 1)"
    padded = f"convert_to(coalesce({name}, ''), 'UTF8') || {filling}"
    return _Cell(((f"({padded})", f"S{width}"),), np.ascontiguousarray)


def _time(table: Table, column: Column) -> _Cell:
    micros = f"coalesce(t.{column.name}, 'infinity')"
    below = [each.name for each in table.columns if each.nanos_of == column.name]
    nanos = tuple((f"coalesce(t.{name}, 0::SMALLINT)", ">i2") for name in below)
    sentinel = column.null if isinstance(column.null, int) else 0

    def decode(sent: Values, *rest: Values) -> Values:
        """int64 µs since 2000 → uint64 ns since 1970; multiplied after the cast, for 2262."""
        null = sent == INT64_MAX
        since = (np.where(null, 0, sent).astype(np.int64) + _EPOCH_US).astype(np.uint64)
        exact = since * np.uint64(1000) + sum(each.astype(np.uint64) for each in rest)
        return np.where(null, np.uint64(sentinel), exact)

    return _Cell(((micros, ">i8"), *nanos), decode)


def _as(dtype: str) -> Callable[[Values], Values]:
    return lambda sent: sent.astype(dtype)


def _unsigned(sent: Values) -> Values:
    return sent.astype(np.int64).view(np.uint64) ^ np.uint64(_TOP_BIT)
