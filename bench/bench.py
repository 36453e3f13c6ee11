"""Measures the load and its rivals in turns, on servers of its own, and prints their ratios.

Run through `scripts/bench`. Nothing is asserted on time; what each way stored is compared.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import chart
import click
from figures import Measure, verdicts
from ground import Bench, Scale
from measures import MEASURES
from servers import Servers, clean_environment, servers
from table import table_of

from ingestor import __version__
from ingestor.cli.main import guarded

RESULTS = Path(__file__).parent / "results"
CHART = Path(__file__).parents[1] / "docs" / "_static" / "performance.svg"
# Memory takes a large chunk to say anything.
_NOT_QUICK = ("rss", "refused-rss")


def _names(context: click.Context, parameter: click.Parameter, value: str | None) -> list[str]:
    if value is None:
        return []
    names = list(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
    if not names:
        raise click.BadParameter(f"names no measure; allowed: {', '.join(MEASURES)}")
    if unknown := [name for name in names if name not in MEASURES]:
        raise click.BadParameter(
            f"{', '.join(unknown)}; allowed: {', '.join(MEASURES)}", context, parameter
        )
    return names


@click.command(context_settings={"max_content_width": 100})
@click.option("--quick", is_flag=True, help="Little data, one pair: for correctness, not figures.")
@click.option("--only", callback=_names, metavar="NAME,…", help=f"Of {', '.join(MEASURES)}.")
@click.option(
    "--pairs", type=click.IntRange(1), show_default="3, with --quick 1", help="Turns of both sides."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the made-up market.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the figures go as JSON, and the chart beside them. Unless given, a whole run "
    "writes bench/results/DATE.json and the chart of the docs, any other one DATE-part.json.",
)
@click.option(
    "--chart",
    "results",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="RESULTS.json",
    help="Only draw the chart of the docs, of the results of an earlier run.",
)
@click.option(
    "--table",
    "tabled",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="RESULTS.json",
    help="Only print the table of the docs, of the results of an earlier run.",
)
def bench(
    quick: bool,
    only: list[str],
    pairs: int | None,
    seed: int,
    output: Path | None,
    results: Path | None,
    tabled: Path | None,
) -> None:
    """Measure the load and its rivals in turns, and print their ratios with the goals."""
    if tabled is not None:
        _tell(_read(tabled))
        return
    if results is not None:
        _draw(_read(results), CHART if output is None else output)
        return
    if output is not None and output.suffix != ".json":
        raise click.BadParameter(f"{output} does not end in .json", param_hint="--output")
    for number in (signal.SIGTERM, signal.SIGHUP):
        # Its servers end with it, as they do with Ctrl-C.
        signal.signal(number, signal.default_int_handler)
    # A user's own settings would decide what is measured, and of Python how it starts.
    for name in os.environ.keys() - clean_environment().keys():
        del os.environ[name]
    started = datetime.now(UTC)
    whole = not (quick or only)
    path = output or RESULTS / f"{started:%Y-%m-%d}{'' if whole else '-part'}.json"
    scale = Scale.quick(pairs=pairs or 1) if quick else Scale.usual(pairs=pairs or 3)
    wanted = only or [name for name in MEASURES if not (quick and name in _NOT_QUICK)]
    report: dict[str, Any] = {
        "schema_version": 2,
        "started_at": started.isoformat(timespec="seconds"),
        "complete": False,
        "commit": _commit(),
        "quick": quick,
        "wanted": wanted,
        "seed": seed,
        "pairs": scale.pairs,
        "scale": asdict(scale),
        "hdi": __version__,
        "machine": _machine(),
    }
    _write(report, path)
    _show("machine", report["machine"])
    found = _measured(report, wanted, scale, seed, path)
    _write(report | {"complete": True}, path)
    click.echo("\n".join(["", *verdicts(list(found.values()))]))
    click.echo(f"\nwritten to {path}")
    if chart.MEASURE in found:
        _draw(report, CHART if whole and output is None else path.with_suffix(".svg"))


def _measured(
    report: dict[str, Any], wanted: list[str], scale: Scale, seed: int, path: Path
) -> dict[str, Measure]:
    """Takes the wanted measures, one after another; after each the report is written."""
    found: dict[str, Measure] = {}
    with servers() as running, tempfile.TemporaryDirectory(prefix="hdi-bench-") as folder:
        report["server"] = dict(asyncio.run(running.settings()))
        _show("server", report["server"])
        report["sessions"] = _sessions(running)
        shared = Bench(running, Path(folder), scale, seed)
        for name in wanted:
            started, load = time.monotonic(), round(os.getloadavg()[0], 2)
            found[name] = MEASURES[name](shared)
            click.echo("\n".join(["", *found[name].lines()]))
            took = {"took_s": round(time.monotonic() - started, 1), "load_average": load}
            report.setdefault("measures", {})[name] = found[name].as_json() | took
            _write(report, path)
    return found


def _write(report: dict[str, Any], path: Path) -> None:
    report["ended_at"] = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        raise click.FileError(str(path), error.strerror) from error


def _read(results: Path) -> Mapping[str, Any]:
    try:
        report: Mapping[str, Any] = json.loads(results.read_text())
    except ValueError as error:
        raise click.UsageError(f"{results} holds no results of a run") from error
    return report


def _commit() -> str:
    """What is measured, with a + where files were changed since; empty without git."""
    try:
        return _git("rev-parse", "HEAD") + "+" * bool(_git("status", "--porcelain"))
    except OSError:
        return ""


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(Path(__file__).parent), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _sessions(running: Servers) -> dict[str, dict[str, str]]:
    """What both sides' own sessions have set; told where they differ."""
    with running.database() as place:
        sides = {"hdi": running.of_session(place), "psql": running.of_psql(place)}
    for name, value in sides["hdi"].items():
        if (other := sides["psql"][name]) != value:
            click.echo(f"{name}: hdi {value}, psql {other}")
    return sides


def _draw(report: Mapping[str, Any], target: Path) -> None:
    try:
        click.echo(f"drawn to {chart.draw(report, target)}")
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _tell(report: Mapping[str, Any]) -> None:
    try:
        click.echo("\n".join(table_of(report)))
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "load_average": round(os.getloadavg()[0], 2),
        "processor": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def _show(title: str, values: Mapping[str, Any]) -> None:
    click.echo(f"{title}: " + ", ".join(f"{name} {value}" for name, value in values.items()))


if __name__ == "__main__":
    sys.exit(guarded(bench, "bench"))
