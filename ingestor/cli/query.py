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
from ingestor.cli.symbol_types import SymbolType
from ingestor.model import STORED

if TYPE_CHECKING:
    from typing import Literal

    from ingestor.cli.record_output import Form
    from ingestor.vocabulary import Dataset, Schema, SType

_NOTES = 5
_HELP = f"""Print stored records of SCHEMA: {", ".join(STORED)}.

Times are UTC with nanoseconds, prices exact to nine decimals. Records come in the order of their
index timestamp. `symbol` is the one that was asked for, but members of a parent and instruments
asked for by number go by their raw symbol of the day.

Without --json or --csv a terminal gets a table of the main columns, anything else tab-separated
lines of all columns.
"""


@click.command(
    help=_HELP,
    epilog="\b\nExamples:\n"
    "  hdi query trades --dataset GLBX.MDP3 --symbols ESH4 --start 2024-03-11 --end 2024-03-12\n"
    "  hdi query trades --symbols ES.FUT --stype-in parent --start 2024-03-11 --end 2024-03-12\n"
    "  hdi query ohlcv-1d --dataset OPRA.PILLAR --all --start 2025-02-20 --end 2025-02-21 --csv",
)
@click.argument("schema", type=SchemaType())
@click.option(
    "--dataset",
    type=DatasetType(),
    help="Needed with --all, and where a symbol is held in more than one dataset.",
)
@click.option(
    "--symbols", type=SymbolsType(), help="Symbols; @FILE has one per line, - is standard input."
)
@click.option(
    "--stype-in",
    type=SymbolType(),
    help="What the symbols are: a parent's members and a continuous symbol's contract are taken "
    "day by day; instrument_id needs --dataset where there are several.  "
    "[default: raw_symbol]",
)
@click.option("--all", "everything", is_flag=True, help="All symbols of the dataset.")
@click.option("--start", type=DayType(), required=True, help="First day, UTC.")
@click.option("--end", type=DayType(), required=True, help="Day after the last, UTC.")
@click.option(
    "--by",
    type=click.Choice(["event", "index"]),
    help="What the days filter: ts_event, or the index timestamp (ts_recv where there is one).  "
    "[default: event; index for definitions, whose ts_event may be long before]",
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
    stype_in: SType | None,
    everything: bool,
    start: int,
    end: int,
    by: Literal["event", "index"] | None,
    limit: int | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Checks what was asked, then reads and prints."""
    exactly_one({"--symbols": symbols is not None, "--all": everything})
    at_most_one({"--json": as_json, "--csv": as_csv})
    whole_range(start, end)
    if everything and dataset is None:
        raise click.UsageError("--all needs --dataset.")
    if everything and stype_in is not None:
        raise click.UsageError("--stype-in says what --symbols are; --all has none.")

    from ingestor.cli.connect import run
    from ingestor.cli.output import on_terminal, tell
    from ingestor.cli.record_output import print_records
    from ingestor.insights.realm import SIMULATED, realm
    from ingestor.query import Question, select
    from ingestor.store.database import Database
    from ingestor.vocabulary import Realm, Role, SType

    asked = Question(
        schema=schema, symbols=symbols, start=date_of(start), end=date_of(end), dataset=dataset,
        stype_in=stype_in or SType.RAW_SYMBOL, by=by, limit=limit,
    )  # fmt: skip

    async def work(database: Database) -> None:
        wanted, notes = await select(database, asked)
        for note in notes[:_NOTES]:
            tell(f"note: {note}")
        if len(notes) > _NOTES:
            tell(f"note: and {len(notes) - _NOTES} more of this kind")
        held = await realm(database)
        if held is Realm.SIMULATED:
            tell(SIMULATED)
        await print_records(database, wanted, form, held)

    plain: Form = "table" if on_terminal() else "tsv"
    form: Form = "json" if as_json else "csv" if as_csv else plain
    run(work, role=Role.READER)
