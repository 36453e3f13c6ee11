"""Whatever a file holds, rows and quarantine together are that file, byte for byte."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ingestor.simulator.market import DAY, MONDAY, SECOND
from ingestor.vocabulary import Schema
from tests.loads import Bench, blank, cut, write

DAYS = 3
MINUTE = 60 * SECOND
U64, U32, I64 = 2**64 - 1, 2**32 - 1, 2**63

# Shrinking a failure costs minutes of loads; the first example tells enough.
few = settings(
    max_examples=25,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    derandomize=bool(os.environ.get("CI")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

times = st.one_of(
    st.integers(MONDAY, MONDAY + DAYS * DAY - 1),
    st.sampled_from([MONDAY, MONDAY + 999, MONDAY + 1000, MONDAY + DAY, MONDAY + DAYS * DAY - 1]),
)
prices = st.one_of(
    st.sampled_from([0, 1, -1, I64 - 1, I64 - 2, 1 - I64, -I64, 10**9, -(10**9) - 1]),
    st.integers(-I64, I64 - 1),
)
u32 = st.one_of(st.sampled_from([0, 1, U32, U32 - 1, 2**31]), st.integers(0, U32))
few_ids = st.sampled_from([0, 1, U32])
byte = st.integers(0, 255)

trade = st.fixed_dictionaries(
    {
        "publisher_id": st.just(1),
        "instrument_id": few_ids,
        "ts_event": st.one_of(times, st.sampled_from([0, I64, U64 - 1, U64])),
        "ts_recv": st.one_of(times, st.just(U64)),
        "price": prices,
        "size": u32,
        "action": st.one_of(st.sampled_from([b"T", b"", b"\xff"]), st.binary(max_size=1)),
        "side": st.one_of(st.sampled_from([b"A", b"", b"\x80"]), st.binary(max_size=1)),
        "flags": byte,
        "depth": byte,
        "ts_in_delta": st.one_of(
            st.sampled_from([-(2**31), 2**31 - 1]), st.integers(-(2**31), 2**31 - 1)
        ),
        "sequence": st.sampled_from([0, 1, U32]),
    }
)
bar = st.fixed_dictionaries(
    {
        "publisher_id": st.just(1),
        "instrument_id": few_ids,
        "ts_event": st.one_of(
            st.integers(0, DAYS * 1440 - 1).map(lambda m: MONDAY + m * MINUTE),
            st.sampled_from([MONDAY, MONDAY + 1, MONDAY + SECOND, U64]),
        ),
        "open": prices,
        "high": prices,
        "low": prices,
        "close": prices,
        "volume": st.one_of(st.sampled_from([0, I64 - 1, I64, U64]), st.integers(0, U64)),
    }
)
kinds = st.sampled_from([(Schema.TRADES, trade), (Schema.OHLCV_1M, bar)])


@st.composite
def files(draw: st.DrawFn) -> tuple[Schema, np.ndarray]:
    """A file: random records, some of them repeated, in any order."""
    schema, record = draw(kinds)
    given = draw(st.lists(record, max_size=12))
    order = draw(st.lists(st.integers(0, max(len(given) - 1, 0)), max_size=24)) if given else []
    return schema, as_records([*given, *(given[at] for at in order)], schema)


def as_records(values: list[dict[str, Any]], schema: Schema) -> np.ndarray:
    made = blank(len(values), schema)
    for name in values[0] if values else ():
        made[name] = [value[name] for value in values]
    return made


@few
@given(file=files(), batch=st.sampled_from([1, 2, 7, 65_536]))
async def test_rows_and_quarantine_rebuild_exactly_the_given_records(
    any_bench: Bench, tmp_path: Path, file: tuple[Schema, np.ndarray], batch: int
) -> None:
    """Over the full range of every field: stored + quarantined, rebuilt as wire records, is the
    multiset of the records in the file, whatever the batch size.
    """
    schema, records = file
    await any_bench.clear()
    path = write(tmp_path / "a.dbn", records, schema, days=DAYS)
    await any_bench.with_batches(batch).load(path)
    found = await any_bench.records(schema)
    assert found == Counter(record.tobytes() for record in records)


@few
@given(file=files(), batch=st.sampled_from([1, 7]))
async def test_the_receipt_adds_up_for_any_file(
    plain_bench: Bench, tmp_path: Path, file: tuple[Schema, np.ndarray], batch: int
) -> None:
    """Fetched = stored + quarantined = the records of the file, and so many rows are there."""
    schema, records = file
    await plain_bench.clear()
    path = write(tmp_path / "a.dbn", records, schema, days=DAYS)
    receipts = await plain_bench.with_batches(batch).load(path)
    rows = await plain_bench.rows(schema)
    kept = await plain_bench.database.fetchval("SELECT count(*) FROM ingest.quarantine")
    fetched, stored, quarantined = (
        sum(getattr(r, name) for r in receipts) for name in ("fetched", "stored", "quarantined")
    )
    assert (fetched, stored, quarantined) == (len(records), len(rows), kept)


@few
@given(file=files(), batch=st.sampled_from([1, 2, 7]))
async def test_the_batch_size_changes_nothing(
    plain_bench: Bench, tmp_path: Path, file: tuple[Schema, np.ndarray], batch: int
) -> None:
    """Rows, ordinals included, are the same whatever `store.batch_records` is."""
    schema, records = file
    path = write(tmp_path / "a.dbn", records, schema, days=DAYS)
    found = []
    for count in (batch, 65_536):
        await plain_bench.clear()
        await plain_bench.with_batches(count).load(path)
        found.append(await plain_bench.rows(schema))
    assert found[0] == found[1]


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[np.ndarray, list[int], list[int]]:
    """Trades in order of ts_recv with many repeats, 1–4 cuts, an order to load the parts in."""
    choices = st.fixed_dictionaries(
        {
            "instrument_id": st.sampled_from([1, 2]),
            "ts_recv": st.integers(0, 3),
            "ts_below": st.integers(0, 2),
            "price": st.integers(0, 1),
        }
    )
    drawn = draw(st.lists(choices, min_size=2, max_size=30))
    drawn.sort(key=lambda value: value["ts_recv"])
    records = blank(len(drawn))
    for name in ("instrument_id", "price"):
        records[name] = [value[name] for value in drawn]
    below = np.array([value["ts_below"] for value in drawn])
    moments = MONDAY + 1000 * np.array([value["ts_recv"] for value in drawn])
    records["ts_recv"] = np.maximum.accumulate(moments + below)
    records["ts_event"] = records["ts_recv"]
    cuts = sorted(draw(st.lists(st.integers(1, len(drawn)), min_size=1, max_size=4)))
    order = draw(st.permutations(range(len(cuts) + 1)))
    return records, cuts, list(order)


@few
@given(
    delivery=deliveries(),
    at_once=st.booleans(),
    batch=st.sampled_from([1, 3, 65_536]),
)
async def test_a_delivery_cut_anywhere_stores_what_the_whole_would(
    any_bench: Bench,
    tmp_path_factory: pytest.TempPathFactory,
    delivery: tuple[np.ndarray, list[int], list[int]],
    at_once: bool,
    batch: int,
) -> None:
    """Two to five parts, loaded in any order or by workers at once: the rows of the whole file,
    ordinals included.
    """
    records, cuts, order = delivery
    home = tmp_path_factory.mktemp("cut")
    mine = any_bench.with_batches(batch)
    await mine.clear()
    ids = await mine.chunks(cut(home / "parts", records, cuts))
    if at_once:
        await mine.race(ids[at] for at in order)
    else:
        for at in order:
            await mine.run(await mine.claim(ids[at]))
    parts = await mine.rows(Schema.TRADES)
    await mine.clear()
    await mine.load(write(home / "whole.dbn", records))
    assert parts == await mine.rows(Schema.TRADES)
