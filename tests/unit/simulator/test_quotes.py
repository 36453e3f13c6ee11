"""The book around made trades: the trades themselves, untouched, and a bid below an ask."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.simulator.market import INSTRUMENTS, MONDAY, trades_of_day
from ingestor.simulator.quotes import UNDEFINED_PRICE, quoted

DAY = MONDAY // 86_400_000_000_000
ESM4 = INSTRUMENTS[0]
HEAD = ("length", "rtype")


def both(count=5_000, instrument=ESM4, seed=0, **cut):
    trades = trades_of_day(instrument, DAY, seed, count, **cut)
    return trades, quoted(trades, instrument, DAY, seed, **cut)


@given(st.sampled_from(INSTRUMENTS), st.integers(0, 300), st.integers(0, 9), st.integers(1, 3))
def test_the_trades_stay_as_they_are(instrument, count, seed, parts):
    for part in range(parts):
        trades, quotes = both(count, instrument, seed, part=part, parts=parts)
        for name in set(trades.dtype.names) - set(HEAD):
            assert (quotes[name] == trades[name]).all(), name


def test_the_same_seed_makes_the_same_book_and_another_another():
    assert both()[1].tobytes() == both()[1].tobytes()
    sizes = [both(seed=seed)[1]["bid_sz_00"].tolist() for seed in (1, 2)]
    assert sizes[0] != sizes[1]


def test_the_parts_of_a_day_have_books_of_their_own():
    first, second = (both(part=part, parts=2)[1] for part in (0, 1))
    assert first["ask_sz_00"].tolist() != second["ask_sz_00"].tolist()


def test_a_buyer_pays_the_ask_and_a_seller_gets_the_bid():
    _, quotes = both()
    bid, ask = quotes["bid_px_00"], quotes["ask_px_00"]
    there = (bid != UNDEFINED_PRICE) & (ask != UNDEFINED_PRICE)
    assert (bid[there] < ask[there]).all()
    buys, sells = quotes["side"] == b"B", quotes["side"] == b"A"
    assert (ask[there & buys] == quotes["price"][there & buys]).all()
    assert (bid[there & sells] == quotes["price"][there & sells]).all()
    neither = there & ~buys & ~sells
    assert neither.any()
    price = quotes["price"][neither]
    assert ((bid[neither] < price) & (price < ask[neither])).all()
    assert (ask[there] % ESM4.tick == 0).all()


@pytest.mark.parametrize("side", ["bid", "ask"])
def test_a_side_that_is_empty_has_no_price_no_size_and_no_orders(side):
    _, quotes = both()
    empty = quotes[f"{side}_px_00"] == UNDEFINED_PRICE
    assert 0.01 < empty.mean() < 0.03
    for name in ("sz", "ct"):
        values = quotes[f"{side}_{name}_00"]
        assert (values[empty] == 0).all()
        assert (values[~empty] > 0).all()
    assert (quotes[f"{side}_ct_00"] <= quotes[f"{side}_sz_00"]).all()


def test_trades_that_are_alike_have_the_same_book():
    """Else nothing delivered twice would be alike in every field."""
    trades, quotes = both()
    alike = trades[1:] == trades[:-1]
    assert alike.sum() > 10
    assert (quotes[1:][alike] == quotes[:-1][alike]).all()
    assert len(np.unique(quotes[["bid_sz_00", "ask_sz_00", "bid_ct_00"]])) > 500
