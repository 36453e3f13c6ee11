"""Measures the load and its rivals in turns, on servers of its own, and prints their ratios.

Run through `scripts/bench`. Nothing is asserted on time; what each way stored is compared.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from figures import Measure
from measures import MEASURES, Bench, Scale
from servers import servers

from ingestor import __version__
from ingestor.cli.main import guarded

RESULTS = Path(__file__).parent / "results"
_MILLION = 1_000_000


def _names(context: click.Context, parameter: click.Parameter, value: str | None) -> list[str]:
    if value is None:
        return []
    names = [name.strip() for name in value.split(",") if name.strip()]
    if unknown := [name for name in names if name not in MEASURES]:
        raise click.BadParameter(
            f"{', '.join(unknown)}; allowed: {', '.join(MEASURES)}", context, parameter
        )
    return names


@click.command(context_settings={"max_content_width": 100})
@click.option("--quick", is_flag=True, help="Little data, one pair: for correctness, not figures.")
@click.option("--full", is_flag=True, help="Memory of a chunk of 10 million trades, not 4.")
@click.option("--only", callback=_names, metavar="NAME,…", help=f"Of {', '.join(MEASURES)}.")
@click.option("--pairs", type=click.IntRange(1), default=3, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the made-up market.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the figures go as JSON; bench/results/DATE.json unless given.",
)
def bench(
    quick: bool, full: bool, only: list[str], pairs: int, seed: int, output: Path | None
) -> None:
    """Measure the load and its rivals in turns, and print their ratios with the goals."""
    started = datetime.now(UTC)
    scale = _scale(quick=quick, full=full, pairs=pairs)
    # Memory takes a large chunk to say anything.
    wanted = only or [name for name in MEASURES if not (quick and name.endswith("rss"))]
    report: dict[str, Any] = {
        "schema_version": 1,
        "started_at": started.isoformat(timespec="seconds"),
        "quick": quick,
        "seed": seed,
        "pairs": scale.pairs,
        "hdi": __version__,
        "machine": _machine(),
    }
    _show("machine", report["machine"])
    found: dict[str, Measure] = {}
    with servers() as running, tempfile.TemporaryDirectory(prefix="hdi-bench-") as folder:
        report["server"] = dict(asyncio.run(running.settings()))
        _show("server", report["server"])
        shared = Bench(running, Path(folder), scale, seed)
        for name in wanted:
            found[name] = MEASURES[name](shared)
            click.echo("\n".join(["", *found[name].lines()]))
    report["measures"] = {name: measure.as_json() for name, measure in found.items()}
    path = output or RESULTS / f"{started:%Y-%m-%d}{'-quick' if quick else ''}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    click.echo(f"\nwritten to {path}")


def _scale(*, quick: bool, full: bool, pairs: int) -> Scale:
    if quick:
        return Scale(20_000, 20, (20_000, 80_000), 1, 1)
    large = 10 * _MILLION if full else 4 * _MILLION
    return Scale(2 * _MILLION, 1_000, (_MILLION, large), pairs, max(10, pairs))


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
