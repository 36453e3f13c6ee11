"""All rows of a selection as standard columns, in the order of `order_of`, by one binary COPY.

Of what a million trades take to become a DataFrame, 85 % is waiting for the server to send them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ingestor.model import Table
from ingestor.model.kind import TEXT
from ingestor.query.columns import RowLayout
from ingestor.query.copied import Columns, copy
from ingestor.query.reader import Reader
from ingestor.query.selection import Selection, Statement, order_of, subquery
from ingestor.query.snapshot import transaction
from ingestor.query.symbols import doubled

PART: Final = "part"
"""The column beside the table's: which of the selection's intervals a row belongs to."""

# By bytes: a collation takes longer, and may hold unlike texts for equal.
_TOLD: Final = """
max(octet_length({0})), min({0} COLLATE "C"), max({0} COLLATE "C"), count(*) - count({0})"""


async def gathered(reader: Reader, wanted: Selection) -> Columns:
    """Columns of shape (n,) in wire integers, `PART` among them."""
    if not wanted.datasets:
        return _layout(wanted.table, _Texts({}, {})).decode(b"")
    # numpy sorts a million rows in 0.1 s, the server, which spills them to disk, in 0.7 s. Only it
    # knows in what order two symbols are that share a row.
    ordered = wanted.intervals is not None and doubled(wanted.intervals)
    rows = await subquery(reader, wanted, ordered=ordered)
    batches: list[Columns] = []

    async def take(columns: Columns) -> None:
        batches.append(columns)

    async with transaction(reader) as connection:
        texts = await _texts(connection, wanted.table, rows)
        layout = _layout(wanted.table, texts)
        made = Statement(f"SELECT {layout.select} FROM {rows.text}", rows.values)
        await copy(connection, made, layout, take)
    batches = batches or [layout.decode(b"")]
    whole = {name: np.concatenate([each.pop(name) for each in batches]) for name in layout.cells}
    return texts.filled(in_order(whole, wanted.table))


@dataclass(frozen=True, slots=True)
class _Texts:
    """What is in the text columns of some rows.

    Attributes:
        widths: Most bytes of each, whatever its source had.
        same: The value of each that has one value only, which need not be sent with every row.
            Sending one as text takes the server 0.15 s per million rows; bars have two such.
    """

    widths: Mapping[str, int]
    same: Mapping[str, bytes]

    def filled(self, columns: Columns) -> Columns:
        count = len(columns[PART])
        return columns | {name: np.full(count, value) for name, value in self.same.items()}


def _layout(table: Table, texts: _Texts) -> RowLayout:
    names = [column.name for column in table.columns if column.nanos_of is None]
    return RowLayout.of(
        table, [name for name in names if name not in texts.same], texts.widths, beside=[PART]
    )


async def _texts(connection: Any, table: Table, rows: Statement) -> _Texts:
    names = [column.name for column in table.columns if column.kind is TEXT]
    if not names:
        return _Texts({}, {})
    told = ", ".join(_TOLD.format(f"t.{name}") for name in names)
    found = await connection.fetchrow(f"SELECT {told} FROM {rows.text}", *rows.values)
    widths, same = {}, {}
    for at, name in enumerate(names):
        longest, least, most, nulls = found[4 * at : 4 * at + 4]
        if least == most and (least is None or not nulls):
            same[name] = (least or "").encode()
        widths[name] = longest or 1
    return _Texts(widths, same)


def in_order(columns: Columns, table: Table) -> Columns:
    """The columns with their rows in order; rows alike in all that counts stay as they came."""
    order = _order(columns, table)
    return {name: values[order] for name, values in columns.items()}


def _order(columns: Columns, table: Table) -> npt.NDArray[np.intp]:
    """Places of the rows. Only the few that share an index timestamp are compared by the rest."""
    keys = _keys(columns, table)
    order = np.argsort(keys[0], kind="stable")
    times = keys[0][order]
    alike = times[1:] == times[:-1]
    if alike.any():
        places = np.flatnonzero(np.append(alike, False) | np.append(False, alike))
        some = order[places]
        order[places] = some[np.lexsort([key[some] for key in reversed(keys)])]
    return order


def _keys(columns: Columns, table: Table) -> Sequence[npt.NDArray[Any]]:
    """What `order_of` names: the index timestamp is exact, other times are cut to microseconds."""
    index, *rest = [name for name in order_of(table) if table[name].nanos_of is None]
    times = {column.name for column in table.columns if column.kind.sql == "TIMESTAMPTZ"}
    return [
        columns[index],
        *(columns[name] // 1000 if name in times else columns[name] for name in rest),
    ]
