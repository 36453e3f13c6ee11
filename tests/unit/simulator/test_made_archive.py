"""The made-up market: one whole, of which every request is a part."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestor.dbn import index_field
from ingestor.simulator import market
from ingestor.simulator.archive import Selection
from ingestor.simulator.calendar import number
from ingestor.simulator.made_archive import SERVED, SLICE_RECORDS, MadeArchive, Terms, part_counts
from ingestor.simulator.market import DAY, INSTRUMENTS, MONDAY
from ingestor.simulator.statistics import PER_DAY

FIRST, PAST = number(dt.date(2024, 1, 1)), number(dt.date(2025, 7, 1))
UNDEFINED = 2**63 - 1


def archive(per_day=40, seed=0):
    return MadeArchive(Terms(seed, per_day), FIRST, PAST)


def everything(dataset="GLBX.MDP3", schema="trades", start=MONDAY, end=MONDAY + DAY):
    return Selection(dataset, schema, start, end, None)


def made(archive, selection):
    parts = list(archive.slices(selection))
    return np.concatenate(parts) if parts else np.empty(0)


def of(archive, symbols, stype="raw_symbol", **keywords):
    """A selection by symbols."""
    selection = everything(**keywords)
    book = archive.book(selection.dataset)
    days = selection.days
    found = book.resolve(symbols, stype, days.start, days.stop)
    return replace(selection, stretches=found.selected)


@pytest.mark.parametrize("schema", SERVED)
def test_whole_days_are_counted_without_making_a_record(schema, monkeypatch):
    market_of = archive(per_day=30_000)
    wanted = everything(schema=schema, end=MONDAY + 9 * DAY)
    expected = len(made(market_of, wanted))

    def never(*_):
        raise AssertionError("records were made")

    monkeypatch.setattr(MadeArchive, "_slices_of_day", never)
    assert market_of.count(wanted) == expected > 0


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(SERVED),
    st.sampled_from(["GLBX.MDP3", "XNAS.ITCH", "OPRA.PILLAR"]),
    st.integers(0, 4 * DAY),
    st.integers(1, 3 * DAY),
    st.sampled_from([0, 1, 40, 3_000]),
)
def test_what_is_counted_is_what_is_streamed_whatever_the_bounds(
    schema, dataset, start, length, per_day
):
    market_of = archive(per_day)
    begin = MONDAY + start
    wanted = everything(dataset, schema, begin, begin + length)
    records = made(market_of, wanted)
    assert market_of.count(wanted) == len(records)
    if len(records):
        times = records[index_field(schema)]
        assert begin <= times.min() <= times.max() < begin + length
        assert (times[1:] >= times[:-1]).all()


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(SERVED),
    st.integers(1, 2 * DAY - 1),
    st.sampled_from([["ESM4"], ["NQM4", "ESM4-ESU4"], ["ESM4", "ESH4", "NQU4"]]),
    st.sampled_from([40, SLICE_RECORDS + 1]),
)
def test_parts_of_a_request_add_up_to_the_whole(schema, cut, symbols, per_day):
    """In time and in symbols: this is what chunks of a job are."""
    market_of = archive(per_day)
    start, end = MONDAY, MONDAY + 2 * DAY
    whole = made(market_of, of(market_of, symbols, schema=schema, start=start, end=end))
    early = made(market_of, of(market_of, symbols, schema=schema, start=start, end=start + cut))
    late = made(market_of, of(market_of, symbols, schema=schema, start=start + cut, end=end))
    assert early.tobytes() + late.tobytes() == whole.tobytes()
    one = of(market_of, symbols[:1], schema=schema, start=start, end=end)
    mine = np.isin(whole["instrument_id"], [each.instrument_id for each in one.stretches])
    assert made(market_of, one).tobytes() == whole[mine].tobytes()


@pytest.mark.parametrize("schema", ["trades", "tbbo", "ohlcv-1s", "ohlcv-1m"])
def test_no_record_is_lost_where_the_parts_of_a_day_meet(schema):
    market_of = archive(4 * SLICE_RECORDS)
    whole = made(market_of, of(market_of, ["ESM4"], schema=schema))
    width = market.WIDTHS.get(schema, 1)
    for part in range(1, 4):
        border = MONDAY + market.part_bounds(part, 4)[0]
        for cut in (border - DAY // 100, border - width, border, border + 1, border + width):
            early = made(market_of, of(market_of, ["ESM4"], schema=schema, end=cut))
            late = made(market_of, of(market_of, ["ESM4"], schema=schema, start=cut))
            assert early.tobytes() + late.tobytes() == whole.tobytes()


def test_small_days_hold_the_trades_of_the_market():
    """Tests can say what a gateway must deliver without asking it."""
    market_of = archive(per_day=100, seed=7)
    symbols = [each.symbol for each in INSTRUMENTS]
    found = made(market_of, of(market_of, symbols, end=MONDAY + 2 * DAY))
    expected = market.trades(INSTRUMENTS, MONDAY, MONDAY + 2 * DAY, seed=7, per_day=100)
    assert found.tobytes() == expected.tobytes()


def test_another_seed_makes_other_records_of_the_same_number():
    wanted = everything()
    first, second = (made(archive(seed=seed), wanted) for seed in (1, 2))
    assert len(first) == len(second)
    assert first.tobytes() != second.tobytes()


def test_large_days_come_in_slices_of_bounded_size():
    market_of = archive(per_day=5 * SLICE_RECORDS)
    slices = [len(each) for each in market_of.slices(everything())]
    instruments = len({*made(market_of, everything())["instrument_id"]})
    assert len(slices) == 5
    assert max(slices) <= SLICE_RECORDS * instruments
    assert sum(slices) == market_of.count(everything())


@given(st.sampled_from(["trades", "tbbo", *market.WIDTHS]), st.integers(0, 200_000))
def test_parts_of_a_day_are_small_and_add_up(schema, per_day):
    counts = part_counts(schema, per_day)
    width = market.WIDTHS.get(schema)
    most = per_day if width is None else min(per_day, DAY // width)
    assert max(counts) <= SLICE_RECORDS
    assert most - len(counts) <= sum(counts) <= most


def test_prices_are_on_tick_and_a_spread_s_are_below_zero():
    records = made(archive(200), of(archive(200), ["ESM4-ESU4"]))
    assert (records["price"] % 50_000_000 == 0).all()
    assert (records["price"] < 0).any()


def test_one_id_means_two_instruments_in_two_datasets_on_one_day():
    market_of = archive()
    nasdaq = of(market_of, ["MSFT"], dataset="XNAS.ITCH").stretches
    futures = of(market_of, ["NQM4"]).stretches
    assert {each.instrument_id for each in nasdaq} == {each.instrument_id for each in futures}


def test_an_id_is_given_anew_to_another_symbol():
    market_of = archive()
    later = MONDAY + 4 * DAY
    was = of(market_of, ["9001"], "instrument_id", dataset="XNAS.ITCH")
    becomes = of(
        market_of, ["9001"], "instrument_id", dataset="XNAS.ITCH", start=later, end=later + DAY
    )
    assert [each.symbol for each in was.stretches] == ["OLDCO"]
    assert [each.symbol for each in becomes.stretches] == ["LATER"]
    assert set(made(market_of, becomes)["instrument_id"]) == {9001}


def test_a_symbol_s_id_is_another_every_day():
    market_of = archive()
    wanted = of(market_of, ["NVDA"], dataset="XNAS.ITCH", end=MONDAY + 5 * DAY)
    records = made(market_of, wanted)
    by_day = {
        day: set(records["instrument_id"][records["ts_recv"] // DAY == day])
        for day in set(records["ts_recv"] // DAY)
    }
    assert len(by_day) == 5
    assert all(len(ids) == 1 for ids in by_day.values())
    assert len(set.union(*by_day.values())) == 5


def test_several_publishers_trade_one_option():
    symbol = "AAPL  250221C00250000"
    market_of = archive()
    records = made(market_of, of(market_of, [symbol], dataset="OPRA.PILLAR"))
    assert set(records["publisher_id"]) == {20, 22, 30}
    assert len(set(records["instrument_id"])) == 1


@pytest.mark.parametrize("schema", ["trades", "tbbo"])
def test_some_trades_have_no_price(schema):
    wanted = of(archive(2_000), ["MSFT"], dataset="XNAS.ITCH", schema=schema)
    records = made(archive(2_000), wanted)
    assert (records["price"] == UNDEFINED).sum() == 4


@pytest.mark.parametrize("dataset", ["GLBX.MDP3", "XNAS.ITCH", "OPRA.PILLAR"])
def test_quotes_are_those_of_the_trades(dataset):
    """The same records in the same order, however many parts a day has."""
    market_of = archive(SLICE_RECORDS + 1)
    trades = made(market_of, everything(dataset))
    quotes = made(market_of, everything(dataset, "tbbo"))
    shared = list(set(trades.dtype.names) - {"length", "rtype"})
    assert (trades[shared] == quotes[shared]).all()


def test_every_publisher_has_statistics_of_every_instrument():
    records = made(archive(), everything("OPRA.PILLAR", "statistics"))
    options = len(made(archive(), everything("OPRA.PILLAR", "definition")))
    assert len(records) == 3 * options * PER_DAY
    assert set(records["publisher_id"]) == {20, 22, 30}


@pytest.mark.parametrize("schema", ["statistics", "definition"])
def test_how_many_trades_a_day_has_is_nothing_to_what_a_venue_publishes(schema):
    found = [made(archive(per_day), everything(schema=schema)) for per_day in (0, 3_000)]
    assert found[0].tobytes() == found[1].tobytes()
    assert len(found[0]) > 0


def test_a_continuous_symbol_rolls_from_contract_to_contract():
    market_of = archive()
    wanted = of(market_of, ["ES.c.0"], "continuous", end=MONDAY + 8 * DAY)
    assert [each.symbol for each in wanted.stretches] == ["ESH4", "ESM4"]
    assert wanted.stretches[0].past == wanted.stretches[1].first == number(dt.date(2024, 3, 16))
    ahead = of(market_of, ["ES.c.1"], "continuous")
    assert [each.symbol for each in ahead.stretches] == ["ESM4"]
    early = of(market_of, ["ES.v.0"], "continuous")
    assert [each.symbol for each in early.stretches] == ["ESM4"]


def test_a_contract_that_has_expired_has_no_records():
    market_of = archive()
    week = made(market_of, of(market_of, ["ESH4"], end=MONDAY + 9 * DAY))
    assert week["ts_recv"].max() // DAY == number(dt.date(2024, 3, 15))


def test_a_corrected_day_has_other_records_and_the_other_days_have_not():
    market_of = archive()
    wanted = everything(end=MONDAY + 2 * DAY)
    before = made(market_of, wanted)
    market_of.corrected["GLBX.MDP3", MONDAY // DAY] = Terms(9, 30)
    after = made(market_of, wanted)
    assert market_of.count(wanted) == len(after) < len(before)
    tuesday = [each[each["ts_recv"] >= MONDAY + DAY].tobytes() for each in (before, after)]
    assert tuesday[0] == tuesday[1]
    assert (
        made(market_of, everything("XNAS.ITCH")).tobytes()
        == made(archive(), everything("XNAS.ITCH")).tobytes()
    )
