"""Definitions that the provider's own client decodes."""

from __future__ import annotations

import databento
import numpy as np
import pytest

from ingestor.dbn import Header
from ingestor.simulator.dbn_writer import encode_dbn
from ingestor.simulator.definitions import definition
from ingestor.simulator.listings import DATASETS, Kind, listings
from ingestor.simulator.market import DAY, MONDAY

TODAY = MONDAY // DAY


def listed(dataset):
    return [each for each in listings(dataset) if each.first <= TODAY < each.past]


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_client_decodes_every_definition(dataset):
    records = np.concatenate([definition(each, TODAY, 0) for each in listed(dataset)])
    header = Header(dataset=dataset, schema="definition", start=MONDAY, end=MONDAY + DAY)
    store = databento.DBNStore.from_bytes(encode_dbn(header, records))
    found = list(store)
    assert [each.raw_symbol for each in found] == [each.symbol for each in listed(dataset)]
    assert [str(each.instrument_class) for each in found] == [
        each.kind.value for each in listed(dataset)
    ]
    assert all(each.instrument_id == each.raw_instrument_id for each in found)


def test_futures_have_the_snapshot_of_midnight_and_shares_have_not():
    """It is in the range that begins there: start is inclusive."""
    future, share = listed("GLBX.MDP3")[0], listed("XNAS.ITCH")[0]
    assert definition(future, TODAY, 0)["ts_recv"] == MONDAY
    assert MONDAY < definition(share, TODAY, 0)["ts_recv"][0] < MONDAY + DAY


def test_what_an_instrument_has_not_is_undefined():
    share = definition(listed("XNAS.ITCH")[0], TODAY, 0)
    assert share["expiration"][0] == 2**64 - 1
    assert share["strike_price"][0] == 2**63 - 1
    assert share["maturity_year"][0] == 2**16 - 1


def test_options_have_strike_and_expiry():
    call = next(each for each in listed("OPRA.PILLAR") if each.kind is Kind.CALL)
    record = definition(call, TODAY, 0)
    assert record["strike_price"][0] == 170 * 10**9
    assert record["underlying"][0] == b"AAPL"
    assert record["maturity_day"][0] == 15


def test_a_corrected_day_shows_in_the_definition():
    future = listed("GLBX.MDP3")[0]
    assert definition(future, TODAY, 0).tobytes() != definition(future, TODAY, 1).tobytes()
