"""Made market data: the same for the same seed, and as awkward as real data."""

from __future__ import annotations

import numpy as np
import pytest

from ingestor.simulator.market import (
    DAY,
    INSTRUMENTS,
    MONDAY,
    UNDEFINED_TIME,
    WIDTHS,
    bars,
    make_bars,
    make_trades,
    trades,
)

TRADES = make_trades(30_000)
KEY = ["instrument_id", "ts_event", "ts_recv", "sequence", "publisher_id"]


def test_the_same_seed_makes_the_same_trades():
    assert TRADES.tobytes() == make_trades(30_000).tobytes()
    assert TRADES.tobytes() != make_trades(30_000, seed=1).tobytes()


def test_a_part_of_a_range_or_of_the_instruments_is_that_part_of_the_whole():
    """So that a gateway can answer any request out of one market."""
    whole = trades(INSTRUMENTS, MONDAY, MONDAY + 3 * DAY, seed=5, per_day=200)
    day = trades(INSTRUMENTS, MONDAY + DAY, MONDAY + 2 * DAY, seed=5, per_day=200)
    inside = (whole["ts_recv"] // DAY) == MONDAY // DAY + 1
    assert day.tobytes() == whole[inside].tobytes()
    one = trades(INSTRUMENTS[:1], MONDAY, MONDAY + 3 * DAY, seed=5, per_day=200)
    mine = whole["instrument_id"] == INSTRUMENTS[0].instrument_id
    assert one.tobytes() == whole[mine].tobytes()


@pytest.mark.parametrize("count", [0, 1, 7, 1_000])
def test_as_many_are_made_as_asked(count):
    assert len(make_trades(count, days=3)) == count
    assert len(make_bars(count)) == count


def test_trades_are_ordered_by_ts_recv_within_their_day():
    recv = TRADES["ts_recv"]
    assert (recv[1:] >= recv[:-1]).all()
    assert (recv // DAY == MONDAY // DAY).all()
    assert (TRADES["ts_event"] < recv).all()


def test_some_trades_repeat_a_key_and_some_repeat_everything():
    assert 0.005 < 1 - len(np.unique(TRADES[KEY])) / len(TRADES) < 0.05
    assert len(np.unique(TRADES)) < len(TRADES)


def test_some_trades_differ_only_in_nanoseconds():
    coarse = TRADES[KEY].copy()
    coarse["ts_recv"] //= np.uint64(1_000)
    assert len(np.unique(coarse)) < len(np.unique(TRADES[KEY]))


def test_some_prices_are_below_zero():
    assert (TRADES["price"] < 0).any()


def test_undefined_times_are_made_as_asked():
    assert (make_trades(500, undefined=9)["ts_recv"] == UNDEFINED_TIME).sum() == 9


@pytest.mark.parametrize(("schema", "width"), WIDTHS.items())
def test_bars_begin_on_their_width_and_hold_their_prices(schema, width):
    made = make_bars(2_000, schema)
    assert (made["ts_event"] % width == 0).all()
    assert (made["ts_event"][1:] >= made["ts_event"][:-1]).all()
    assert (made["high"] >= np.maximum(made["open"], made["close"])).all()
    assert (made["low"] <= np.minimum(made["open"], made["close"])).all()
    assert len(np.unique(made[["instrument_id", "ts_event"]])) == len(made)


def test_no_market_is_open_on_a_weekend():
    made = bars("ohlcv-1d", INSTRUMENTS, MONDAY, MONDAY + 14 * DAY, seed=0, per_day=1)
    days = np.unique(made["ts_event"] // DAY) - MONDAY // DAY
    assert days.tolist() == [0, 1, 2, 3, 4, 7, 8, 9, 10, 11]
