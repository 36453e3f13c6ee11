"""Requests travel as they were written, or not at all."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.errors import BadJob
from ingestor.manifest import PayloadRequest
from ingestor.sources.databento.asking import fields, groups, moment, spelled
from ingestor.vocabulary import MAX_SYMBOLS


@given(st.integers(0, 2**62))
def test_a_moment_is_told_to_the_nanosecond(nanoseconds: int) -> None:
    assert pd.Timestamp(moment(nanoseconds)).value == nanoseconds


def test_a_whole_day_is_told_as_its_date() -> None:
    assert moment(1_609_113_600 * 10**9) == "2020-12-28"
    assert moment(1_609_113_600 * 10**9 + 1) == "2020-12-28T00:00:00.000000001Z"


@pytest.mark.parametrize(
    ("stype", "symbol"),
    [("raw_symbol", "ESH1"), ("raw_symbol", "ESM4 C5000"), ("raw_symbol", "ALL_SYMBOLS"),
     ("instrument_id", "5482"), ("parent", "ES.FUT"), ("continuous", "ES.c.0"),
     ("continuous", "ES.v.1")],
)  # fmt: skip
def test_a_symbol_as_the_provider_spells_it_is_sent(stype: str, symbol: str) -> None:
    assert spelled((symbol,), stype) == [symbol]


@pytest.mark.parametrize(
    ("stype", "symbol"),
    [("raw_symbol", "esh1"), ("raw_symbol", "ESH1,ESM1"), ("raw_symbol", " ESH1"),
     ("raw_symbol", ""), ("raw_symbol", "ESH1,"), ("continuous", "ES.C.0"), ("parent", "es.FUT"),
     ("continuous", "ES..0"), ("parent", "A.B.C.D"), ("no_such_type", "ES")],
)  # fmt: skip
def test_a_symbol_that_the_client_would_change_is_refused(stype: str, symbol: str) -> None:
    """The answer would be about another symbol than the one that was asked for."""
    with pytest.raises(BadJob):
        spelled((symbol,), stype)


@given(st.lists(st.text(max_size=6), max_size=4), st.sampled_from(["raw_symbol", "parent"]))
def test_symbols_are_sent_as_they_are_or_refused(symbols: list[str], stype: str) -> None:
    try:
        sent = spelled(symbols, stype)
    except BadJob:
        return
    assert sent == (symbols or ["ALL_SYMBOLS"])


def test_too_many_symbols_for_one_request_are_refused(request_of_a_day: PayloadRequest) -> None:
    """The client does not check it."""
    names = tuple(f"S{n}" for n in range(MAX_SYMBOLS + 1))

    fields(request_of_a_day.model_copy(update={"symbols": names[1:]}))
    with pytest.raises(BadJob, match="2,001"):
        fields(request_of_a_day.model_copy(update={"symbols": names}))


@given(st.integers(0, 5 * MAX_SYMBOLS))
def test_groups_hold_every_symbol_once(count: int) -> None:
    names = [str(n) for n in range(1, count + 1)]

    found = list(groups(names, "instrument_id")) if names else []

    assert [name for group in found for name in group] == names
    assert all(len(group) <= MAX_SYMBOLS for group in found)
