"""A day's statistics: the handful of shapes that a table of them has to hold."""

from __future__ import annotations

import databento
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.dbn import Header
from ingestor.simulator.dbn_writer import encode_dbn
from ingestor.simulator.listings import DATASETS, listings
from ingestor.simulator.market import DAY, INSTRUMENTS, MONDAY, UNDEFINED_TIME
from ingestor.simulator.statistics import PER_DAY, UNKNOWN_TYPE, statistics_of_day

TODAY = MONDAY // DAY
UNDEFINED = 2**63 - 1
SETTLEMENT, OPEN_INTEREST, LOW, HIGH, VOLUME = 3, 9, 4, 5, 6
MADE = statistics_of_day(INSTRUMENTS[0], TODAY, 0)


def of(stat_type):
    return MADE[MADE["stat_type"] == stat_type]


@given(st.sampled_from(INSTRUMENTS), st.integers(TODAY - 500, TODAY + 500), st.integers(0, 2**32))
def test_a_day_s_statistics_are_in_order_and_within_it(instrument, day, seed):
    made = statistics_of_day(instrument, day, seed)
    received = made["ts_recv"]
    assert len(made) == PER_DAY
    assert (received[1:] >= received[:-1]).all()
    for time in (received, made["ts_event"]):
        assert (time // DAY == day).all()
    assert (made["ts_event"] < received).all()
    assert set(made["instrument_id"]) == {instrument.instrument_id}
    assert made.tobytes() == statistics_of_day(instrument, day, seed).tobytes()


def test_another_seed_makes_other_values():
    other = statistics_of_day(INSTRUMENTS[0], TODAY, 1)
    assert MADE["price"].tolist() != other["price"].tolist()
    assert MADE["stat_type"].tolist() == other["stat_type"].tolist()


def test_settlements_are_of_the_day_before():
    assert of(SETTLEMENT)["ts_ref"].tolist() == [MONDAY - DAY]
    assert (of(SETTLEMENT)["price"] % INSTRUMENTS[0].tick == 0).all()


def test_a_value_is_a_price_or_a_quantity_and_the_other_is_undefined():
    assert (of(OPEN_INTEREST)["price"] == UNDEFINED).all()
    assert (of(OPEN_INTEREST)["quantity"] < UNDEFINED).all()
    assert (of(VOLUME)["ts_ref"] == MONDAY).all()
    assert (of(SETTLEMENT)["quantity"] == UNDEFINED).all()
    assert (of(LOW)["ts_ref"] == UNDEFINED_TIME).all()
    unknown = of(UNKNOWN_TYPE)
    assert (unknown["price"] < UNDEFINED).all()
    assert (unknown["quantity"] < 500).all()


def test_one_is_sent_twice_and_one_is_taken_back():
    assert len(of(OPEN_INTEREST)) == 2
    assert len(np.unique(of(OPEN_INTEREST))) == 1
    low = of(LOW)
    assert low["update_action"].tolist() == [1, 1, 2, 1]
    assert low["price"][1] == low["price"][2]


def test_several_come_in_one_microsecond_and_some_at_once():
    """Then only type and sequence tell them apart."""
    received = MADE["ts_recv"]
    _, counts = np.unique(received // 1_000, return_counts=True)
    assert sorted(counts.tolist()) == [1, 1, 1, 2, 2, 2, 3]
    assert len(np.unique(received)) == PER_DAY - 2
    low, high = (MADE[MADE["stat_type"] == each][0] for each in (LOW, HIGH))
    assert (low["ts_recv"], low["ts_event"]) == (high["ts_recv"], high["ts_event"])
    assert len(np.unique(MADE[["ts_recv", "stat_type", "sequence"]])) == PER_DAY - 1


def test_a_venue_without_channels_leaves_the_channel_undefined():
    [apple] = [each for each in listings("XNAS.ITCH") if each.symbol == "AAPL"]
    [instrument] = apple.instruments(TODAY)
    assert (statistics_of_day(instrument, TODAY, 0)["channel_id"] == 2**16 - 1).all()
    assert (MADE["channel_id"] < 3).all()


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_client_decodes_every_statistic(dataset):
    listed = [each for each in listings(dataset) if each.first <= TODAY < each.past]
    records = np.concatenate(
        [statistics_of_day(one, TODAY, 0) for each in listed for one in each.instruments(TODAY)]
    )
    header = Header(dataset=dataset, schema="statistics", start=MONDAY, end=MONDAY + DAY)
    found = list(databento.DBNStore.from_bytes(encode_dbn(header, records)))
    assert [int(each.stat_type) for each in found] == records["stat_type"].tolist()
    assert [each.quantity for each in found] == records["quantity"].tolist()
