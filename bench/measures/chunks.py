"""Many small chunks: what one costs beside its rows, and what planning many takes."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import apart
import loads
import parts
import payloads
import proofs
import redelivery
import service
from figures import Figure, Measure, at_least, at_most, figures_of
from ground import Bench
from provider import Provider, simulator

from ingestor.simulator import market
from ingestor.sources.source import Wanted
from ingestor.vocabulary import Schema

_DATASET = "XNAS.ITCH"
_SYMBOLS = ("AAPL", "MSFT")
_FIRST_DAY = 10_957 * market.DAY  # 2000-01-01
_ENDLESS = ("--start", "2000-01-01", "--end", "2040-01-01")


def chunks(bench: Bench) -> Measure:
    """Small chunks: the price of the way there and of the receipt."""
    count, counted = bench.scale.chunks, bench.scale.counted
    folder = payloads.write_daily_bars(bench.folder / "bars", count, bench.seed)
    runs, bought = [], []
    # Closed days count as chunks like any other: the provider is asked about them, too.
    with simulator("--resolve-closed-days", "--per-day", "1") as provider:
        for pair in range(bench.scale.pairs):
            with bench.servers.database() as place:
                runs.append(service.run_job(place, partial(payloads.plan, folder)))
                proofs.require_completed(place, count)
            bought.append(_bought(bench, provider, counted, bench.folder / f"vault-{pair}"))
    own, theirs = _worked(runs), _worked(bought)
    return Measure(
        "chunks",
        f"{count:,} chunks of daily bars through Redis, one worker process and the scheduler; "
        f"{counted:,} from the provider, 20 counts a second",
        [
            own.rate(count, "rate", "chunks/s", at_least(40)),
            theirs.rate(counted, "rate, provider's limits on", "chunks/s"),
            *figures_of(runs),
        ],
    )


def _worked(runs: list[dict[str, float]]) -> Figure:
    return Figure("worked", tuple(run["recorded → completed"] for run in runs))


def _bought(bench: Bench, provider: Provider, count: int, vault: Path) -> dict[str, float]:
    """One job of daily bars that nobody has bought before."""
    start = payloads.open_day(0)
    wanted = Wanted(Schema.OHLCV_1D, start, start + count * market.DAY, chunk_days=1)
    vault.mkdir()
    environment = {**provider.environment, "HDI_VAULT_URL": str(vault)}
    with bench.servers.database() as place:
        plan = partial(provider.plan, place, _DATASET, wanted, _SYMBOLS[:1])
        run = service.run_job(place, plan, service.Crew(environment=environment))
        proofs.require_completed(place, count)
    return run


def small(bench: Bench) -> Measure:
    """Where the time of a small chunk goes."""
    count = bench.scale.small
    folder = payloads.write_daily_bars(bench.folder / "small-bars", count, bench.seed)
    runs: list[dict[str, float]] = []
    for _ in range(bench.scale.pairs):
        with bench.servers.database() as place:
            part = parts.seconds(place, folder)
        with bench.servers.database() as place:
            queued = service.run_job(place, partial(payloads.plan, folder))
            proofs.require_completed(place, count)
        runs.append({**part, "through Redis": queued["recorded → completed"] / count})
    return Measure(
        "small",
        f"a chunk of three daily bars, one worker process; mean of {count}",
        [figure.in_ms() for figure in figures_of(runs)],
    )


def planning(bench: Bench) -> Measure:
    """A job of many chunks is planned, recorded and put on the queue by `hdi submit`."""
    count = bench.scale.planned
    folder = payloads.write_daily_bars(bench.folder / "planned", count, bench.seed)
    days = count // len(_SYMBOLS)
    asked = (
        "--dataset", _DATASET, "--schema", "ohlcv-1d", "--symbols", ",".join(_SYMBOLS),
        "--start", payloads.date_of(_FIRST_DAY),
        "--end", payloads.date_of(_FIRST_DAY + days * market.DAY),
        "--chunk-days", "1", "--chunk-symbols", "1", "--max-cost", "1000000",
    )  # fmt: skip
    files: list[apart.Told] = []
    bought: list[apart.Told] = []
    with simulator("--no-limits", "--per-day", "1", *_ENDLESS) as provider:
        for _ in range(bench.scale.pairs):
            files.append(_submitted(bench, count, "--path", str(folder)))
            bought.append(_submitted(bench, count, *asked, provider=provider))
    return Measure(
        "planning",
        f"`hdi submit` of {count:,} chunks: planned, recorded, the first of them enqueued",
        [*_planned("files", files), *_planned("provider", bought)],
    )


def _submitted(
    bench: Bench, count: int, *asked: str, provider: Provider | None = None
) -> apart.Told:
    environment = {} if provider is None else provider.environment
    with bench.servers.database() as place:
        service.empty_queue(place)
        told = apart.command(
            place, "submit", *asked, "--quiet", "--no-progress", environment=environment
        )
        proofs.require_planned(place, count)
    return told


def _planned(name: str, runs: list[apart.Told]) -> list[Figure]:
    seconds, peaks = (run.seconds for run in runs), (run.peak_mb for run in runs)
    return [
        Figure(f"{name}, time", tuple(seconds), "s", at_most(12)),
        Figure(f"{name}, peak memory", tuple(peaks), "MB", at_most(150)),
    ]


def done(bench: Bench) -> Measure:
    """A message of a chunk that is completed: Redis may deliver one again at any time."""
    path = bench.made("done", bench.scale.peers)
    with bench.servers.database() as place:
        loads.load(place, payloads.plan(path))
        # A worker that looked for it would fail.
        path.rename(path.with_name("away"))
        times = redelivery.milliseconds(place, bench.scale.starts)
    return Measure(
        "done",
        f"the task for a chunk of {bench.scale.peers:,} trades that is completed; payload away",
        [Figure("redelivered", tuple(times), "ms", at_most(10))],
    )
