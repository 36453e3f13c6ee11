"""Symbols to instrument ids over days."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.simulator.symbology import Stretch, SymbolBook, as_answer, merged

A = (Stretch(10, 15, "A", 1), Stretch(15, 20, "A", 2))
B = (Stretch(12, 14, "B", 3),)
BOOK = SymbolBook(
    {"raw_symbol": {"A": A, "B": B}, "parent": {"F": A + B}, "continuous": {"F.c.0": A[:1] + B}}
)
stretches = st.lists(
    st.builds(
        lambda first, days, number: Stretch(first, first + days, "S", number),
        st.integers(0, 30), st.integers(1, 9), st.integers(1, 3),
    ),
    max_size=12,
)  # fmt: skip


def test_a_symbol_is_cut_to_the_days_asked_for():
    found = BOOK.resolve(["A"], "raw_symbol", 12, 17)
    assert found.found == {"A": (Stretch(12, 15, "A", 1), Stretch(15, 17, "A", 2))}
    assert found.complete


def test_what_resolves_on_some_days_is_partial_and_what_on_none_is_not_found():
    found = BOOK.resolve(["A", "B", "C"], "raw_symbol", 12, 17)
    assert (found.partial, found.not_found) == (("B",), ("C",))
    assert BOOK.resolve(["B"], "raw_symbol", 14, 17).not_found == ("B",)


def test_days_without_a_session_need_not_resolve():
    weekdays = SymbolBook({"raw_symbol": {"B": B}}, is_session=lambda day: day < 14)
    assert weekdays.resolve(["B"], "raw_symbol", 12, 17).complete


def test_a_range_without_any_session_resolves_nothing_unless_told_so():
    """The provider answers 422 to such a request."""
    symbols = {"raw_symbol": {"A": A}}
    closed = SymbolBook(symbols, is_session=lambda day: False)
    assert closed.resolve(["A"], "raw_symbol", 12, 13).not_found == ("A",)
    lenient = SymbolBook(symbols, is_session=lambda day: False, resolve_closed_days=True)
    assert lenient.resolve(["A"], "raw_symbol", 12, 13).complete


def test_a_payload_s_mappings_name_what_was_asked_or_the_members_of_a_family():
    assert list(BOOK.resolve(["A"], "raw_symbol", 12, 14).mappings()) == ["A"]
    assert list(BOOK.resolve(["F"], "parent", 12, 14).mappings()) == ["A", "B"]
    assert list(BOOK.resolve(["F.c.0"], "continuous", 12, 14).mappings()) == ["F.c.0"]


def test_a_payload_of_everything_or_of_ids_maps_nothing():
    everything = BOOK.resolve(["ALL_SYMBOLS"], "raw_symbol", 12, 14)
    assert (everything.mappings(), everything.selected, everything.complete) == ({}, None, True)
    by_id = BOOK.resolve(["2"], "instrument_id", 14, 17)
    assert (by_id.mappings(), by_id.selected) == ({}, (Stretch(15, 17, "A", 2),))


def test_symbols_may_be_made_not_to_resolve():
    found = BOOK.resolve(["A", "B"], "raw_symbol", 12, 14).without(["B"])
    assert (list(found.found), found.not_found) == (["A"], ("B",))


def test_an_answer_has_days_and_what_was_asked_for():
    found = BOOK.resolve(["F"], "parent", 14, 16)
    assert as_answer(found, "raw_symbol") == {
        "F": [
            {"d0": "1970-01-15", "d1": "1970-01-16", "s": "A"},
            {"d0": "1970-01-16", "d1": "1970-01-17", "s": "A"},
        ]
    }
    assert [each["s"] for each in as_answer(found, "instrument_id")["F"]] == ["1", "2"]


@given(stretches)
def test_merging_keeps_every_day_of_every_id(found):
    def days(some):
        return {(each.instrument_id, day) for each in some for day in range(each.first, each.past)}

    result = merged(found)
    assert days(result) == days(found)
    assert result == sorted(result)


@given(stretches, st.integers(0, 40), st.integers(1, 10))
def test_resolving_a_range_is_resolving_each_of_its_days(found, first, length):
    book = SymbolBook({"raw_symbol": {"S": tuple(sorted(found))}})

    def held(first, past):
        selected = book.resolve(["S"], "raw_symbol", first, past).selected or ()
        return {(e.instrument_id, day) for e in selected for day in range(e.first, e.past)}

    whole = held(first, first + length)
    assert whole == set().union(*(held(day, day + 1) for day in range(first, first + length)))


@pytest.mark.parametrize("stype", ["raw_symbol", "parent", "continuous", "instrument_id"])
def test_every_symbol_type_is_known(stype):
    assert stype in BOOK.types
