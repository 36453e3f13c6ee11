"""A simulated provider in a process of its own, for what has to be bought."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pydantic import SecretStr
from servers import Place, clean_environment, end

from ingestor.job import JobPlan
from ingestor.origins import open_sources
from ingestor.settings import Settings
from ingestor.simulator.options import KEY
from ingestor.sources.source import Ask, Wanted
from ingestor.vocabulary import Priority

SOURCE = "databento"
_END_S = 10.0


@dataclass(frozen=True, slots=True)
class Provider:
    """A gateway on loopback that answers as Databento's does."""

    url: str

    @property
    def environment(self) -> Mapping[str, str]:
        """What leads processes there."""
        return {"HDI_DATABENTO_GATEWAY": self.url, "DATABENTO_API_KEY": KEY}

    def settings(self, place: Place) -> Settings:
        return place.settings().model_copy(update=self.changed)

    @property
    def changed(self) -> dict[str, object]:
        """The settings that lead there."""
        return {"databento_gateway": self.url, "databento_api_key": SecretStr(KEY)}

    def billed(self) -> int:
        """Streams that were bought so far."""
        with urllib.request.urlopen(f"{self.url}/simulator/bill", timeout=10) as answer:
            return sum(line["calls"] for line in json.load(answer)["lines"])

    def prepare(self, dataset: str, wanted: Wanted, symbols: Sequence[str]) -> None:
        """Has the answer made and kept; what a provider takes to make one is not HDI's time.

        The fields are those that HDI sends: another order of symbols is another answer.
        """
        fields = {
            "dataset": dataset, "schema": wanted.schema, "symbols": ",".join(sorted(symbols)),
            "start": wanted.start, "end": wanted.end, "stype_in": "raw_symbol",
            "stype_out": "instrument_id", "encoding": "dbn", "compression": "zstd",
        }  # fmt: skip
        login = base64.b64encode(f"{KEY}:".encode()).decode()
        request = urllib.request.Request(
            f"{self.url}/v0/timeseries.get_range",
            urllib.parse.urlencode(fields).encode(),
            {"Authorization": f"Basic {login}"},
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            while answer.read(1 << 20):
                pass

    def plan(
        self, place: Place, dataset: str, wanted: Wanted, symbols: Sequence[str],
        chunk_symbols: int | None = None,
    ) -> JobPlan:  # fmt: skip
        """The job that buys it."""
        return open_sources(self.settings(place)).named(SOURCE).plan(
            Ask(
                name="bench", priority=Priority.NORMAL, dataset=dataset, wanted=(wanted,),
                symbols=tuple(symbols), chunk_symbols=chunk_symbols,
            )
        )  # fmt: skip


@contextmanager
def simulator(*options: str) -> Iterator[Provider]:
    """`hdi simulate` with these options.

    Raises:
        RuntimeError: It did not start.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "ingestor.cli", "simulate", "--quiet", *options],
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline().split()
        if len(said) != 2:
            raise RuntimeError(f"the simulator said {said} instead of its address")
        yield Provider(said[1])
    finally:
        end(process, within_s=_END_S)
