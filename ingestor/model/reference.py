"""The tables for people: the part of the page on the data model that is derived from them.

``python -m ingestor.model.reference docs/data-model.md`` writes it anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from ingestor.errors import Usage
from ingestor.model import TABLES, Column, Table

BEGIN: Final = "<!-- tables -->\n"
END: Final = "<!-- /tables -->\n"

_TABLES: Final = "| table | schema | holds | hypertable chunk |\n|---|---|---|---|\n"
_COLUMNS: Final = "| column | SQL type | what it is | NULL means |\n|---|---|---|---|\n"


def filled(page: str) -> str:
    """The page with the sections of all tables between its two marks.

    Raises:
        Usage: It has no such marks.
    """
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise Usage(f"the page holds no {BEGIN.strip()} … {END.strip()}")
    return f"{head}{BEGIN}\n{sections()}\n{END}{tail}"


def sections() -> str:
    """A section for each table; tables of one shape share theirs."""
    shapes: dict[tuple[Column, ...], list[Table]] = {}
    for table in TABLES:
        shapes.setdefault(table.columns, []).append(table)
    return "\n".join(_section(tables) for tables in shapes.values())


def _section(tables: Sequence[Table]) -> str:
    first = tables[0]
    lines = "".join(_line(column) for column in _ordered(first))
    return (
        f"### {', '.join(f'`{table.name}`' for table in tables)}\n\n"
        f"{_TABLES}{''.join(_partition(table) for table in tables)}\n"
        f"Key: {', '.join(f'`{name}`' for name in first.key)}. "
        f"Hypertable on `{first.time_column}`, index timestamp `{first.index_column}`. "
        f"Record model {', '.join(dict.fromkeys(f'`{table.record}`' for table in tables))}.\n\n"
        f"{_COLUMNS}{lines}"
    )


def _partition(table: Table) -> str:
    days = f"{table.interval_days} day{'' if table.interval_days == 1 else 's'}"
    width = f"`store.trades_interval`, {days} unless set" if table.ticks else days
    schemas = ", ".join(f"`{schema}`" for schema in table.schemas)
    return f"| `{table.name}` | {schemas} | {table.doc} | {width} |\n"


def _ordered(table: Table) -> Iterator[Column]:
    """Columns of the key first, the nanoseconds of a time right behind it."""
    beside = {column.nanos_of: column for column in table.columns if column.nanos_of}
    rest = [column.name for column in table.columns if column.nanos_of is None]
    for name in dict.fromkeys([*table.key, *rest]):
        yield table[name]
        if name in beside:
            yield beside[name]


def _line(column: Column) -> str:
    same = column.kind.sql.lower() == column.kind.name
    kind = column.kind.sql if same else f"{column.kind.sql}, {column.kind.name}"
    about = column.doc.replace("|", "\\|")
    return f"| `{column.name}` | {kind} | {about} | {null_meaning(column)} |\n"


def null_meaning(column: Column) -> str:
    """What NULL in the column says of the record."""
    if not column.nullable:
        refused = f"; a record with {column.required} is quarantined" if column.required else ""
        return f"never{refused}"
    if column.nanos_of is not None:
        return f"`{column.nanos_of}` is NULL"
    if isinstance(column.null, bytes):
        return "empty on the wire"
    if column.kind.name == "character":
        return "NUL on the wire"
    return f"undefined on the wire: {column.null}"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")
