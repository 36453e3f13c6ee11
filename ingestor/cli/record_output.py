"""Records on stdout: a table for people, else CSV, tab-separated lines or JSON, one at a time."""

from __future__ import annotations

import csv
import sys
from contextlib import aclosing
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final, Literal

import click

from ingestor.cli.output import as_json, counted, plain, print_table, tell
from ingestor.model.kind import Table
from ingestor.query.reader import Reader
from ingestor.query.records import count, field_names, read, records
from ingestor.query.selection import Selection
from ingestor.vocabulary import Realm

Form = Literal["table", "tsv", "csv", "json"]

ON_TERMINAL = 50
# What a line of a terminal has no room for; every other form has all fields.
_ASIDE: Final = frozenset(
    {"sequence", "ts_in_delta", "flags", "depth", "granularity", "data_source", "chunk_id",
     "ordinal"}
)  # fmt: skip


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
    names = _columns(rows, wanted)
    numbers = [name for name in names if isinstance(rows[0][name], int | Decimal)]
    print_table(names, ([_cell(row[name]) for name in names] for row in rows), right=numbers)
    if len(rows) == shown.limit and (more := await count(reader, wanted) - len(rows)):
        tell(f"{counted(more)} more; --limit N shows more of them, --csv or --json writes all")


def _columns(rows: list[dict[str, Any]], wanted: Selection) -> list[str]:
    """The time that was filtered on, and what differs from record to record."""
    aside = set(_ASIDE) | (_times(wanted.table) - {wanted.time})
    if all(row["symbol"] is not None for row in rows):
        aside.add("instrument_id")
    aside |= {name for name in rows[0] if all(row[name] is None for row in rows)}
    return [name for name in field_names(wanted.table) if name not in aside]


def _times(table: Table) -> set[str]:
    return {column.name for column in table.columns if column.kind.sql == "TIMESTAMPTZ"}


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
