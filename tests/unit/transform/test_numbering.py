"""Numbering over batches as a source delivers them, against a naive count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.model import table_of
from ingestor.sources.microseconds import together
from ingestor.transform import ordinals
from ingestor.transform.ordinals import numbering_of
from ingestor.vocabulary import Schema

TRADES = table_of(Schema.TRADES)
BARS = table_of(Schema.OHLCV_1M)
KEY = [name for name in TRADES.key if name != "ordinal"]
WIRE = np.dtype([(name, TRADES[name].kind.frame) for name in KEY])


def naive(records: np.ndarray, before: np.ndarray | None = None) -> list[int]:
    """How many records of the same key came earlier, one by one."""
    seen: Counter[tuple[int, ...]] = Counter()
    numbers = []
    for record in np.concatenate([records[:0] if before is None else before, records]):
        key = tuple(
            int(record[name]) // 1000 if name.startswith("ts_") else int(record[name])
            for name in KEY
        )
        numbers.append(seen[key])
        seen[key] += 1
    return numbers[len(numbers) - len(records) :]


def columns(records: np.ndarray) -> dict[str, Any]:
    return {name: np.ascontiguousarray(records[name]) for name in KEY}


def batches(records: np.ndarray, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """As a source delivers them: no index microsecond is split."""
    places = np.arange(len(records), dtype=np.uint64)
    pieces = [
        (records[at : at + count], places[at : at + count]) for at in range(0, len(records), count)
    ]
    return together(pieces, "ts_recv", count)


def numbered(
    records: np.ndarray, count: int, *, before: np.ndarray | None = None, ordered: bool = True
) -> list[int]:
    numbering = numbering_of(
        TRADES,
        ordered=ordered,
        before=None if before is None else columns(before),
        everything=None
        if ordered
        else (columns(records), np.arange(len(records), dtype=np.uint64)),
    )
    found = np.full(len(records), -1)
    for part, places in batches(records, count):
        found[places] = numbering.ordinals(columns(part), places)
    return found.tolist()


def trades(count: int) -> np.ndarray:
    return np.zeros(count, WIRE)


@st.composite
def some(draw: st.DrawFn, *, ordered: bool) -> np.ndarray:
    """Records with few distinct keys, and times that differ below the microsecond."""
    drawn = draw(st.lists(st.tuples(st.integers(0, 4500), st.sampled_from([0, 1, 2**32 - 1]))))
    made = trades(len(drawn))
    times = [time for time, _ in drawn]
    made["ts_recv"] = sorted(times) if ordered else times
    made["sequence"] = [sequence for _, sequence in drawn]
    return made


sizes = st.sampled_from([1, 2, 7, 65_536])


@given(records=some(ordered=True), count=sizes)
def test_an_ordered_payload_is_numbered_as_a_naive_count_does(
    records: np.ndarray, count: int
) -> None:
    """0, 1, 2 … among records of one key in delivery order, whatever the batch size."""
    assert numbered(records, count) == naive(records)


@given(records=some(ordered=False), count=sizes)
def test_a_payload_out_of_order_is_numbered_over_the_whole(records: np.ndarray, count: int) -> None:
    """Repeats may lie anywhere, so all records are numbered before the first batch is made."""
    assert numbered(records, count, ordered=False) == naive(records)


@given(before=some(ordered=True), records=some(ordered=True), count=sizes)
def test_numbers_go_on_from_the_parts_before(
    before: np.ndarray, records: np.ndarray, count: int
) -> None:
    """Wherever a batch meets a microsecond of a preceding part, not in the first batch only."""
    assert numbered(records, count, before=before) == naive(records, before)


@given(before=some(ordered=False), records=some(ordered=False), count=sizes)
def test_numbers_go_on_from_the_parts_before_out_of_order(
    before: np.ndarray, records: np.ndarray, count: int
) -> None:
    """The same where the payload is out of order."""
    assert numbered(records, count, before=before, ordered=False) == naive(records, before)


def test_a_batch_of_undefined_times_does_not_use_up_the_parts_before() -> None:
    """Records whose index timestamp is undefined may come first; the rest still go on."""
    before, records = trades(2), trades(3)
    records["ts_recv"][:2] = 2**64 - 1
    numbering = numbering_of(TRADES, ordered=True, before=columns(before))
    numbering.ordinals(columns(records[:2]), np.arange(2, dtype=np.uint64))
    last = numbering.ordinals(columns(records[2:]), np.array([2], np.uint64))
    assert last.tolist() == [2]


@pytest.mark.parametrize("apart", [1, 64, 65, 100_000])
@pytest.mark.parametrize("count", [7, 65_536])
def test_a_repeat_is_found_however_far_away(apart: int, count: int) -> None:
    """Within one microsecond, across batches of any size."""
    records = trades(apart + 1)
    records["sequence"] = np.arange(apart + 1)
    records["sequence"][-1] = 0
    assert numbered(records, count)[-1] == 1


@pytest.mark.parametrize("column", KEY)
def test_every_key_column_tells_records_apart(column: str) -> None:
    """Equal in all other key columns."""
    records = trades(2)
    records[column][1] = 5_000
    assert numbered(records, 7) == [0, 0]


def test_no_records_have_no_numbers() -> None:
    """An empty batch is one."""
    assert ordinals.number([np.array([], np.int64)], TRADES).tolist() == []


def test_bars_count_repeats_too() -> None:
    """Their key has no ordinal: whatever is not 0 will be refused as a repeat."""
    keys = {name: np.zeros(2, BARS[name].kind.frame) for name in BARS.key}
    numbering = numbering_of(BARS, ordered=True, before=None)
    assert numbering.ordinals(keys, np.arange(2, dtype=np.uint64)).tolist() == [0, 1]
