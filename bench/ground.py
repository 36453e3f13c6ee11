"""What the measures stand on: how much is measured, servers, and payloads made when asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import loads
import payloads
import rivals
from figures import Figure
from servers import Servers

from ingestor.job import JobPlan
from ingestor.settings import Settings

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much is measured.

    Attributes:
        trades: Of the payload of most measures.
        peers: Of the payload of the ways that are too slow for that.
        history: Rows that the table holds already.
        read: Trades that are read back.
        chunks: Of daily bars, from files.
        small: Of them, where a setting is tried.
        counted: Of daily bars, from the provider, whose limits are on.
        planned: Chunks of a job that is only planned.
        memory: Trades of the small chunk and of the large one.
        days: Chunks, each a day of its own, that workers share.
        day_trades: Of each of them.
        crew: Worker processes that may get in each other's way.
        pairs: How often both sides run.
        close_pairs: The same where both take about as long, and noise decides.
        starts: How often a command is started.
    """

    trades: int
    peers: int
    history: int
    read: int
    chunks: int
    small: int
    counted: int
    planned: int
    memory: tuple[int, int]
    days: int
    day_trades: int
    crew: int
    pairs: int
    close_pairs: int
    starts: int

    @classmethod
    def quick(cls, *, pairs: int) -> Scale:
        """For correctness: figures of so little mean nothing."""
        return cls(
            trades=20_000, peers=5_000, history=50_000, read=20_000, chunks=20, small=10,
            counted=10, planned=200, memory=(20_000, 80_000), days=8, day_trades=2_000, crew=3,
            pairs=pairs, close_pairs=pairs, starts=pairs,
        )  # fmt: skip

    @classmethod
    def usual(cls, *, pairs: int) -> Scale:
        return cls(
            trades=2 * _MILLION, peers=200_000, history=50 * _MILLION, read=_MILLION,
            chunks=1_000, small=300, counted=200, planned=10_000,
            memory=(_MILLION, 10 * _MILLION), days=8, day_trades=250_000, crew=8, pairs=pairs,
            close_pairs=2 * pairs + 1, starts=max(10, pairs),
        )  # fmt: skip


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

    def made(self, name: str, count: int, *, bad: float = 0.0, day: int = 0) -> Path:
        """A payload of trades in a folder of its own; `day` counts open days from the first."""
        return payloads.write_trades_apart(self.own(name), count, self.seed, bad, day)

    def made_once(self, name: str, count: int, *, day: int) -> Path:
        """The same, unless it is there already."""
        path = self.folder / name / f"{name}.dbn.zst"
        return path if path.exists() else self.made(name, count, day=day)

    @cached_property
    def trades(self) -> Path:
        return self.made("trades", self.scale.trades)

    @cached_property
    def job(self) -> JobPlan:
        return payloads.plan(self.trades)

    @cached_property
    def copy_file(self) -> Path:
        return rivals.write_encoded(self.servers, self.job, Settings())

    @cached_property
    def day_files(self) -> Path:
        """The folder of the chunks that workers share."""
        return payloads.write_days(
            self.folder / "days", self.scale.days, self.scale.day_trades, self.seed
        )

    def warm_up(self) -> None:
        """Imports, caches and threads of a first load are no worker's daily business."""
        if self._warm:
            return
        path = payloads.write_trades(self.own("warm"), 10_000, self.seed)
        with self.servers.database() as place:
            loads.load(place, payloads.plan(path))
        self._warm = True


def walls(name: str, runs: Sequence[loads.Loaded]) -> Figure:
    return Figure(name, tuple(run.wall_s for run in runs))


def require_same(ours: Mapping[str, Any], theirs: Mapping[str, Any], name: str) -> None:
    """A rival that stores other rows is no rival."""
    if ours != theirs:
        raise RuntimeError(f"{name} stored other rows: {theirs}, hdi {ours}")


def require_whole(*runs: loads.Loaded) -> None:
    """A payload that was taken for a part reads its predecessors, too: another load."""
    if stray := [run.receipt.partial for run in runs if run.receipt.partial]:
        raise RuntimeError(f"a payload is no whole delivery: {stray[0]}")
