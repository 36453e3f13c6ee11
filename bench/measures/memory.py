"""Memory must not grow with what is loaded, refused or exported."""

from __future__ import annotations

from collections.abc import Mapping

import apart
import loads
import payloads
import rulesets
from figures import Figure, Measure, at_most
from ground import Bench

from ingestor.simulator import market

_MOST_MB = at_most(350)
_LIKE_THE_SMALL = at_most(1.10)


def rss(bench: Bench) -> Measure:
    """Memory must not grow with the chunk."""
    runs: dict[int, list[apart.Told]] = {count: [] for count in bench.scale.memory}
    paths = {count: bench.made(f"rss-{count}", count) for count in runs}
    for _ in range(bench.scale.pairs):
        for count, told in runs.items():
            with bench.servers.database() as place:
                told.append(apart.load(place, payloads.plan(paths[count])))
    for path in paths.values():
        path.unlink()
    return _grown("rss", "peak memory of a process that loads one chunk", "chunk", runs)


def refused_rss(bench: Bench) -> Measure:
    """Memory must not grow with refused records: every second one of a chunk."""
    config = rulesets.without_limit(bench.folder / "no-limit")
    count = bench.scale.memory[0]
    job = payloads.plan(bench.made("half-bad", count, bad=0.5))
    peaks = []
    for _ in range(bench.scale.pairs):
        with bench.servers.database() as place:
            peaks.append(apart.load(place, job, config).peak_mb)
    name = f"{count // 2:,} refused of {count:,}"
    figure = Figure(name, tuple(peaks), "MB", _MOST_MB)
    return Measure("refused-rss", "peak memory of a process that refuses half a chunk", [figure])


def export_rss(bench: Bench) -> Measure:
    """Memory must not grow with the export."""
    runs = {count: _exported(bench, count) for count in bench.scale.memory}
    return _grown("export-rss", "peak memory of `hdi export`", "export", runs)


def _exported(bench: Bench, count: int) -> list[apart.Told]:
    path = bench.made(f"export-{count}", count)
    day = payloads.open_day(0)
    target = path.with_name("exported.dbn.zst")
    with bench.servers.database() as place:
        loads.load(place, payloads.plan(path))
        told = []
        for _ in range(bench.scale.pairs):
            target.unlink(missing_ok=True)
            told.append(apart.command(
                place, "export", "trades", "--dataset", payloads.DATASET, "--all",
                "--start", payloads.date_of(day), "--end", payloads.date_of(day + market.DAY),
                "--output", str(target),
            ))  # fmt: skip
            payloads.require_records(target, count)
    path.unlink()
    target.unlink()
    return told


def _grown(name: str, what: str, done: str, runs: Mapping[int, list[apart.Told]]) -> Measure:
    peaks = [
        Figure(f"{done} of {count:,} trades", tuple(run.peak_mb for run in told), "MB", _MOST_MB)
        for count, told in runs.items()
    ]
    times = [
        Figure(f"{done} of {count:,} trades, time", tuple(run.seconds for run in told))
        for count, told in runs.items()
    ]
    small, large = peaks
    ratio = large.over(small, "large ÷ small", _LIKE_THE_SMALL)
    return Measure(name, what, [*peaks, ratio, *times])
