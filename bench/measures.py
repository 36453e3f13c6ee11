"""The measures: each takes its samples in turns (A B A B …) and makes figures of them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import loads
import memory
import payloads
import rivals
import rooms
import rulesets
import service
from figures import Figure, Measure, figures_of
from servers import Servers, clean_environment

from ingestor.job import JobPlan
from ingestor.settings import Settings

_BAD_SHARE = 0.04


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured. `memory` holds the records of the small chunk and of the large one."""

    trades: int
    chunks: int
    memory: tuple[int, int]
    pairs: int
    starts: int


@dataclass
class Bench:
    """What the measures share: servers, and payloads that are made when first asked for."""

    servers: Servers
    folder: Path
    scale: Scale
    seed: int
    _warm: bool = field(default=False, init=False)

    def own(self, name: str) -> Path:
        """A file in a folder of its own: files beside each other would count as one delivery."""
        folder = self.folder / name
        folder.mkdir()
        return folder / f"{name}.dbn.zst"

    @cached_property
    def trades(self) -> Path:
        path = self.own("trades")
        return payloads.write_trades_apart(path, self.scale.trades, self.seed)

    @cached_property
    def job(self) -> JobPlan:
        return payloads.plan(self.trades)

    @cached_property
    def copy_file(self) -> Path:
        return rivals.write_encoded(self.servers, self.job, Settings())

    def warm_up(self) -> None:
        """Imports, caches and threads of a first load are no worker's daily business."""
        if self._warm:
            return
        path = payloads.write_trades(self.own("warm"), 10_000, self.seed)
        with self.servers.database() as place:
            loads.load(place, payloads.plan(path))
        self._warm = True


def load(bench: Bench) -> Measure:
    """The load against the limit."""
    bench.warm_up()
    ours: list[loads.Loaded] = []
    limit: list[float] = []
    for _ in range(bench.scale.pairs):
        with bench.servers.database() as place:
            ours.append(loads.load(place, bench.job))
            stored = loads.fingerprint(place)
        with bench.servers.database() as place:
            limit.append(rivals.psql_copy(bench.servers, place, bench.copy_file))
            _same(stored, loads.fingerprint(place), r"psql \copy")
    hdi, psql = _walls("hdi", ours), Figure(r"psql \copy", tuple(limit))
    size = Figure("binary COPY", (bench.copy_file.stat().st_size / 1e6,), "MB")
    return Measure(
        "load",
        rf"{bench.scale.trades:,} trades, file to receipt ÷ psql \copy of ready bytes",
        [
            hdi,
            psql,
            hdi.over(psql, "hdi ÷ psql", "≤ 1.10 ×"),
            *figures_of([run.receipt.seconds for run in ours], prefix="hdi, of it: "),
            Figure("hdi, own processor time", tuple(run.own_cpu_s for run in ours)),
            size,
        ],
    )


def customary(bench: Bench) -> Measure:
    """The load against what people write first."""
    bench.warm_up()
    ours: list[loads.Loaded] = []
    theirs: list[dict[str, float]] = []
    for _ in range(bench.scale.pairs):
        with bench.servers.database() as place:
            ours.append(loads.load(place, bench.job))
            stored = loads.fingerprint(place)
        with bench.servers.database() as place:
            theirs.append(rivals.customary(place, bench.trades, bench.folder))
            _same(stored, loads.fingerprint(place), "the customary way")
    hdi = _walls("hdi", ours)
    rival = Figure("to_df → CSV → COPY", tuple(sum(run.values()) for run in theirs))
    return Measure(
        "customary",
        f"{bench.scale.trades:,} trades, to_df → CSV → COPY ÷ hdi",
        [
            hdi,
            rival,
            rival.over(hdi, "customary ÷ hdi", "≥ 6 ×"),
            *figures_of(theirs, prefix="customary, of it: "),
        ],
    )


def reload(bench: Bench) -> Measure:
    """The same payload once more: every row is there already."""
    bench.warm_up()
    fresh: list[loads.Loaded] = []
    again: list[loads.Loaded] = []
    dead: list[float] = []
    updated: list[float] = []
    for _ in range(bench.scale.pairs):
        with bench.servers.database() as place:
            fresh.append(loads.load(place, bench.job))
            before = loads.row_stats(place)
            bench.servers.checkpoint()
            again.append(loads.load(place, payloads.plan(bench.trades, again=True)))
            after = loads.row_stats(place)
        if again[-1].receipt.already_stored != bench.scale.trades:
            raise RuntimeError(f"the reload found other rows: {again[-1].receipt}")
        dead.append(after.dead - before.dead)
        updated.append(after.updated - before.updated)
    first, second = _walls("fresh load", fresh), _walls("reload", again)
    return Measure(
        "reload",
        f"{bench.scale.trades:,} trades that are all there already ÷ their first load",
        [
            first,
            second,
            second.over(first, "reload ÷ load", "≤ 1.5 ×"),
            Figure("n_dead_tup", tuple(dead), "rows", "0"),
            Figure("n_tup_upd", tuple(updated), "rows", "0"),
        ],
    )


def rules(bench: Bench) -> Measure:
    """What the shipped rules cost a load."""
    bench.warm_up()
    none = rulesets.without_rules(bench.folder / "no-rules")
    judged: list[loads.Loaded] = []
    plain: list[loads.Loaded] = []
    room: list[float] = []
    for _ in range(bench.scale.pairs):
        with bench.servers.database() as place:
            judged.append(loads.load(place, bench.job))
            stored = loads.fingerprint(place)
        with bench.servers.database() as place:
            plain.append(loads.load(place, bench.job, none))
            _same(stored, loads.fingerprint(place), "the load without rules")
        clock = rooms.Clock()
        for _rows in rooms.encoded(bench.job, Settings(), clock):
            pass
        room.append(clock.seconds["validate"])
    _whole(*judged, *plain)
    ours, bare = _walls("all default rules", judged), _walls("no rules", plain)
    alone = Figure("validate, alone", tuple(room))
    return Measure(
        "rules",
        f"{bench.scale.trades:,} trades, all default rules ÷ none",
        [
            ours,
            bare,
            alone,
            ours.over(bare, "rules ÷ none", "≤ 1.10 ×"),
            alone.over(ours, "validate ÷ load", "≤ 0.10 ×"),
        ],
    )


def refused(bench: Bench) -> Measure:
    """What refused records cost a load: 4 % are below the shipped limit of 5 %."""
    bench.warm_up()
    path = bench.own("bad")
    bad_job = payloads.plan(
        payloads.write_trades_apart(path, bench.scale.trades, bench.seed, _BAD_SHARE)
    )
    bad: list[loads.Loaded] = []
    good: list[loads.Loaded] = []
    for _ in range(bench.scale.pairs):
        with bench.servers.database() as place:
            bad.append(loads.load(place, bad_job))
        with bench.servers.database() as place:
            good.append(loads.load(place, bench.job))
    quarantined = bad[-1].receipt.quarantined
    if quarantined != bench.scale.trades * _BAD_SHARE:
        raise RuntimeError(f"other records were refused: {bad[-1].receipt}")
    _whole(*bad, *good)
    ours, clean = _walls("4 % refused", bad), _walls("none refused", good)
    return Measure(
        "refused",
        f"{bench.scale.trades:,} trades of which {quarantined:,} are refused ÷ none",
        [ours, clean, ours.over(clean, "refused ÷ clean", "≤ 1.25 ×")],
    )


def refused_rss(bench: Bench) -> Measure:
    """Memory must not grow with refused records: every second one of a chunk."""
    config = rulesets.without_limit(bench.folder / "no-limit")
    count = bench.scale.memory[0]
    path = bench.own("half-bad")
    job = payloads.plan(payloads.write_trades_apart(path, count, bench.seed, 0.5))
    with bench.servers.database() as place:
        peak = memory.peak_mb(place, job, config)
    figure = Figure(f"{count // 2:,} refused of {count:,}", (peak,), "MB", "≤ 350 MB")
    return Measure("refused-rss", "peak memory of a process that refuses half a chunk", [figure])


def rss(bench: Bench) -> Measure:
    """Memory must not grow with the chunk."""
    peaks = []
    for count in bench.scale.memory:
        path = bench.own(f"rss-{count}")
        job = payloads.plan(payloads.write_trades_apart(path, count, bench.seed))
        with bench.servers.database() as place:
            peak = memory.peak_mb(place, job)
        path.unlink()
        peaks.append(Figure(f"chunk of {count:,} trades", (peak,), "MB", "≤ 350 MB"))
    small, large = peaks
    ratio = large.over(small, "large ÷ small", "≤ 1.10 ×")
    return Measure("rss", "peak memory of a process that loads one chunk", [*peaks, ratio])


def chunks(bench: Bench) -> Measure:
    """Small chunks: the price of the way there and of the receipt."""
    count = bench.scale.chunks
    folder = payloads.write_daily_bars(bench.folder / "bars", count, bench.seed)
    runs = []
    for _ in range(bench.scale.pairs):
        with bench.servers.database() as place:
            runs.append(service.run_job(place, folder))
    rate = tuple(count / run["recorded → completed"] for run in runs)
    return Measure(
        "chunks",
        f"{count:,} chunks of daily bars through Redis, one worker process and the scheduler",
        [Figure("rate", rate, "chunks/s", "≥ 40 chunks/s"), *figures_of(runs)],
    )


def help_(bench: Bench) -> Measure:
    """How long a person waits for the shortest command."""
    command = [str(Path(sys.executable).with_name("hdi-submit")), "--help"]
    nothing = [sys.executable, "-c", "pass"]
    _timed(command), _timed(nothing)
    runs = [(_timed(command), _timed(nothing)) for _ in range(bench.scale.starts)]
    ours = Figure("hdi-submit --help", tuple(run[0] for run in runs), goal="≤ 0.15 s")
    python = Figure("python -c pass", tuple(run[1] for run in runs))
    figures = [ours, python, ours.over(python, "help ÷ pass", "≤ 4 ×")]
    return Measure("help", "a command that only prints", figures)


def profile(bench: Bench) -> Measure:
    """Where the time of the load goes, each room alone and nothing at the same time."""
    bench.warm_up()
    runs: list[Mapping[str, float]] = []
    for _ in range(bench.scale.pairs):
        clock = rooms.Clock()
        for _rows in rooms.encoded(bench.job, Settings(), clock):
            pass
        with bench.servers.database() as place:
            clock.seconds["socket and PostgreSQL"] = rivals.asyncpg_copy(place, bench.copy_file)
        runs.append(clock.seconds)
    return Measure(
        "profile",
        f"{bench.scale.trades:,} trades, each room alone; in the load, PostgreSQL overlaps them",
        figures_of(runs),
    )


MEASURES: Mapping[str, Callable[[Bench], Measure]] = {
    "load": load,
    "customary": customary,
    "reload": reload,
    "rss": rss,
    "chunks": chunks,
    "help": help_,
    "profile": profile,
    "rules": rules,
    "refused": refused,
    "refused-rss": refused_rss,
}


def _walls(name: str, runs: list[loads.Loaded]) -> Figure:
    return Figure(name, tuple(run.wall_s for run in runs))


def _same(ours: Mapping[str, Any], theirs: Mapping[str, Any], name: str) -> None:
    """A rival that stores other rows is no rival."""
    if ours != theirs:
        raise RuntimeError(f"{name} stored other rows: {theirs}, hdi {ours}")


def _whole(*runs: loads.Loaded) -> None:
    """A payload that was taken for a part reads its predecessors, too: another load."""
    if stray := [run.receipt.partial for run in runs if run.receipt.partial]:
        raise RuntimeError(f"a payload is no whole delivery: {stray[0]}")


def _timed(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, env=clean_environment(), stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started
