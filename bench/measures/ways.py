"""The load against other ways in: what people write first, and what packages offer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import loads
import payloads
import peers as packaged
import rivals
from figures import Figure, Measure, at_least, figures_of
from ground import Bench, require_same, walls
from servers import Place

from ingestor.settings import Settings

_SIX_TIMES = at_least(6)


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
            require_same(stored, loads.fingerprint(place), "the customary way")
    hdi = walls("hdi", ours)
    rival = Figure("to_df → CSV → COPY", tuple(sum(run.values()) for run in theirs))
    return Measure(
        "customary",
        f"{bench.scale.trades:,} trades, to_df → CSV → COPY ÷ hdi",
        [
            hdi,
            rival,
            rival.over(hdi, "customary ÷ hdi", _SIX_TIMES),
            *figures_of(theirs, prefix="customary, of it: "),
        ],
    )


def peers(bench: Bench) -> Measure:
    r"""Every way in with the same payload, in turns; `psql \copy` of ready bytes is the limit."""
    bench.warm_up()
    ways = _ways(bench)
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(bench.scale.pairs):
        stored = None
        for name, way in ways.items():
            with bench.servers.database() as place:
                seconds[name].append(way(place))
                found = loads.fingerprint(place)
            stored = stored or found
            require_same(stored, found, name)
    figures = {name: Figure(name, tuple(each)) for name, each in seconds.items()}
    hdi, count = figures["hdi"], bench.scale.peers
    return Measure(
        "peers",
        f"{count:,} trades into the same table with the same key",
        [
            *(each.rate(count, f"{name}, rows/s", "rows/s") for name, each in figures.items()),
            *(each.over(hdi, f"{name} ÷ hdi") for name, each in figures.items() if name != "hdi"),
        ],
        absent=packaged.missing(),
        notes=packaged.NOTES,
    )


def _ways(bench: Bench) -> dict[str, Callable[[Place], float]]:
    """Ours first: what it stored, the others must store, too."""
    path = bench.made("peers", bench.scale.peers)
    job = payloads.plan(path)
    ready = rivals.write_encoded(bench.servers, job, Settings(), "peers")
    return {
        "hdi": lambda place: loads.load(place, job).wall_s,
        r"psql \copy of ready bytes": lambda place: rivals.psql_copy(bench.servers, place, ready),
        **{name: _with(path, way) for name, way in packaged.ways().items()},
    }


def _with(path: Path, way: Callable[[Place, Path], float]) -> Callable[[Place], float]:
    return lambda place: way(place, path)
