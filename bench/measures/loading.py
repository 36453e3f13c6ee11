"""One load in one process: against the limit, into a full table, again, room by room."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import history as histories
import loads
import payloads
import rivals
import rooms
from figures import Figure, Measure, at_most, figures_of
from ground import Bench, require_same, require_whole, walls
from servers import Place

from ingestor.job import JobPlan
from ingestor.settings import Settings

_LIMIT = at_most(1.10)


def load(bench: Bench) -> Measure:
    """The load against the limit."""
    bench.warm_up()
    ours: list[loads.Loaded] = []
    limit: list[float] = []
    stored: list[Mapping[str, object]] = []

    def own(place: Place) -> None:
        ours.append(loads.load(place, bench.job))
        stored.append(loads.fingerprint(place))

    def psql(place: Place) -> None:
        limit.append(rivals.psql_copy(bench.servers, place, bench.copy_file))
        stored.append(loads.fingerprint(place))

    for pair in range(bench.scale.close_pairs):
        for way in (own, psql) if pair % 2 == 0 else (psql, own):
            with bench.servers.database() as place:
                way(place)
        require_same(*stored[-2:], r"psql \copy, or hdi,")
    hdi, ready = walls("hdi", ours), Figure(r"psql \copy", tuple(limit))
    size = Figure("binary COPY", (bench.copy_file.stat().st_size / 1e6,), "MB")
    return Measure(
        "load",
        rf"{bench.scale.trades:,} trades, file to receipt ÷ psql \copy of ready bytes",
        [
            hdi,
            ready,
            hdi.over(ready, "hdi ÷ psql", _LIMIT),
            *figures_of([run.receipt.seconds for run in ours], prefix="hdi, of it: "),
            Figure("hdi, own processor time", tuple(run.own_cpu_s for run in ours)),
            size,
        ],
    )


def history(bench: Bench) -> Measure:
    """The same into a table that holds many rows, each load on a fresh day of it."""
    bench.warm_up()
    with bench.servers.database() as full:
        rows, wanted = bench.scale.trades, bench.scale.history
        held = histories.fill(bench.servers, full, bench.copy_file, rows, wanted)
        runs = [_on_two_days(bench, full, pair) for pair in range(bench.scale.close_pairs)]
    count = bench.scale.trades
    by_name = {name: Figure(name, tuple(run[name] for run in runs)) for name in runs[0]}
    hdi, psql = by_name["hdi, full"], by_name["psql, full"]
    fresh, fresh_psql = by_name["hdi, empty"], by_name["psql, empty"]
    return Measure(
        "history",
        rf"{count:,} trades into a table of {held:,} rows, file to receipt ÷ psql \copy",
        [
            hdi,
            psql,
            hdi.over(psql, "hdi ÷ psql, full", _LIMIT),
            fresh.over(fresh_psql, "hdi ÷ psql, empty", _LIMIT),
            hdi.over(fresh, "hdi, full ÷ empty"),
            psql.over(fresh_psql, "psql, full ÷ empty"),
            *(figure.per_row(count, f"{name}, a row") for name, figure in by_name.items()),
        ],
    )


def _on_two_days(bench: Bench, full: Place, pair: int) -> dict[str, float]:
    """Seconds of both ways into both tables, a fresh day for each way, each first in turn."""
    day, other = 1 + 2 * pair, 2 + 2 * pair
    path = bench.made(f"day-{day}", bench.scale.trades, day=day)
    of_other = bench.made(f"day-{other}", bench.scale.trades, day=other)
    job = payloads.plan(path)
    ready = rivals.write_encoded(
        bench.servers, payloads.plan(of_other), Settings(), of_other.parent.name
    )
    ways: dict[str, tuple[int, Callable[[Place], float]]] = {
        "hdi": (day, lambda place: _fresh(place, job)),
        "psql": (other, lambda place: rivals.psql_copy(bench.servers, place, ready)),
    }
    seconds: dict[str, float] = {}
    stored: dict[str, Mapping[str, object]] = {}
    for table in ("full", "empty"):
        for way in ways if pair % 2 == 0 else reversed(ways):
            which, run = ways[way]
            with bench.servers.borrowed(full if table == "full" else None) as place:
                seconds[f"{way}, {table}"] = run(place)
                stored[f"{way}, {table}"] = loads.fingerprint(place, payloads.open_day(which))
    for way in ways:
        require_same(stored[f"{way}, empty"], stored[f"{way}, full"], f"{way} into the full table")
    for each in (path, of_other, ready):
        each.unlink()
    return {name: seconds[name] for name in sorted(seconds)}


def _fresh(place: Place, job: JobPlan) -> float:
    run = loads.load(place, job)
    require_whole(run)
    if run.receipt.way != "copy":
        raise RuntimeError(f"rows of that day were there already: {run.receipt}")
    return run.wall_s


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
    first, second = walls("fresh load", fresh), walls("reload", again)
    never = at_most(0, every=True)
    return Measure(
        "reload",
        f"{bench.scale.trades:,} trades that are all there already ÷ their first load",
        [
            first,
            second,
            second.over(first, "reload ÷ load", at_most(1.5)),
            Figure("n_dead_tup", tuple(dead), "rows", never),
            Figure("n_tup_upd", tuple(updated), "rows", never),
        ],
    )


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
