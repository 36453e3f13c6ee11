"""Records of a standard frame as people and JSON read them, a column at a time.

Prices are decimal text without needless zeros, times ISO 8601 with nine digits of a second, null
is None. Text that is no UTF-8, and NUL, which JSON of PostgreSQL cannot hold, are escaped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestor.model.kind import NANOSECONDS, Column, Table

if TYPE_CHECKING:
    import numpy.typing as npt

    from ingestor.model.frame import Frame

Value = str | int | None

# numpy's times are signed: from the year 2262 on they must be split.
_SIGNED_END: Final = 2**63


def readable(
    frame: Frame,
    columns: Sequence[str] | None = None,
    rows: npt.NDArray[np.intp] | Sequence[int] | None = None,
) -> list[dict[str, Value]]:
    """Name → value for each record of the frame.

    What could not be read of what was delivered is None, as is what is undefined.

    Args:
        columns: Names of frame columns, or `ordinal`; all frame columns by default.
        rows: Places in the frame; all by default.
    """
    chosen = slice(None) if rows is None else np.asarray(rows, np.intp)
    names = [c.name for c in frame.table.frame_columns] if columns is None else list(columns)
    values = {**frame.columns, "ordinal": frame.ordinal}
    unread = {name: mask[chosen] for name, mask in frame.unread.items()}
    return readable_columns(frame.table, {name: values[name][chosen] for name in names}, unread)


def readable_columns(
    table: Table,
    columns: Mapping[str, npt.NDArray[Any]],
    unread: Mapping[str, npt.NDArray[np.bool_]] | None = None,
) -> list[dict[str, Value]]:
    """As `readable`, from some columns of a table, each of shape (n,)."""
    made = [_spelled(table, name, values, unread or {}) for name, values in columns.items()]
    return [dict(zip(columns, row, strict=True)) for row in zip(*made, strict=True)]


def time_text(nanoseconds: int) -> str:
    """UTC nanoseconds since 1970, as in `readable`."""
    return str(_times(np.array([nanoseconds], np.uint64))[0])


def _spelled(
    table: Table,
    name: str,
    values: npt.NDArray[Any],
    unread: Mapping[str, npt.NDArray[np.bool_]],
) -> list[Value]:
    if name == "ordinal":
        return _numbers(values)
    column = table[name]
    made = _speller(column)(values)
    null = _null(column, values)
    if name in unread:
        null = null | unread[name]
    for at in np.flatnonzero(null).tolist():
        made[at] = None
    return made


def _null(column: Column, values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    null = np.zeros(len(values), np.bool_)
    for sentinel in (column.null, column.required):
        if sentinel is not None:
            null |= values == sentinel
    return null


def _speller(column: Column) -> Callable[[npt.NDArray[Any]], list[Value]]:
    match column.kind.sql:
        case "NUMERIC":
            return _prices
        case "TIMESTAMPTZ":
            return _times
        case "TEXT":
            return _characters if column.kind.name == "character" else _texts
        case _:
            return _numbers


def _numbers(values: npt.NDArray[Any]) -> list[Value]:
    made: list[Value] = values.tolist()
    return made


def _prices(values: npt.NDArray[np.int64]) -> list[Value]:
    negative = values < 0
    bits = values.view(np.uint64)  # the magnitude of -2^63 has no positive twin
    whole, below = np.divmod(np.where(negative, np.uint64(0) - bits, bits), np.uint64(NANOSECONDS))
    signs = np.where(negative, "-", "").tolist()
    return [
        f"{sign}{units}.{rest:09d}".rstrip("0") if rest else f"{sign}{units}"
        for sign, units, rest in zip(signs, whole.tolist(), below.tolist(), strict=True)
    ]


def _times(values: npt.NDArray[np.uint64]) -> list[Value]:
    if len(values) and int(values.max()) >= _SIGNED_END:
        seconds, below = np.divmod(values, np.uint64(NANOSECONDS))
        whole = np.datetime_as_string(seconds.astype("datetime64[s]")).tolist()
        nanos = below.tolist()
        return [f"{each}.{rest:09d}Z" for each, rest in zip(whole, nanos, strict=True)]
    spelled = np.datetime_as_string(values.astype("datetime64[ns]"), unit="ns").tolist()
    return [f"{each}Z" for each in spelled]


def _characters(values: npt.NDArray[np.uint8]) -> list[Value]:
    return [_ASCII[each] for each in values.tolist()]


def _texts(values: npt.NDArray[np.bytes_]) -> list[Value]:
    # Symbols and venues repeat: each is decoded once.
    texts = values.tolist()
    known = {each: _text(each) for each in set(texts)}
    return [known[each] for each in texts]


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace").replace("\0", "\\x00")


_ASCII: Final[list[str]] = [_text(bytes([each])) for each in range(256)]
