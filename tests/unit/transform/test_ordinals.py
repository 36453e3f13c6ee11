"""Ordinals tell records of one key apart, in delivery order, however the payload is batched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.errors import Unstorable
from ingestor.model.tables.trades import TRADES
from ingestor.transform import ordinals
from ingestor.transform.ordinals import Adjacent, Columns, key_columns, number, numbering_of

KEY = ("instrument_id", "ts_event", "ts_recv", "sequence", "publisher_id")
DTYPE = {"instrument_id": "u4", "ts_event": "u8", "ts_recv": "u8", "sequence": "u4",
         "publisher_id": "u2"}  # fmt: skip


def columns(rows: list[tuple[int, ...]]) -> Columns:
    """Key columns of records given as tuples in the order of KEY, times in nanoseconds."""
    table = np.array(rows, dtype=np.uint64).reshape(len(rows), len(KEY))
    return {name: table[:, at].astype(DTYPE[name]) for at, name in enumerate(KEY)}


def reference(rows: list[tuple[int, ...]]) -> list[int]:
    """The running count of each key, written as plainly as possible."""
    seen: Counter[tuple[int, ...]] = Counter()
    numbers = []
    for instrument, event, recv, sequence, publisher in rows:
        key = (instrument, event // 1000, recv // 1000, sequence, publisher)
        numbers.append(seen[key])
        seen[key] += 1
    return numbers


def places(count: int, first: int = 0) -> np.ndarray[Any, np.dtype[np.uint64]]:
    return np.arange(first, first + count, dtype=np.uint64)


def whole_instants(rows: list[tuple[int, ...]], size: int) -> Iterator[list[tuple[int, ...]]]:
    """Cuts ordered records into batches of about `size` that split no index microsecond."""
    batch: list[tuple[int, ...]] = []
    for row in rows:
        if len(batch) >= size and row[2] // 1000 != batch[-1][2] // 1000:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


record = st.tuples(
    st.integers(1, 3), st.integers(0, 3000), st.integers(0, 5000), st.integers(0, 1),
    st.integers(1, 2),
)  # fmt: skip


@given(st.lists(record, min_size=1, max_size=80), st.sampled_from([1, 2, 7, 65_536]))
def test_batches_of_any_size_are_numbered_as_the_whole_would_be(
    rows: list[tuple[int, ...]], size: int
) -> None:
    rows.sort(key=lambda row: row[2])
    numbering = Adjacent(TRADES)
    found = [
        n
        for batch in whole_instants(rows, size)
        for n in numbering.ordinals(columns(batch), places(len(batch))).tolist()
    ]
    assert found == reference(rows)


@given(st.lists(record, min_size=1, max_size=80))
def test_an_unordered_payload_is_numbered_over_all_of_its_records(
    rows: list[tuple[int, ...]],
) -> None:
    everything = (columns(rows), places(len(rows)))
    numbering = numbering_of(TRADES, ordered=False, before=None, everything=everything)
    assert [int(numbering.ordinals({}, places(1, at))[0]) for at in range(len(rows))] == reference(
        rows
    )


@given(st.lists(record, max_size=30), st.lists(record, min_size=1, max_size=30))
def test_records_of_a_preceding_part_are_counted_first(
    before: list[tuple[int, ...]], rows: list[tuple[int, ...]]
) -> None:
    numbering = Adjacent(TRADES, columns(before))
    found = numbering.ordinals(columns(rows), places(len(rows))).tolist()
    assert found == reference(before + rows)[len(before) :]


def test_a_preceding_part_counts_in_its_own_microseconds_only() -> None:
    first, later = (1, 0, 0, 0, 1), (1, 0, 1_000, 0, 1)
    numbering = Adjacent(TRADES, columns([first]))
    assert numbering.ordinals(columns([first]), places(1)).tolist() == [1]
    assert numbering.ordinals(columns([later]), places(1)).tolist() == [0]


@pytest.mark.parametrize("apart", [1, 64, 65, 100_000])
def test_repeats_are_found_however_far_apart(apart: int) -> None:
    rows = np.arange(apart + 1, dtype=np.uint64)
    rows[-1] = rows[0]
    found = number([rows, np.zeros_like(rows)], TRADES)
    assert found[-1] == 1
    assert found[:-1].max() == 0


def test_seventy_thousand_different_records_of_one_microsecond_are_all_first() -> None:
    found = number([np.zeros(70_000, np.uint64), np.arange(70_000, dtype=np.uint64)], TRADES)
    assert found.max() == 0


def test_as_many_repeats_as_a_smallint_counts_can_be_told_apart() -> None:
    found = number([np.zeros(32_768, np.uint64)], TRADES)
    assert found.tolist() == list(range(32_768))


def test_one_repeat_more_is_refused() -> None:
    """Silently wrapped, it would overwrite another trade."""
    with pytest.raises(Unstorable, match="32769 records of trades_data share one key"):
        number([np.zeros(32_769, np.uint64)], TRADES)


def test_trades_that_differ_in_nanoseconds_only_share_a_key() -> None:
    rows = [(1, 1_000, 2_000, 5, 1), (1, 1_999, 2_001, 5, 1)]
    assert Adjacent(TRADES).ordinals(columns(rows), places(2)).tolist() == [0, 1]


def test_the_key_is_cut_to_the_microsecond_as_the_table_keeps_it() -> None:
    cut = key_columns(TRADES, columns([(1, 1_999, 2_500, 5, 1)]))
    assert (int(cut["ts_event"][0]), int(cut["ts_recv"][0])) == (1, 2)


def test_keys_whose_hashes_collide_are_compared_for_real(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordinals, "_hash", lambda keys: np.zeros(len(keys[0]), np.uint64))
    found = number([np.array([3, 1, 3, 2, 1], np.uint64)], TRADES)
    assert found.tolist() == [0, 0, 1, 0, 1]
