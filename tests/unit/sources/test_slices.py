"""Slices are whole index days, cover the range without a gap, and touch few hypertable chunks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from ingestor.errors import BadJob
from ingestor.model import table_of
from ingestor.simulator.market import DAY, MONDAY, make_bars, make_trades
from ingestor.sources.slices import cut, whole_days
from ingestor.sources.survey import survey
from ingestor.vocabulary import Schema

WEEK = {"end": MONDAY + 7 * DAY}


def slices_of(path, *, chunk_days=None, most=64, bounds=None):
    found = survey(path)
    table = table_of(found.header.schema)
    return cut(found, bounds or whole_days(found), table, chunk_days=chunk_days, most=most)


def edges(slices) -> list[int]:
    """Days after Monday on which the slices begin, and the end of the last."""
    times = [piece.start for piece in slices] + [slices[-1].end]
    return [(time - MONDAY) // DAY for time in times]


def check_cover(slices, records: int) -> None:
    assert sum(piece.contents.records for piece in slices) == records
    assert all(a.end == b.start for a, b in pairwise(slices))


def test_a_file_is_one_slice_by_default(written):
    slices = slices_of(written(make_trades(1_000, days=5), **WEEK))
    assert edges(slices) == [0, 7]
    check_cover(slices, 1_000)


def test_days_are_cut_as_asked_and_a_closed_day_belongs_to_the_one_before(written):
    slices = slices_of(written(make_trades(1_000, days=5), **WEEK), chunk_days=1)
    assert edges(slices) == [0, 1, 2, 3, 4, 7]
    check_cover(slices, 1_000)


def test_windows_count_from_the_first_day_of_the_range(written):
    records = make_trades(1_000, days=5)
    slices = slices_of(written(records[records["ts_recv"] > MONDAY + DAY], **WEEK), chunk_days=2)
    assert edges(slices) == [0, 2, 4, 7]


def test_a_slice_holds_the_contents_of_its_days(written):
    records = make_trades(3_000, days=3)
    second = slices_of(written(records, **WEEK), chunk_days=1)[1].contents
    inside = records[(records["ts_recv"] // DAY) == MONDAY // DAY + 1]
    assert second.records == len(inside)
    assert (second.index_min, second.index_max) == (inside["ts_recv"][0], inside["ts_recv"][-1])
    assert (second.event_min, second.event_max) == (
        inside["ts_event"].min(),
        inside["ts_event"].max(),
    )


def test_undefined_index_times_belong_to_the_last_slice(written):
    slices = slices_of(written(make_trades(100, days=2, undefined=7), **WEEK), chunk_days=1)
    check_cover(slices, 100)
    assert [sum(piece.contents.index_days.values()) for piece in slices] == [
        slices[0].contents.records,
        slices[1].contents.records - 7,
    ]


@pytest.mark.parametrize("most", [1, 2, 3])
def test_no_slice_touches_more_hypertable_chunks_than_allowed(written, most):
    slices = slices_of(written(make_trades(1_000, days=5), **WEEK), most=most)
    check_cover(slices, 1_000)
    assert all(len(piece.contents.event_days) <= most for piece in slices)
    assert len(slices) == -(-5 // most)


def test_events_of_the_day_before_count_too(written):
    """A trade received just past midnight was made just before."""
    records = make_trades(100, days=5)
    records["ts_event"] = records["ts_recv"] // DAY * DAY - 1
    slices = slices_of(written(records, **WEEK), most=2)
    assert edges(slices) == [0, 2, 4, 7]


def test_long_bars_share_their_hypertable_chunk(written):
    records = make_bars(900, Schema.OHLCV_1D)
    path = written(records, schema="ohlcv-1d", end=MONDAY + 1_000 * DAY)
    assert len(slices_of(path, most=2)) == 1


def test_a_day_whose_events_are_spread_too_far_is_refused(written):
    records = make_trades(10)
    records["ts_event"] = MONDAY - np.arange(10, dtype=np.uint64) * np.uint64(30 * DAY)
    with pytest.raises(BadJob, match=r"records of 2024-03-11 .* touch 10 hypertable chunks"):
        slices_of(written(records), most=9)


def test_a_file_without_records_is_one_empty_slice(written):
    [empty] = slices_of(written(make_trades(0), **WEEK))
    assert (empty.contents.records, empty.start, empty.end) == (0, MONDAY, WEEK["end"])


def test_narrower_bounds_leave_records_out(written):
    records = make_trades(1_000, days=5)
    bounds = (MONDAY + DAY, MONDAY + 3 * DAY)
    slices = slices_of(written(records, **WEEK), bounds=bounds, chunk_days=1)
    assert edges(slices) == [1, 2, 3]
    days = records["ts_recv"] // DAY - MONDAY // DAY
    check_cover(slices, int(((days == 1) | (days == 2)).sum()))


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [(0, 1, (0, 1)), (5, DAY - 1, (0, 1)), (5, DAY + 1, (0, 2)), (0, None, (0, 1))],
)
def test_bounds_are_widened_to_whole_days(written, start, end, days):
    records = make_trades(10)
    records["ts_recv"] = MONDAY + 5
    end = None if end is None else MONDAY + max(end, 6)
    found = survey(written(records, start=MONDAY + start, end=end))
    assert whole_days(found) == tuple(MONDAY + day * DAY for day in days)


def test_an_open_empty_file_spans_its_first_day(written):
    found = survey(written(make_trades(0), end=None))
    assert whole_days(found) == (MONDAY, MONDAY + DAY)


def test_a_range_without_length_spans_its_day(written):
    found = survey(written(make_trades(0), end=MONDAY))
    assert whole_days(found) == (MONDAY, MONDAY + DAY)
