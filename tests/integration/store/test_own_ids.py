"""Instrument ids of HDI's own making: two symbols of a dataset are never one instrument."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingestor.errors import UnlikeRequest
from ingestor.job import Claim, SymbolInterval
from ingestor.simulator.market import DAY, MONDAY
from ingestor.sources.dbn_files import DbnFiles
from ingestor.sources.installed import Sources
from ingestor.sources.source import Payload
from ingestor.store import loader
from ingestor.vocabulary import Schema
from tests.loads import Bench, write
from tests.made import made

TRADES = Schema.TRADES
SHARED = 2**31 + 5


class OwnIds(DbnFiles):
    """Files whose names are the symbols of all that they hold, as `csv-files` makes ids."""

    def fetch(self, claim: Claim) -> Payload:
        found = super().fetch(claim)
        told = SymbolInterval("raw_symbol", found.path.parent.name, "instrument_id", str(SHARED),
                              "2024-03-11", "2024-03-12")  # fmt: skip
        return replace(found, symbology=(told,), own_ids=True)


@pytest.fixture(autouse=True)
def own_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    source = OwnIds()
    monkeypatch.setattr(Sources, "named", lambda sources, name: source)


async def chunk(bench: Bench, folder: Path, *, day: int = 0) -> int:
    records: np.ndarray = made(TRADES, 3, start=MONDAY + day * DAY, instrument_id=SHARED)
    path = write(folder / "x.dbn", records, start=MONDAY + day * DAY, end=MONDAY + (day + 1) * DAY)
    [chunk_id] = await bench.chunks(path)
    return chunk_id


async def test_an_id_that_another_symbol_has_is_refused(any_bench: Bench, tmp_path: Path) -> None:
    """Both are named, and where an id of its own is given; nothing is stored."""
    await any_bench.run(await any_bench.claim(await chunk(any_bench, tmp_path / "AAA")))
    again = await any_bench.claim(await chunk(any_bench, tmp_path / "BBB", day=1))
    with pytest.raises(UnlikeRequest, match=f"{SHARED} of symbol 'BBB' .* it is 'AAA'") as told:
        await any_bench.run(again)
    assert "`ids:`" in told.value.hint
    assert len(await any_bench.rows(TRADES)) == 3


async def test_a_symbol_may_come_again(any_bench: Bench, tmp_path: Path) -> None:
    """With the id that it has."""
    for day in range(2):
        folder = tmp_path / str(day) / "AAA"
        await any_bench.run(await any_bench.claim(await chunk(any_bench, folder, day=day)))
    assert len(await any_bench.rows(TRADES)) == 6


async def test_of_two_loads_at_once_one_is_refused(
    any_bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither sees what the other has not committed: the second waits for the first to end."""
    cover = loader.cover

    async def slowly(*values: Any, **told: Any) -> None:
        await asyncio.sleep(0.5)
        await cover(*values, **told)

    monkeypatch.setattr(loader, "cover", slowly)
    ids = [await chunk(any_bench, tmp_path / each, day=day) for day, each in enumerate("AB")]
    claims = [await any_bench.claim(each) for each in ids]
    ended = await asyncio.gather(*map(any_bench.run, claims), return_exceptions=True)
    assert sorted(isinstance(each, UnlikeRequest) for each in ended) == [False, True]
    assert len(await any_bench.rows(TRADES)) == 3
