"""The bytes of a binary COPY → standard columns: the inverse of the store's encoder.

Every column is selected as an expression of one width that is never NULL, so that a row *is* a
numpy structured record: field count, then (length, value) per expression. Format: PostgreSQL
manual, COPY, "Binary Format". A query with a Python object per value takes 20 times as long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ingestor.errors import Terminal
from ingestor.model import Column, Table
from ingestor.model.kind import CHARACTER, INT32, INT64_MAX, NANOSECONDS, UINT8, Kind
from ingestor.query.words import Sent, Word, words

HEADER: Final = b"PGCOPY\n\xff\r\n\0" + b"\0" * 8
TRAILER: Final = b"\xff\xff"

_EPOCH_US: Final = np.int64(946_684_800_000_000)  # 2000-01-01, where PostgreSQL counts from
_TOP_BIT: Final = 1 << 63
_NANOS_BITS: Final = 10

Values = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class _Cell:
    """One frame column as it is read.

    Attributes:
        sent: Its expressions; no other column has one of them.
        decode: The expressions' values → the frame's; all of shape (n,).
    """

    sent: tuple[Sent, ...]
    decode: Callable[..., Values]


@dataclass(frozen=True)
class RowLayout:
    """How rows of some columns of a table are read.

    Attributes:
        words: What is sent, in order.
        dtype: One row on its way.
    """

    table: Table
    cells: Mapping[str, _Cell]
    words: Sequence[Word]
    dtype: np.dtype[np.void]

    @classmethod
    def of(
        cls,
        table: Table,
        names: Iterable[str],
        widths: Mapping[str, int],
        beside: Sequence[str] = (),
    ) -> RowLayout:
        """The layout of the columns `names` of a table that the statement calls ``t``.

        Args:
            widths: Most bytes of each text column.
            beside: Columns of the statement that the table has not: INTEGER, never NULL.
        """
        cells = {name: _cell(table, table[name], widths.get(name, 0)) for name in names}
        cells |= {name: _Cell((_small(f"t.{name}", INT32),), _as("i4")) for name in beside}
        made = words(sent for cell in cells.values() for sent in cell.sent)
        fields = [("count", ">i2")]
        for at, word in enumerate(made):
            fields += [(f"length{at}", ">i4"), (f"value{at}", word.sent.dtype)]
        return cls(table, cells, made, np.dtype(fields))

    @property
    def select(self) -> str:
        """The list of expressions, to stand between SELECT and FROM."""
        return ", ".join(word.sent.sql for word in self.words)

    def decode(self, raw: bytes | bytearray | memoryview) -> dict[str, Values]:
        """The standard columns of whole rows, without COPY's header and trailer.

        Raises:
            Terminal: A row has another shape: a text is longer than its field on the wire.
        """
        rows = np.frombuffer(raw, self.dtype)
        values: dict[Sent, Values] = {}
        for at, word in enumerate(self.words):
            self._check(word, rows[f"length{at}"], self.dtype[f"value{at}"].itemsize)
            values |= zip(word.fields, word.split(rows[f"value{at}"]), strict=True)
        return {
            name: cell.decode(*(values[sent] for sent in cell.sent))
            for name, cell in self.cells.items()
        }

    def _check(self, word: Word, lengths: Values, width: int) -> None:
        if (wrong := lengths != width).any():
            name = next(name for name, cell in self.cells.items() if word.fields[0] in cell.sent)
            raise Terminal(
                f"{self.table.name}.{name} holds a value of {lengths[wrong.argmax()]} bytes; "
                f"{width} are what its field on the wire has",
                hint="find it with octet_length(); it came from no DBN record",
            )


def _cell(table: Table, column: Column, width: int) -> _Cell:
    name, frame = f"t.{column.name}", _as(column.kind.frame)
    if column.kind is CHARACTER:
        return _Cell((_small(f"coalesce(ascii({name}), 0)::SMALLINT", UINT8),), frame)
    if column.kind.frame.startswith("S"):
        return _text(name, width)
    match column.kind.sql:
        case "TIMESTAMPTZ":
            return _time(table, column)
        case "NUMERIC":
            fixed = _never_null(f"({name} * {NANOSECONDS})::BIGINT", column, "BIGINT")
            return _Cell((Sent(fixed, ">i8"),), frame)
        case "NUMERIC(20)":
            whole = _never_null(name, column, "NUMERIC")
            return _Cell((Sent(f"({whole} - {_TOP_BIT})::BIGINT", ">i8"),), _unsigned)
        case sql:
            return _Cell((_small(_never_null(name, column, sql), column.kind),), frame)


def _small(expression: str, kind: Kind) -> Sent:
    """As many bits as the frame's: an integer's null is one of its values there."""
    frame = np.dtype(kind.frame)
    return Sent(expression, f">i{kind.width}", 8 * frame.itemsize, frame.kind == "i")


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
    return _Cell((Sent(f"({padded})", f"S{width}"),), np.ascontiguousarray)


def _time(table: Table, column: Column) -> _Cell:
    name = f"t.{column.name}"
    micros = f"coalesce({name}, 'infinity')" if column.nullable else name
    below = [each for each in table.columns if each.nanos_of == column.name]
    nanos = tuple(_below(f"t.{each.name}", each) for each in below)
    sentinel = column.null if isinstance(column.null, int) else 0

    def decode(sent: Values, *rest: Values) -> Values:
        """int64 µs since 2000 → uint64 ns since 1970; multiplied after the cast, for 2262."""
        null = sent == INT64_MAX
        since = (np.where(null, 0, sent).astype(np.int64) + _EPOCH_US).astype(np.uint64)
        exact = since * np.uint64(1000) + sum(each.astype(np.uint64) for each in rest)
        return np.where(null, np.uint64(sentinel), exact)

    return _Cell((Sent(micros, ">i8"), *nanos), decode)


def _below(name: str, column: Column) -> Sent:
    whole = f"coalesce({name}, 0::SMALLINT)" if column.nullable else name
    return Sent(whole, ">i2", _NANOS_BITS)


def _as(dtype: str) -> Callable[[Values], Values]:
    return lambda sent: sent.astype(dtype)


def _unsigned(sent: Values) -> Values:
    return sent.astype(np.int64).view(np.uint64) ^ np.uint64(_TOP_BIT)
