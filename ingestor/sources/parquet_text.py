"""Parquet as CSV text: what cells say, spelled in one way, so that one mapping reads both."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ingestor.errors import CorruptPayload

if TYPE_CHECKING:
    import pyarrow as pa

MAGIC: Final = b"PAR1"
_ROWS: Final = 65_536


def parquet_text(path: Path, wanted: Collection[str] | None = None) -> Iterator[bytes]:
    """A header line, then the rows, delimited by commas.

    Of the columns those that are `wanted`; all where one of these is missing, so that its reader
    can say what there is instead.

    Numbers are decimals without an exponent (floats the shortest that mean the same), times ISO
    8601, with ``Z`` where the column has a time zone; null is empty, as is text that is empty. Of
    lists and structures only the names are told. Bytes are told as they are, UTF-8 or not.

    Raises:
        CorruptPayload: It is damaged.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path, pre_buffer=False) as file:
            names = file.schema_arrow.names
            if wanted is not None and set(wanted) <= set(names):
                names = [name for name in names if name in wanted]
            yield _lines([pa.array([name]) for name in names])
            for batch in file.iter_batches(_ROWS, columns=names):
                found = zip(batch.schema.names, batch.columns, strict=True)
                yield _lines([_text(column) for name, column in found if name in names])
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise CorruptPayload(
            f"{path} cannot be read as Parquet: {error}", hint="fetch or copy the file again"
        ) from error


def _lines(columns: list[pa.Array]) -> bytes:
    """CSV without a header; quotes only where some cell needs them."""
    import pyarrow as pa
    from pyarrow import csv

    table = pa.table(columns, [str(at) for at in range(len(columns))])
    style = csv.WriteOptions(include_header=False, quoting_style="none")
    written = BytesIO()
    try:
        csv.write_csv(table, written, style)
    except pa.ArrowInvalid:  # a delimiter, quote or line end in some cell
        style.quoting_style = "needed"
        written = BytesIO()
        csv.write_csv(table, written, style)
    return written.getvalue()


def _text(column: pa.Array) -> pa.Array:
    """A column as text; what was bytes may be no UTF-8."""
    import pyarrow as pa
    from pyarrow import compute
    from pyarrow import types as of

    if of.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if of.is_string(kind) or of.is_large_string(kind):
        return column
    if of.is_binary(kind) or of.is_large_binary(kind) or of.is_fixed_size_binary(kind):
        # Unsafe: what is no UTF-8 is for the reader of the text to refuse, record by record.
        return column.cast(pa.large_string(), safe=False)
    if of.is_floating(kind) or of.is_decimal(kind):
        return _decimal(column)
    if of.is_timestamp(kind):
        utc = column if kind.tz is None else column.cast(pa.timestamp(kind.unit, "UTC"))
        return compute.replace_substring(utc.cast(pa.string()), " ", "T")
    if of.is_nested(kind) or of.is_null(kind):
        return pa.nulls(len(column), pa.string())
    return column.cast(pa.string())


def _decimal(column: pa.Array) -> pa.Array:
    """Numbers without an exponent, which few have and few readers know."""
    import pyarrow as pa
    from pyarrow import compute

    text = column.cast(pa.string())
    if not compute.any(compute.match_substring_regex(text, "[0-9][eE]")).as_py():
        return text
    return pa.array([each and _plain(each) for each in text.to_pylist()], pa.string())


def _plain(number: str) -> str:
    found = Decimal(number)
    return f"{found:f}" if found.is_finite() else number
