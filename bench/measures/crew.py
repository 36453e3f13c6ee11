"""The whole service: one worker, two, and eight that may get in each other's way."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import loads
import payloads
import proofs
import service
from figures import Figure, Measure, at_least, at_most, figures_of
from ground import Bench, require_same, walls
from locks import Waits, told
from provider import Provider, simulator
from servers import Place

from ingestor.job import JobPlan
from ingestor.model.tables.trades import TRADES
from ingestor.simulator import market
from ingestor.sources.source import Wanted
from ingestor.store import hypertables
from ingestor.vocabulary import Schema

_CHUNKS_EACH = 4
_SYMBOLS = tuple(each.symbol for each in market.INSTRUMENTS)


def job(bench: Bench) -> Measure:
    """All that a purchase takes ÷ the load of what was bought, which the vault has by then."""
    bench.warm_up()
    per_day = -(-bench.scale.trades // len(market.INSTRUMENTS))
    whole: list[dict[str, float]] = []
    parts: list[dict[str, float]] = []
    alone: list[loads.Loaded] = []
    with simulator("--no-limits", "--per-day", str(per_day), "--keep-mb", "1000") as provider:
        for day in range(bench.scale.pairs):
            provider.prepare(payloads.DATASET, _day(day), _SYMBOLS)
            with bench.servers.database() as place:
                plan = partial(_purchase, provider, place, day)
                crew = service.Crew(environment=provider.environment)
                whole.append(service.run_job(place, plan, crew))
                proofs.require_completed(place, 1)
                parts.append(proofs.logged_seconds(place))
                stored, bill = loads.fingerprint(place), provider.billed()
            with bench.servers.database() as place:
                purchase = _purchase(provider, place, day)
                alone.append(loads.load(place, purchase, **provider.changed))
                require_same(stored, loads.fingerprint(place), "the load alone")
            if provider.billed() != bill:
                raise RuntimeError("the load alone bought what the vault should have had")
    figures = figures_of(whole)
    [total] = [each for each in figures if each.name == "submit → completed"]
    load = walls("load alone", alone)
    return Measure(
        "job",
        f"{stored['rows']:,} trades bought, submit → completed through one worker ÷ load alone",
        [
            total,
            load,
            total.over(load, "job ÷ load", at_most(1.25)),
            *(each for each in figures if each is not total),
            *figures_of(parts, prefix="worker, of it: "),
        ],
    )


def _purchase(provider: Provider, place: Place, day: int) -> JobPlan:
    """A day of its own for each pair: what was bought once is not bought again."""
    return provider.plan(place, payloads.DATASET, _day(day), _SYMBOLS)


def _day(number: int) -> Wanted:
    start = payloads.open_day(number)
    return Wanted(Schema.TRADES, start, start + market.DAY)


def workers(bench: Bench) -> Measure:
    """Two worker processes ÷ one; PostgreSQL runs on the same machine."""
    plan = partial(payloads.plan, bench.day_files)
    runs: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(bench.scale.pairs):
        stored = None
        for count, seconds in runs.items():
            with bench.servers.database() as place:
                run = service.run_job(place, plan, service.Crew(count))
                seconds.append(run["recorded → completed"])
                proofs.require_completed(place, bench.scale.days)
                found = loads.fingerprint(place)
            stored = stored or found
            require_same(stored, found, _crew(count))
    one, two = (Figure(_crew(count), tuple(each)) for count, each in runs.items())
    rows = bench.scale.days * bench.scale.day_trades
    return Measure(
        "workers",
        f"{bench.scale.days} chunks of {bench.scale.day_trades:,} trades, two workers and one",
        [
            one,
            two,
            one.over(two, "one ÷ two", at_least(1.3)),
            *(each.rate(rows, f"{each.name}, rows/s", "rows/s") for each in (one, two)),
        ],
    )


def _crew(count: int) -> str:
    return f"{count} worker{'s' if count > 1 else ''}"


def locks(bench: Bench) -> Measure:
    """How often one worker's session waits for a lock of another's."""
    count, each = bench.scale.crew * _CHUNKS_EACH, bench.scale.day_trades // _CHUNKS_EACH
    folder = payloads.write_days(bench.folder / "crew", count, each, bench.seed)
    ready: list[Waits] = []
    bare: list[Waits] = []
    rates: list[float] = []
    for _ in range(bench.scale.pairs):
        with bench.servers.database() as place:
            _prepare(bench, place, folder)
            seconds = _watched(bench, place, folder, ready)
            rates.append(count * each / seconds)
            proofs.require_completed(place, count + 1)
        with bench.servers.database() as place:
            _watched(bench, place, folder, bare)
            proofs.require_completed(place, count)
    return Measure(
        "locks",
        f"{bench.scale.crew} workers, {count} chunks of {each:,} trades, a day each: samples of "
        "sessions at work that wait for a lock",
        [
            Figure("days made before", tuple(run.share for run in ready), "%", at_most(2)),
            Figure("nothing made before", tuple(run.share for run in bare), "%"),
            Figure("samples, made before", tuple(run.samples for run in ready), "samples"),
            Figure("samples, nothing made", tuple(run.samples for run in bare), "samples"),
            Figure("rows/s, made before", tuple(rates), "rows/s"),
        ],
        notes=[
            *(f"waited, made before: {line}" for line in told(ready)),
            *(f"waited, nothing made: {line}" for line in told(bare)),
        ],
        detail={
            "waits, made before": [run.as_json() for run in ready],
            "waits, nothing made": [run.as_json() for run in bare],
        },
    )


def _watched(bench: Bench, place: Place, folder: Path, into: list[Waits]) -> float:
    """Seconds of the job, and what its sessions waited for."""
    waits = Waits()
    crew = service.Crew(bench.scale.crew, waits=waits)
    run = service.run_job(place, partial(payloads.plan, folder), crew)
    into.append(waits)
    return run["recorded → completed"]


def _prepare(bench: Bench, place: Place, folder: Path) -> None:
    """Makes the days as earlier jobs would have left them: there, with these instruments known."""
    chunks = payloads.plan(folder).requests[0].chunks
    days = {day for chunk in chunks if chunk.contents for day in chunk.contents.event_days}
    path = bench.folder / "before" / "before.dbn.zst"
    if not path.exists():
        path.parent.mkdir()
        payloads.write_trades(path, 1_000, bench.seed, day=len(chunks) + 1)
    loads.load(place, payloads.plan(path))
    asyncio.run(_make_days(place, days))


async def _make_days(place: Place, days: set[int]) -> None:
    async with place.open() as database:
        await hypertables.prepare(database, TRADES, days)
