"""What a person waits for: stored records as a DataFrame, and a command that only prints."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import loads
import payloads
import reading
from figures import Figure, Measure, at_least, at_most
from ground import Bench
from servers import clean_environment


def read(bench: Bench) -> Measure:
    """Stored trades as a DataFrame, against what people write first."""
    bench.warm_up()
    count = bench.scale.read
    path = bench.made("read", count)
    ours: list[float] = []
    theirs: list[float] = []
    with bench.servers.database() as place:
        loads.load(place, payloads.plan(path))
        reading.ours(place)  # whoever reads rows first marks them as committed
        for _ in range(bench.scale.pairs):
            mine = reading.ours(place)
            their = reading.fetched(place)
            reading.require_same(mine.frame, their.frame, count)
            ours.append(mine.seconds)
            theirs.append(their.seconds)
            del mine, their
    path.unlink()
    hdi, rival = Figure("read_frame", tuple(ours)), Figure("asyncpg.fetch", tuple(theirs))
    return Measure(
        "read",
        f"{count:,} trades to a DataFrame, asyncpg.fetch → DataFrame ÷ ingestor.query.read_frame",
        [hdi, rival, rival.over(hdi, "fetch ÷ read_frame", at_least(5))],
    )


def help_(bench: Bench) -> Measure:
    """How long a person waits for the shortest command."""
    command = [str(Path(sys.executable).with_name("hdi-submit")), "--help"]
    nothing = [sys.executable, "-c", "pass"]
    _timed(command), _timed(nothing)
    runs = [(_timed(command), _timed(nothing)) for _ in range(bench.scale.starts)]
    ours = Figure("hdi-submit --help", tuple(run[0] for run in runs), goal=at_most(0.15))
    python = Figure("python -c pass", tuple(run[1] for run in runs))
    figures = [ours, python, ours.over(python, "help ÷ pass", at_most(4))]
    return Measure("help", "a command that only prints", figures)


def _timed(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, env=clean_environment(), stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started
