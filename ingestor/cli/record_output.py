"""Records on stdout: a table for people, else CSV, tab-separated lines or JSON, one at a time."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from decimal import Decimal
from itertools import accumulate
from shutil import get_terminal_size
from typing import Any, Literal

import click

from ingestor.cli.output import as_json, counted, plain, print_table, tell
from ingestor.query.reader import Reader
from ingestor.query.records import count, field_names, read, records
from ingestor.query.selection import Selection
from ingestor.vocabulary import Realm

Form = Literal["table", "tsv", "csv", "json"]

ON_TERMINAL = 50
_ALWAYS = 3


async def print_records(
    reader: Reader, wanted: Selection, form: Form, realm: Realm | None = None
) -> None:
    """Prints the selection. Only a table is held in memory.

    Args:
        realm: Of the database; the head of JSON names it.
    """
    match form:
        case "table":
            await _table(reader, wanted)
        case "json":
            await _json(reader, wanted, realm)
        case "csv":
            await _lines(reader, wanted, csv.writer(sys.stdout, lineterminator="\n"))
        case "tsv":
            tabs = csv.writer(sys.stdout, delimiter="\t", lineterminator="\n")
            await _lines(reader, wanted, tabs)


async def _table(reader: Reader, wanted: Selection) -> None:
    shown = replace(wanted, limit=wanted.limit or ON_TERMINAL)
    rows = await read(reader, shown)
    if not rows:
        tell("no records")
        return
    wished = _columns(rows, wanted)
    cells = {name: [_cell(row[name]) for row in rows] for name in wished}
    names = _fitting(cells)
    numbers = [n for n in names if any(isinstance(row[n], int | Decimal) for row in rows)]
    lines = zip(*(cells[name] for name in names), strict=True)
    print_table(names, list(lines), right=numbers)
    if aside := wished[len(names) :]:
        tell(f"no room for {', '.join(aside)}; a wider terminal has it, --csv or --json write all")
    if len(rows) == shown.limit and (more := await count(reader, wanted) - len(rows)):
        tell(f"{counted(more)} more; --limit N shows more of them, --csv or --json writes all")


def _columns(rows: list[dict[str, Any]], wanted: Selection) -> list[str]:
    """The time filtered on, whose record it is, and the main columns that hold anything."""
    table = wanted.table
    who = ["symbol"] if any(row["symbol"] is not None for row in rows) else []
    if any(row["symbol"] is None for row in rows):
        who.append("instrument_id")
    if len({row["publisher_id"] for row in rows}) > 1:
        who.append("publisher_id")
    shown = table.main or tuple(column.name for column in table.columns if column.in_frame)
    names = dict.fromkeys([wanted.time, *who, *shown])
    return [name for name in names if any(row[name] is not None for row in rows)]


def _fitting(cells: Mapping[str, Sequence[str | None]]) -> list[str]:
    """The first columns that fit beside each other: cells folded over ten lines are no table.

    Three are shown in any case: when, whose, and one value.
    """
    room, names = get_terminal_size().columns, list(cells)
    widths = [max(len(each or "–") for each in [name, *cells[name]]) for name in names]
    ends = accumulate(width + 1 for width in widths)
    return [name for at, (name, end) in enumerate(zip(names, ends, strict=True))
            if at < _ALWAYS or end - 1 <= room]  # fmt: skip


def _cell(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return str(value).replace(".000000000Z", "Z")


async def _lines(reader: Reader, wanted: Selection, writer: Any) -> None:
    writer.writerow(field_names(wanted.table))
    async with aclosing(records(reader, wanted)) as every:
        async for record in every:
            writer.writerow("" if each is None else plain(each) for each in record.values())


async def _json(reader: Reader, wanted: Selection, realm: Realm | None) -> None:
    """One object, written as it comes: its records may not fit into memory."""
    head = {
        "schema_version": 1,
        "schema": str(wanted.schema),
        "datasets": [str(dataset) for dataset in wanted.datasets],
        "by": wanted.by,
        "realm": realm,
    }
    click.echo(as_json(head)[:-1].decode() + ',"records":[', nl=False)
    written = 0
    async with aclosing(records(reader, wanted)) as every:
        async for record in every:
            click.echo(("," if written else "") + "\n" + as_json(record).decode(), nl=False)
            written += 1
    click.echo(f'\n],"count":{written}}}')
