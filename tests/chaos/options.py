"""How a chaos run is asked for."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DESCRIPTION: Final = """\
Runs jobs of a few hundred chunks against a private TimescaleDB, Valkey, simulated provider, four
workers and two schedulers, and injects faults at random all the while. Each counts only once its
effect was seen. Then everything must become final, and every table is compared, row by row and
value by value, with what the simulator holds. Exit code 1 where anything is amiss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """One run.

    Attributes:
        seed: Decides which faults, how often and against what; not when exactly they hit.
        seconds: How long faults are injected.
        faults: Faults after which it stops even so, once each kind was among them; None for no
            such end.
        pace: How many times as often as usual each kind comes.
        keep: Folder for logs and databases of the run, left there; None for a temporary one.
        report: File for the report as JSON.
        workers: Worker services, of `concurrency` processes each.
        sums: Reports that are to be added up instead of a run.
    """

    seed: int = 1
    seconds: float = 180.0
    faults: int | None = None
    pace: float = 1.0
    keep: Path | None = None
    report: Path | None = None
    workers: int = 4
    concurrency: int = 2
    sums: tuple[Path, ...] = ()


def parse(arguments: list[str] | None = None) -> Options:
    parser = argparse.ArgumentParser(
        prog="scripts/chaos",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, default=1, help="decides what is hit; 1 unless given")
    parser.add_argument("--minutes", type=float, default=3.0, help="of faults; 3 unless given")
    parser.add_argument("--faults", type=int, help="stop after so many and one of each kind")
    parser.add_argument("--pace", type=float, default=1.0, help="2: twice as many faults a second")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report there, too")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="leave logs and database in this new folder"
    )
    parser.add_argument(
        "--sum", type=Path, nargs="+", metavar="FILE", default=[],
        help="run nothing: add these reports up into one table (Markdown)",
    )  # fmt: skip
    given = parser.parse_args(arguments)
    return Options(
        seed=given.seed,
        seconds=given.minutes * 60,
        faults=given.faults,
        pace=given.pace,
        keep=given.keep,
        report=given.json,
        sums=tuple(given.sum),
    )
