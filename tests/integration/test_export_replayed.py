"""Records that were refused once and are stored now are in an export once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ingestor.simulator.market import SECOND
from ingestor.vocabulary import Schema
from tests.conftest import Place
from tests.integration.test_export import Asked, raw
from tests.loads import Bench, bench, write
from tests.made import made
from tests.replays import replay

ODD = "id: odd, severity: quarantine, check: {} != 3"
NONE = "id: none, severity: quarantine, check: {} >= 0"


@pytest.fixture
async def loads(plain_place: Place, tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(plain_place, tmp_path) as made_bench:
        yield made_bench


@pytest.mark.parametrize(
    ("schema", "column"), [(Schema.TRADES, "sequence"), (Schema.OHLCV_1M, "volume")]
)
@pytest.mark.parametrize("way", ["again", "replay", "replay of one of two"])
async def test_what_changed_rules_let_in_is_there_once(
    loads: Bench, tmp_path: Path, schema: Schema, column: str, way: str
) -> None:
    """Loaded again, or replayed: what an older chunk still has in quarantine is a row now."""
    records = made(schema, 14, step=60 * SECOND)
    path = write(tmp_path / "a.dbn", records, schema, symbols=["ALL_SYMBOLS"])
    loads.rule(schema, ODD.format(column))
    claims = []
    for _ in range(2 if way == "replay of one of two" else 1):
        [chunk_id] = await loads.chunks(path)
        claims.append(await loads.claim(chunk_id))
        await loads.run(claims[-1])
    loads.rule(schema, NONE.format(column))
    if way == "again":
        await loads.load(path)
    else:
        await replay(loads, claims[-1])
    found = await Asked(schema, dataset="GLBX.MDP3").records(loads, tmp_path / "out.dbn")
    assert raw(found) == raw(records)
