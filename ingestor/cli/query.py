"""`hdi query`: stored records on stdout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ingestor.cli.arguments import (
    DatasetType,
    DayType,
    SchemaType,
    SymbolsType,
    at_most_one,
    date_of,
    exactly_one,
    whole_range,
)
from ingestor.vocabulary import Dataset

if TYPE_CHECKING:
    from typing import Literal

    from ingestor.cli.record_output import Form
    from ingestor.vocabulary import Schema

_NOTES = 5


@click.command(
    epilog="\b\nExamples:\n"
    "  hdi query trades --dataset GLBX.MDP3 --symbols ESH4 --start 2024-03-11 --end 2024-03-12\n"
    "  hdi query ohlcv-1d --dataset OPRA.PILLAR --all --start 2025-02-20 --end 2025-02-21 --csv"
)
@click.argument("schema", type=SchemaType())
@click.option(
    "--dataset",
    type=DatasetType(),
    help="Needed with --all, and where a symbol is held in more than one dataset.",
)
@click.option("--symbols", type=SymbolsType(), help="Raw symbols; @FILE has one per line.")
@click.option("--all", "everything", is_flag=True, help="All symbols of the dataset.")
@click.option("--start", type=DayType(), required=True, help="First day, UTC.")
@click.option("--end", type=DayType(), required=True, help="Day after the last, UTC.")
@click.option(
    "--by",
    type=click.Choice(["event", "index"]),
    default="event",
    show_default=True,
    help="What the days filter: ts_event, or the index timestamp (ts_recv where there is one).",
)
@click.option(
    "--limit", type=click.IntRange(1), help="Records at most; all, on a terminal 50, unless given."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV with a header on stdout.")
def query(
    schema: Schema,
    dataset: Dataset | None,
    symbols: tuple[str, ...] | None,
    everything: bool,
    start: int,
    end: int,
    by: Literal["event", "index"],
    limit: int | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Print stored records of SCHEMA (trades, ohlcv-1s, ohlcv-1m, ohlcv-1h, ohlcv-1d).

    Times are UTC with nanoseconds, prices exact to nine decimals. Records come in the order of
    their index timestamp. Without --json or --csv a terminal gets a table of its main columns,
    anything else tab-separated lines of all columns.
    """
    exactly_one({"--symbols": symbols is not None, "--all": everything})
    at_most_one({"--json": as_json, "--csv": as_csv})
    whole_range(start, end)
    if everything and dataset is None:
        raise click.UsageError("--all needs --dataset.")

    from ingestor.cli.connect import run
    from ingestor.cli.output import on_terminal, tell
    from ingestor.cli.record_output import print_records
    from ingestor.query.selection import Selection
    from ingestor.query.symbols import Interval, require_dataset, resolve
    from ingestor.store.database import Database
    from ingestor.vocabulary import Role

    async def intervals(database: Database) -> tuple[Interval, ...] | None:
        if symbols is None:
            await require_dataset(database, Dataset(str(dataset)))
            return None
        found = await resolve(
            database, symbols, dataset=dataset, start=date_of(start), end=date_of(end)
        )
        for note in found.notes[:_NOTES]:
            tell(f"note: {note}")
        return found.intervals

    async def work(database: Database) -> None:
        wanted = Selection(
            schema, start, end, await intervals(database), dataset, by=by, limit=limit
        )
        await print_records(database, wanted, form)

    plain: Form = "table" if on_terminal() else "tsv"
    form: Form = "json" if as_json else "csv" if as_csv else plain
    run(work, role=Role.READER)
