"""`hdi export`: stored records as a DBN file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ingestor.cli.arguments import (
    DatasetType,
    DayType,
    SchemaType,
    SymbolsType,
    date_of,
    exactly_one,
    whole_range,
)
from ingestor.cli.path_types import PathType
from ingestor.cli.symbol_types import SymbolType

if TYPE_CHECKING:
    from pathlib import Path

    from ingestor.export import Exported
    from ingestor.vocabulary import Dataset, Schema, SType

_NOTES = 5


@click.command(
    epilog="\b\nExamples:\n"
    "  hdi export trades --dataset GLBX.MDP3 --symbols ESH4 --start 2024-03-11 --end 2024-03-12"
    " \\\n      -o esh4.dbn.zst\n"
    "  hdi export definition --dataset OPRA.PILLAR --all --start 2025-02-20 --end 2025-02-21"
    " \\\n      -o opra.dbn.zst --overwrite"
)
@click.argument("schema", type=SchemaType())
@click.option("--dataset", type=DatasetType(), required=True, help="A file holds one dataset.")
@click.option(
    "--symbols", type=SymbolsType(), help="Symbols; @FILE has one per line, - is standard input."
)
@click.option(
    "--stype-in",
    type=SymbolType(),
    help="What the symbols are: a parent's members and a continuous symbol's contract are taken "
    "day by day.  [default: raw_symbol]",
)
@click.option("--all", "everything", is_flag=True, help="All symbols of the dataset.")
@click.option("--start", type=DayType(), required=True, help="First day, UTC.")
@click.option("--end", type=DayType(), required=True, help="Day after the last, UTC.")
@click.option(
    "-o",
    "--output",
    type=PathType(),
    required=True,
    metavar="FILE",
    help="Where to: a name that ends in .dbn.zst (compressed) or .dbn.",
)
@click.option("--without-quarantined", is_flag=True, help="Leave out what no table could hold.")
@click.option("--overwrite", is_flag=True, help="Replace FILE where it exists.")
@click.option(
    "--json", "as_json", is_flag=True, help="What was written as a JSON object on stdout."
)
def export(
    schema: Schema,
    dataset: Dataset,
    symbols: tuple[str, ...] | None,
    stype_in: SType | None,
    everything: bool,
    start: int,
    end: int,
    output: Path,
    without_quarantined: bool,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Write stored records of SCHEMA to a DBN file, record for record as they were delivered.

    The days filter the index timestamp (ts_recv where the schema has it), as a request to the
    provider does; `hdi query` filters ts_event unless told otherwise. Records come in the order of
    their index timestamp, then instrument; those in quarantine, which no table could hold, are
    among them. The file is of DBN version 3 and appears under its name when it is whole.
    """
    exactly_one({"--symbols": symbols is not None, "--all": everything})
    whole_range(start, end)
    if everything and stype_in is not None:
        raise click.UsageError("--stype-in says what --symbols are; --all has none.")

    from ingestor.cli.connect import run, tell_realm
    from ingestor.cli.output import tell
    from ingestor.dbn import check_target
    from ingestor.export import export
    from ingestor.query import Question, select
    from ingestor.settings import load_settings
    from ingestor.store.database import Database
    from ingestor.vocabulary import Role, SType

    check_target(output, overwrite=overwrite)
    settings = load_settings()
    asked = Question(
        schema=schema, symbols=symbols, start=date_of(start), end=date_of(end), dataset=dataset,
        stype_in=stype_in or SType.RAW_SYMBOL, by="index",
    )  # fmt: skip

    async def work(database: Database) -> Exported:
        wanted, notes = await select(database, asked)
        for note in notes[:_NOTES]:
            tell(f"note: {note}")
        if len(notes) > _NOTES:
            tell(f"note: and {len(notes) - _NOTES} more of this kind")
        await tell_realm(database)
        return await export(
            database, asked, wanted, output, mappings=settings.config_dir / "mappings",
            with_quarantined=not without_quarantined, overwrite=overwrite,
        )  # fmt: skip

    _say(run(work, role=Role.READER, settings=settings), schema, dataset, as_json=as_json)


def _say(done: Exported, schema: Schema, dataset: Dataset, *, as_json: bool) -> None:
    from ingestor.cli.output import counted, plural, print_json, tell

    if done.shortened:
        tell(
            f"note: {plural(done.shortened, 'record')} had values that DBN 3 has no field for: "
            f"{', '.join(done.left_out)}; the table keeps them"
        )
    if not done.proven:
        tell("note: no proof of a whole delivery, which a limit in the metadata says")
    held = f", {counted(done.quarantined)} of them quarantined" if done.quarantined else ""
    tell(f"{plural(done.records, 'record')}{held}, {plural(done.size, 'byte')}: {done.path}")
    if as_json:
        print_json(
            {
                "schema_version": 1, "schema": str(schema), "dataset": str(dataset),
                "path": str(done.path), "records": done.records, "quarantined": done.quarantined,
                "bytes": done.size, "proven": done.proven, "shortened": done.shortened,
                "left_out": list(done.left_out) if done.shortened else [],
            }
        )  # fmt: skip
