"""Forms, read."""

from __future__ import annotations

import datetime as dt

import orjson
import pytest

from ingestor.simulator.calendar import number
from ingestor.simulator.made_archive import MadeArchive, Terms
from ingestor.simulator.market import DAY, MONDAY
from ingestor.simulator.problems import Refusal
from ingestor.simulator.query import parse_lookup, parse_query

ARCHIVE = MadeArchive(Terms(0, 10), number(dt.date(2024, 1, 1)), number(dt.date(2025, 1, 1)))
FORM = {"dataset": "OPRA.PILLAR", "schema": "trades", "start": "2024-03-11", "end": "2024-03-12"}
LOOKUP = {
    "dataset": "GLBX.MDP3", "symbols": "ESM4", "stype_in": "raw_symbol",
    "stype_out": "instrument_id", "start_date": "2024-03-11",
}  # fmt: skip


def detail(form, parse=parse_query):
    with pytest.raises(Refusal) as caught:
        parse(form, ARCHIVE)
    assert caught.value.answer.status == 422
    return orjson.loads(caught.value.answer.body)["detail"]


def test_symbols_keep_the_blanks_they_hold():
    query = parse_query(
        {**FORM, "symbols": "AAPL  250221C00250000, AAPL  240315P00170000"}, ARCHIVE
    )
    assert query.symbols == ("AAPL  250221C00250000", "AAPL  240315P00170000")


def test_what_is_left_out_has_the_provider_s_defaults():
    query = parse_query({"dataset": "GLBX.MDP3", "start": "2024-03-11"}, ARCHIVE)
    assert (query.schema, query.symbols, query.stype_in) == (
        "trades", ("ALL_SYMBOLS",), "raw_symbol",
    )  # fmt: skip
    assert (query.start, query.end, query.limit) == (MONDAY, MONDAY + DAY, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"dataset": "ABCD.EFG"}, {"schema": "mbo"}, {"schema": "nonsense"}, {"stype_in": "isin"},
        {"start": "soon"}, {"end": "later"}, {"symbols": "A,,B"}, {"limit": "0"}, {"limit": "few"},
        {"encoding": "csv"}, {"compression": "none"}, {"stype_out": "raw_symbol"},
    ],
)  # fmt: skip
def test_a_field_that_makes_no_sense_is_named(wrong):
    (name,) = wrong
    found = detail({**FORM, **wrong})
    assert f"`{name}`" in found["message"]
    assert found["status_code"] == 422


def test_a_range_must_have_a_length():
    found = detail({**FORM, "end": "2024-03-11"})
    assert found["case"] == "data_time_range_start_on_or_after_end"


def test_two_thousand_symbols_are_the_most():
    names = [f"S{place}" for place in range(2_001)]
    assert len(parse_query({**FORM, "symbols": ",".join(names[1:])}, ARCHIVE).symbols) == 2_000
    assert "2,001" in detail({**FORM, "symbols": ",".join(names)})["message"]


def test_a_lookup_ends_on_the_next_day_unless_it_says_otherwise():
    today = MONDAY // DAY
    lookup = parse_lookup(LOOKUP, ARCHIVE)
    assert (lookup.first, lookup.past) == (today, today + 1)
    longer = parse_lookup({**LOOKUP, "end_date": "2024-03-15"}, ARCHIVE)
    assert longer.past == today + 4


@pytest.mark.parametrize(
    "wrong", [{"stype_out": "parent"}, {"start_date": "x"}, {"end_date": "2024-03-11"}]
)
def test_a_lookup_that_makes_no_sense_is_refused(wrong):
    detail({**LOOKUP, **wrong}, parse_lookup)
