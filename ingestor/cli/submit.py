"""`hdi-submit` (also `hdi submit`): plan a job, record it, put its chunks on the queue."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import click

from ingestor.cli.arguments import DatasetType, DayType, SchemasType, SourceType, SymbolsType
from ingestor.cli.path_types import PathType
from ingestor.cli.symbol_types import SymbolType
from ingestor.vocabulary import Priority

if TYPE_CHECKING:
    from ingestor.cli.submission import Submission

_PROVIDER = "databento"
_FILES = "dbn-files"


class UsdType(click.FloatRange):
    """US dollars: NaN compares with nothing, so as a cap it would be none."""

    def __init__(self) -> None:
        super().__init__(0)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        amount = float(super().convert(value, param, ctx))
        if not isfinite(amount):
            self.fail(f"{value} is no amount of money.", param, ctx)
        return amount


@click.command()
@click.option(
    "--source",
    type=SourceType(),
    help="Where from: any that is installed; dbn-files where --path is given, else databento.",
)
@click.option(
    "--job",
    type=PathType(exists=True, dir_okay=False),
    help="Job file (YAML) with several requests; see docs/reference/job-files.md.",
)
@click.option(
    "--path",
    type=PathType(),
    help="File, or folder of them, of the kind that --source reads. Every worker must see it under "
    "this path.",
)
@click.option(
    "--copy-to-vault",
    is_flag=True,
    help="Copy the files into the vault and load from there; else they are read in place.",
)
@click.option("--dataset", type=DatasetType(), help="Dataset code, e.g. GLBX.MDP3.")
@click.option(
    "--schema", "schemas", type=SchemasType(), default=(), help="Record schemas, with commas."
)
@click.option(
    "--symbols", type=SymbolsType(), help="Symbols with commas, @FILE (one per line), or - (stdin)."
)
@click.option(
    "--stype-in",
    type=SymbolType(),
    help="What the symbols are; raw_symbol unless given.",
)
@click.option(
    "--start", type=DayType(), help="First day, UTC: YYYY-MM-DD, yesterday, or -10d, -3w, -6m, -2y."
)
@click.option(
    "--end",
    type=DayType(latest=True),
    help="Day after the last, UTC; or latest, the end of what the provider has.",
)
@click.option(
    "--chunk-days", type=click.IntRange(1, 3660), help="Days per chunk; by schema unless given."
)
@click.option("--chunk-symbols", type=click.IntRange(1, 2000), help="Symbols per chunk.")
@click.option(
    "--priority",
    type=click.Choice([str(priority) for priority in Priority]),
    help="Higher ones go first, equals in turn; normal unless given.",
)
@click.option("--name", help="A name to find the job by; made from the request unless given.")
@click.option(
    "--max-cost",
    type=UsdType(),
    help="Most US dollars the job may cost; asked for unless given here or in the settings.",
)
@click.option(
    "--force",
    is_flag=True,
    help="Also plan what is held; what comes takes its place. A provider bills again.",
)
@click.option(
    "--accept-removals",
    is_flag=True,
    help="With --force: remove however many stored records the provider has withdrawn.",
)
@click.option("--dry-run", is_flag=True, help="Show the plan; record and enqueue nothing.")
@click.option("--wait", is_flag=True, help="Stay until the job has ended; exit 3 if chunks failed.")
@click.option("--timeout", type=click.FloatRange(0), help="With --wait: seconds, then exit 7.")
@click.option("--strict", is_flag=True, help="With --wait: exit 3 for any quarantined record.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.option("--quiet", is_flag=True, help="Only the job id on stdout.")
@click.option("--no-progress", is_flag=True, help="No progress bar.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error too.")
def submit(**options: object) -> int:
    """Plan a job, record it with all its chunks, and put them on the queue.

    Days are whole UTC days, --end is exclusive (today, yesterday, -2y count from today; latest is
    the end of what the provider has). The same request submitted again is the same job: it is found
    and shown, not done twice, and days that are held already are left out (unless --force).

    \b
    Examples:
      hdi-submit --dataset GLBX.MDP3 --schema trades --symbols ESH4,NQH4 \\
                 --start 2024-03-11 --end 2024-03-15 --max-cost 20 --wait
      hdi-submit --dataset XNAS.ITCH --schema ohlcv-1d --symbols @symbols.txt --start -2y --dry-run
      hdi-submit --job configs/jobs/cme-daily-bars.yaml
      hdi-submit --path /data/dbn --wait
      hdi-submit --path /data/dbn/trades.dbn.zst --name march --priority high
      hdi-submit --path /data/dbn --schema trades --dry-run
      hdi-submit --source csv-files --path /data/acme --dataset ACME.BARS --schema ohlcv-1d --wait

    \b
    Exit codes: 0 ok, 1 error, 2 usage, 3 finished with failed chunks, 4 authentication, 5 cost cap
    refused, 6 a service cannot be reached, 7 the wait timed out, 130 interrupted (the job goes on).
    """
    submission = _submission(options)
    from ingestor.cli.submission import run

    return run(submission)


def _submission(options: dict[str, object]) -> Submission:
    _refuse_contradictions(options)
    from ingestor.cli.submission import Submission

    options.pop("debug")
    options["source"] = options["source"] or (_PROVIDER if options["path"] is None else _FILES)
    priority = options["priority"]
    options["priority"] = None if priority is None else Priority(str(priority))
    return Submission(**options)  # type: ignore[arg-type]


_EXCLUDE = (
    ("as_json", "quiet", "--json and --quiet both say what goes to stdout"),
    ("dry_run", "wait", "--dry-run submits nothing that --wait could wait for"),
)
_NEED_WAIT = {"timeout": "--timeout", "strict": "--strict"}
# What files hold is known from the files: these choose what a provider is asked for.
_NOT_FOR_FILES = {
    "symbols": "--symbols",
    "stype_in": "--stype-in",
    "chunk_symbols": "--chunk-symbols",
    "max_cost": "--max-cost",
}


_IN_A_JOB_FILE = {
    "source": "--source",
    "path": "--path",
    "dataset": "--dataset",
    "schemas": "--schema",
    "symbols": "--symbols",
    "stype_in": "--stype-in",
    "start": "--start",
    "end": "--end",
    "chunk_days": "--chunk-days",
    "chunk_symbols": "--chunk-symbols",
}
# Not by truth: 1970-01-01 is zero nanoseconds.
_NOT_GIVEN: tuple[object, ...] = (None, ())
_FOR_PROVIDER = {
    "dataset": "--dataset",
    "schemas": "--schema",
    "symbols": "--symbols (or ALL_SYMBOLS)",
    "start": "--start",
}


def _refuse_contradictions(options: dict[str, object]) -> None:
    """Options that make no sense together are refused before anything is read."""
    for one, other, why in _EXCLUDE:
        if options[one] and options[other]:
            raise click.UsageError(f"{why}; give one of them.")
    for name, flag in _NEED_WAIT.items():
        if options[name] and not options["wait"]:
            raise click.UsageError(f"{flag} only makes sense with --wait.")
    _refuse_empty_range(options)
    if options["accept_removals"] and not options["force"]:
        raise click.UsageError("--accept-removals only makes sense with --force.")
    if options["copy_to_vault"] and options["path"] is None:
        raise click.UsageError("--copy-to-vault only makes sense with --path.")
    if options["job"] is not None:
        _refuse_beside_job(options)
    elif options["path"] is not None:
        _refuse_for_files(options)
    else:
        _require_for_provider(options)


def _refuse_beside_job(options: dict[str, object]) -> None:
    for name, flag in _IN_A_JOB_FILE.items():
        if options[name] not in _NOT_GIVEN:
            raise click.UsageError(f"{flag} and --job exclude each other: the file says it.")


def _refuse_for_files(options: dict[str, object]) -> None:
    for name, flag in _NOT_FOR_FILES.items():
        if options[name] is not None:
            raise click.UsageError(
                f"{flag} and --path exclude each other: files are loaded as they are."
            )


def _require_for_provider(options: dict[str, object]) -> None:
    """All four are named: nobody buys a whole dataset by leaving an option out."""
    missing = [flag for name, flag in _FOR_PROVIDER.items() if options[name] in _NOT_GIVEN]
    if not missing:
        return
    if len(missing) == len(_FOR_PROVIDER) and options["source"] is None:
        raise click.UsageError(
            "give --dataset, --schema, --symbols and --start, or --job FILE, or --path."
        )
    raise click.UsageError(
        f"a request to a provider needs {', '.join(missing)}, too; a source of files needs --path."
    )


def _refuse_empty_range(options: dict[str, object]) -> None:
    start, end = options["start"], options["end"]
    if start is not None and end is not None and end <= start:  # type: ignore[operator]
        raise click.UsageError("--end must be after --start; it is exclusive.")
