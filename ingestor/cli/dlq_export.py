"""`hdi dlq export`: dead letters as files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ingestor.cli.arguments import exactly_one
from ingestor.cli.dlq_choice import everything, filters
from ingestor.cli.letter_files import FORMATS
from ingestor.cli.path_types import PathType

if TYPE_CHECKING:
    from pathlib import Path

    from ingestor.insights.letters import Told
    from ingestor.store.database import Database


@click.command(
    epilog="\b\nExamples:\n  hdi dlq export --job @last -o failed.csv\n"
    "  hdi dlq export --all -o - | jq -r .error.code | sort | uniq -c\n"
    '  hdi dlq export --folder "$HDI_HOME/dlq"   # a host that lost its files'
)
@filters
@everything
@click.option(
    "-o",
    "--output",
    type=PathType(),
    metavar="FILE",
    help="Where to: a name that ends in .json (one list), .jsonl (a letter per line) or .csv; - is "
    "standard output.",
)
@click.option(
    "--format", "form", type=click.Choice(FORMATS),
    help="Whatever FILE is called.  [default: by its ending; jsonl for -]",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace FILE where it exists.")
@click.option(
    "--folder",
    type=PathType(file_okay=False),
    metavar="DIR",
    help="Write a file per letter, as workers do, instead.",
)
def export(
    job: str | None,
    code: str | None,
    closed: bool,
    output: Path | None,
    form: str | None,
    overwrite: bool,
    folder: Path | None,
) -> None:
    """Write dead letters to a file, or the file of each to a folder; latest first.

    JSON is that of `hdi dlq show --json`, with every attempt; CSV has a line per letter. FILE
    appears when it is whole. Open letters, unless told otherwise.
    """
    from ingestor.cli.connect import run
    from ingestor.cli.letter_files import Target, make_folder, where, write_folder
    from ingestor.cli.output import plural, tell
    from ingestor.insights import letters
    from ingestor.vocabulary import Role

    exactly_one({"--output": output is not None, "--folder": folder is not None})
    target = None if output is None else Target.of(output, form, overwrite=overwrite)
    if target is None and (form is not None or overwrite):
        raise click.UsageError("--format and --overwrite are of --output; --folder has neither.")
    if folder is not None:
        make_folder(folder)

    async def work(database: Database) -> list[Told]:
        wanted = await letters.choice(database, job, code, only_open=not closed)
        return await letters.told(database, wanted)

    found = run(work, role=Role.READER)
    if target is not None:
        target.write(found)
    elif folder is not None:
        write_folder(folder, found)
    tell(f"{plural(len(found), 'letter')} to {where(output or folder)}")
