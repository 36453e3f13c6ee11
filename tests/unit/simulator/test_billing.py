"""What records cost, and the bill."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.simulator.billing import Till, billable_size, cost, unit_price

lines = st.lists(
    st.tuples(
        st.sampled_from(["GLBX.MDP3", "OPRA.PILLAR"]),
        st.sampled_from(["trades", "ohlcv-1d"]),
        st.integers(0, 10**6),
    )
)


def test_a_gigabyte_is_two_to_the_thirty():
    """The provider's own example: 99,219,648 bytes at 28 USD cost 2.587353944778."""
    assert cost("GLBX.MDP3", "trades", 99_219_648) == pytest.approx(2.587353944778, abs=1e-12)
    assert cost("GLBX.MDP3", "trades", 2**30) == unit_price("GLBX.MDP3", "trades") == 28.0


def test_records_are_billed_as_their_uncompressed_size():
    assert billable_size("trades", 3, 10) == 480
    assert billable_size("ohlcv-1d", 3, 10) == 560
    assert billable_size("definition", 1, 1) == 360


@given(lines)
def test_the_bill_is_the_sum_of_what_was_streamed(streams):
    till = Till()
    for dataset, schema, records in streams:
        till.call(dataset, schema)
        till.sent(dataset, schema, 3, records)
    bill = till.bill()
    assert bill.calls == len(streams)
    assert bill.records == sum(records for _, _, records in streams)
    sizes = [billable_size(schema, 3, records) for _, schema, records in streams]
    assert bill.bytes == sum(sizes)
    expected = [cost(each[0], each[1], size) for each, size in zip(streams, sizes, strict=True)]
    assert bill.usd == pytest.approx(sum(expected))


def test_the_same_stream_twice_is_billed_twice():
    till = Till()
    for _ in range(2):
        till.call("GLBX.MDP3", "trades")
        till.sent("GLBX.MDP3", "trades", 3, 100)
    assert till.bill().of("GLBX.MDP3", "trades").calls == 2
    assert till.bill().bytes == 2 * 4_800


def test_a_bill_begins_again():
    till = Till()
    till.sent("GLBX.MDP3", "trades", 3, 100)
    till.reset()
    assert (till.bill().usd, till.bill().calls) == (0.0, 0)
