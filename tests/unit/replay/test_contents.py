"""What single records hold together is what a check pass over them would find."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.job import Contents
from ingestor.model import STORED, table_of
from ingestor.model.frame import Frame
from ingestor.replay.contents import contents_of
from ingestor.sources.tally import EVERYTHING, Tally, merged
from ingestor.vocabulary import Schema
from tests.records import arbitrary, mapping_of


def frame(schema: Schema, records: np.ndarray) -> Frame:
    count = len(records)
    position, ordinal = np.arange(count, dtype=np.uint64), np.zeros(count, np.int16)
    return Frame(table_of(schema), mapping_of(schema).columns(records), records, position, ordinal)


def test_nothing_holds_nothing() -> None:
    """No frame, or none of its records."""
    none = arbitrary(Schema.TRADES, 0, np.random.default_rng(1))

    assert contents_of([]) == Contents(records=0)
    assert contents_of([frame(Schema.TRADES, none)]) == Contents(records=0, ordered=False)


@pytest.mark.parametrize("schema", [Schema.TRADES, Schema.OHLCV_1D, Schema.DEFINITION])
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 40), cut=st.integers(0, 40))
def test_contents_are_those_of_the_tally(schema: Schema, seed: int, count: int, cut: int) -> None:
    """Records with all times defined, in one frame or two; of order nothing is said."""
    made = arbitrary(schema, count, np.random.default_rng(seed))
    columns = mapping_of(schema).columns(made)
    index = columns[table_of(schema).index_column]
    records = made[(index != 2**64 - 1) & (columns["ts_event"] != 2**64 - 1)]
    found = contents_of(
        [frame(schema, part) for part in np.split(records, [min(cut, len(records))])]
    )
    tally = Tally("ts_event" if schema is Schema.OHLCV_1D else "ts_recv", EVERYTHING)
    if len(records):
        tally.add(records)
    expected = tally.contents(merged(tally.rows))

    assert schema in STORED
    assert not found.ordered
    for name in Contents.__slots__:
        if name != "ordered":
            assert getattr(found, name) == getattr(expected, name), name


def test_undefined_times_are_of_no_day() -> None:
    """They count as records, and bound nothing."""
    records = arbitrary(Schema.DEFINITION, 3, np.random.default_rng(1))
    records["ts_recv"] = [5, 2**64 - 1, 86_400 * 10**9]
    records["ts_event"] = 2**64 - 1
    found = contents_of([frame(Schema.DEFINITION, records)])

    assert (found.records, found.index_min, found.index_max) == (3, 5, 86_400 * 10**9)
    assert (found.event_min, found.event_days, found.index_days) == (None, (), {0: 1, 1: 1})
