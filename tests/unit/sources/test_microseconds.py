"""Records of one index microsecond stay in one array, whatever is read and asked for at once."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.sources.microseconds import together

UNDEFINED = 2**64 - 1
RECORD = np.dtype([("ts_recv", "<u8"), ("what", "<u4")])


def arrays(times: list[int], sizes: list[int]):
    records = np.zeros(len(times), RECORD)
    records["ts_recv"] = times
    positions = np.arange(len(times), dtype=np.uint64)
    edges = np.minimum(np.cumsum([0, *sizes]), len(times)).tolist()
    for start, end in zip(edges, [*edges[1:], len(times)], strict=True):
        if start < end:
            yield records[start:end], positions[start:end]


steps = st.lists(st.sampled_from([0, 1, 400, 999, 1_000, 5_000]), max_size=60)
sizes = st.lists(st.integers(1, 9), max_size=30)


@given(steps, sizes, st.integers(1, 12))
def test_no_microsecond_is_split_and_nothing_is_lost(drawn, read, count):
    times = np.cumsum(drawn, dtype=np.uint64).tolist()
    found = list(together(arrays(times, read), "ts_recv", count))
    positions = np.concatenate([np.empty(0, np.uint64), *[at for _, at in found]])
    assert positions.tolist() == list(range(len(times)))
    ends = [(int(r["ts_recv"][0]) // 1_000, int(r["ts_recv"][-1]) // 1_000) for r, _ in found]
    assert all(a[1] != b[0] for a, b in pairwise(ends))


@given(st.lists(st.sampled_from([0, 1, 1_500, UNDEFINED]), max_size=40), sizes, st.integers(1, 5))
def test_undefined_times_stay_at_their_place_and_split_no_microsecond(drawn, read, count):
    times, now = [], 0
    for step in drawn:
        now += step if step != UNDEFINED else 0
        times.append(UNDEFINED if step == UNDEFINED else now)
    found = list(together(arrays(times, read), "ts_recv", count))
    positions = np.concatenate([np.empty(0, np.uint64), *[at for _, at in found]])
    assert positions.tolist() == list(range(len(times)))
    seen: set[int] = set()
    for records, _ in found:
        own = {int(t) // 1_000 for t in records["ts_recv"] if t != UNDEFINED}
        assert own.isdisjoint(seen)
        seen |= own


def test_undefined_times_without_end_are_not_gathered_in_memory():
    sizes_found = [
        len(r) for r, _ in together(arrays([UNDEFINED] * 3_000_000, [50_000] * 59), "ts_recv", 9)
    ]
    assert sum(sizes_found) == 3_000_000
    assert max(sizes_found) < 1_200_000


def test_arrays_hold_about_the_count_that_was_asked_for():
    times = list(range(0, 10_000_000, 1_000))
    sizes_found = [len(r) for r, _ in together(arrays(times, [4_096] * 9), "ts_recv", 100)]
    assert max(sizes_found) <= 112
    assert min(sizes_found[:30]) >= 90


@pytest.mark.timeout(20)
def test_seventy_thousand_repeats_of_one_microsecond_are_one_array_whatever_the_read():
    times = [5] * 70_000 + [9_000]
    found = [len(r) for r, _ in together(arrays(times, [7] * 10_000), "ts_recv", 1)]
    assert found == [70_000, 1]
