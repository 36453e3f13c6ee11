"""What settings of the server and of its sessions gain: the usual one against another, in turns."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import loads
import payloads
import proofs
import service
from figures import Figure, Measure
from ground import Bench, require_whole, walls
from servers import Place

from ingestor.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ROW = 4
"""Loads one after another, without a checkpoint before each: what a backfill is."""


def tuning(bench: Bench) -> Measure:
    """Commit without waiting, memory of a merge, the server's write-ahead log."""
    bench.warm_up()
    return Measure(
        "tuning",
        f"{bench.scale.trades:,} trades and {bench.scale.small:,} small chunks, a setting changed",
        [*_commits(bench), *_merges(bench), *_logs(bench)],
    )


def _store(**changed: Any) -> dict[str, Any]:
    """The section `store` with something changed, as `loads.load` takes it."""
    return {"store": Settings().store.model_copy(update=changed)}


def _commits(bench: Bench) -> list[Figure]:
    """A load, and small chunks, that wait for the disk or do not."""
    waits: list[loads.Loaded] = []
    not_: list[loads.Loaded] = []
    small: dict[str, list[float]] = {"true": [], "false": []}
    folder = payloads.write_daily_bars(bench.folder / "small", bench.scale.small, bench.seed)
    for _ in range(bench.scale.pairs):
        for runs, waiting in ((waits, True), (not_, False)):
            with bench.servers.database() as place:
                runs.append(loads.load(place, bench.job, **_store(synchronous_commit=waiting)))
        for waiting, seconds in small.items():
            with bench.servers.database() as place:
                crew = service.Crew(environment={"HDI_STORE__SYNCHRONOUS_COMMIT": waiting})
                run = service.run_job(place, partial(payloads.plan, folder), crew)
                proofs.require_completed(place, bench.scale.small)
            seconds.append(run["recorded → completed"])
    require_whole(*waits, *not_)
    on, off = Figure("small, on", tuple(small["true"])), Figure("small, off", tuple(small["false"]))
    return [
        walls("", not_).over(walls("", waits), "synchronous_commit off ÷ on, load"),
        off.over(on, "synchronous_commit off ÷ on, small chunks"),
    ]


def _merges(bench: Bench) -> list[Figure]:
    """The same payload again, with the memory that PostgreSQL has by itself, and with more."""
    sizes = (4, 64, 512)
    took: dict[int, list[float]] = {size: [] for size in sizes}
    for pair in range(bench.scale.pairs):
        turn = pair % len(sizes)
        with bench.servers.database() as place:
            loads.load(place, bench.job)
            # Whoever reads rows first marks them as committed; none of the three is to pay for it.
            loads.load(place, payloads.plan(bench.trades, again=True))
            for size in (*sizes[turn:], *sizes[:turn]):
                bench.servers.checkpoint()
                again = payloads.plan(bench.trades, again=True)
                run = loads.load(place, again, **_store(merge_memory_mb=size))
                if run.receipt.already_stored != bench.scale.trades:
                    raise RuntimeError(f"the reload found other rows: {run.receipt}")
                took[size].append(run.wall_s)
    least, *more = (Figure(f"merge, {size} MiB", tuple(took[size])) for size in sizes)
    return [least, *(each.over(least, f"{each.name} ÷ {sizes[0]} MiB") for each in more)]


def _logs(bench: Bench) -> list[Figure]:
    """Loads in a row with the stack's write-ahead log, with PostgreSQL's own, and compressed."""
    others = {
        "max_wal_size 1GB, checkpoint_timeout 5min": {
            "max_wal_size": "1GB", "checkpoint_timeout": "5min",
        },
        "wal_compression lz4": {"wal_compression": "lz4"},
    }  # fmt: skip
    usual: list[float] = []
    took: dict[str, list[float]] = {name: [] for name in others}
    for _ in range(bench.scale.pairs):
        usual.append(_in_a_row(bench))
        for name, changed in others.items():
            with _server(bench, changed):
                took[name].append(_in_a_row(bench))
    stack = Figure(f"{_ROW} loads in a row", tuple(usual))
    return [
        stack,
        *(Figure(name, tuple(each)).over(stack, f"{name} ÷ usual") for name, each in took.items()),
    ]


def _in_a_row(bench: Bench) -> float:
    """Seconds of loads into one table, a day each; their payloads are made before."""
    paths = [bench.made_once(f"row-{day}", bench.scale.trades // 2, day=day) for day in range(_ROW)]
    with bench.servers.database() as place:
        return sum(_one(place, path) for path in paths)


def _one(place: Place, path: Path) -> float:
    run = loads.load(place, payloads.plan(path))
    require_whole(run)
    return run.wall_s


@contextmanager
def _server(bench: Bench, changed: dict[str, str]) -> Iterator[None]:
    """The server with other settings, which take no restart; then again with its own."""
    bench.servers.set(**changed)
    try:
        yield
    finally:
        bench.servers.set(**dict.fromkeys(changed))
