"""Answers are checked as they come: any JSON is an answer, or SourceUnavailable."""

from __future__ import annotations

import contextlib
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.days import DAY_NS, day_of
from ingestor.errors import SourceRefused, SourceUnavailable
from ingestor.job import SymbolInterval
from ingestor.sources.databento import answers
from ingestor.sources.databento.answers import AvailableRange, Resolved

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
FORMS = ["NAMES", "USD", "COUNT", "CONDITIONS", "UNIT_PRICES", "PUBLISHERS"]
RESOLVED = {
    "result": {"ESH1": [{"d0": "2020-12-28", "d1": "2020-12-29", "s": "5482"}]},
    "symbols": ["ESH1"], "stype_in": "raw_symbol", "stype_out": "instrument_id",
    "start_date": "2020-12-28", "end_date": "2020-12-29", "partial": [], "not_found": [],
    "message": "OK", "status": 0,
}  # fmt: skip


def resolution(answer: object) -> Resolved:
    return answers.resolution("raw_symbol", "instrument_id", answer, "symbology.resolve")


@given(ANY_JSON)
def test_any_json_is_an_answer_or_unavailable(answer: object) -> None:
    readers = [lambda given, form=form: answers.read(getattr(answers, form), given, "a.b")
               for form in FORMS]  # fmt: skip
    readers += [resolution, lambda given: answers.available_range("X.Y", given, "a.b")]
    for read in readers:
        with contextlib.suppress(SourceUnavailable):
            read(answer)


@pytest.mark.parametrize(
    ("form", "answer"),
    [
        ("COUNT", -1), ("COUNT", 1.5), ("COUNT", "3"), ("COUNT", True), ("COUNT", None),
        ("USD", -0.01), ("USD", float("nan")), ("USD", float("inf")), ("USD", "1.5"),
        ("NAMES", {"A": 1}), ("NAMES", "GLBX.MDP3"), ("NAMES", [1]), ("NAMES", [None]),
        ("CONDITIONS", [{"date": "2020-12-28"}]), ("CONDITIONS", [{"condition": "available"}]),
        ("CONDITIONS", [{"date": "28.12.2020", "condition": "available"}]),
        ("CONDITIONS", [{"date": "2020-02-31", "condition": "available"}]),
        ("PUBLISHERS", [{"publisher_id": "1", "dataset": "X.Y", "venue": "X"}]),
        ("UNIT_PRICES", [{"mode": "historical", "unit_prices": {"trades": -1}}]),
    ],
)  # fmt: skip
def test_another_form_is_unavailable(form: str, answer: object) -> None:
    with pytest.raises(SourceUnavailable, match=r"metadata\.x was answered in an unknown form"):
        answers.read(getattr(answers, form), answer, "metadata.x")


def test_fields_that_are_not_known_are_no_error() -> None:
    found = answers.read(
        answers.CONDITIONS,
        [{"date": "2020-12-28", "condition": "degraded", "last_modified_date": None, "new": 1}],
        "metadata.get_dataset_condition",
    )

    assert found[0].day.day == dt.date(2020, 12, 28)
    assert found[0].day.held
    assert found[0].day.modified is None


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1970-01-01", 0),
        ("1970-01-02T00:00:00Z", DAY_NS),
        ("1970-01-02T00:00:00.000000001Z", DAY_NS + 1),
        ("1970-01-02T00:00:00.5Z", DAY_NS + 500_000_000),
        ("1970-01-02T02:00:00.123456789+02:00", DAY_NS + 123_456_789),
        ("1970-01-01T22:00:00-02:00", DAY_NS),
        ("1970-01-01T22:00:00.250-02:00", DAY_NS + 250_000_000),
    ],
)
def test_a_range_is_told_to_the_nanosecond(text: str, nanoseconds: int) -> None:
    found = answers.available_range("X.Y", {"start": text, "end": text}, "a.b")

    assert (found.start, found.end) == (nanoseconds, nanoseconds)


@pytest.mark.parametrize("text", ["", "soon", 7, None, "2020-13-01", "2020-01-01T00:00:00.x1Z",
                                  "2020-01-01T00:00:00.0123456789Z", "2020-01-01T24"])  # fmt: skip
def test_a_range_without_times_is_unavailable(text: object) -> None:
    with pytest.raises(SourceUnavailable):
        answers.available_range("X.Y", {"start": text, "end": "2020-01-01"}, "a.b")


def test_each_schema_has_a_range_of_its_own_where_the_provider_tells_it() -> None:
    end = day_of(dt.date(2024, 3, 1)) * DAY_NS
    found = answers.available_range(
        "GLBX.MDP3",
        {
            "start": "2010-06-06T00:00:00.000000000Z",
            "end": "2024-03-01T00:00:00.000000000Z",
            "schema": {"trades": {"start": "2017-05-21T00:00:00Z", "end": "2024-03-01T00:00:00Z"}},
        },
        "metadata.get_dataset_range",
    )

    assert found.of("trades") == (day_of(dt.date(2017, 5, 21)) * DAY_NS, end)
    with pytest.raises(SourceRefused, match="no schema mbo; it has trades"):
        found.of("mbo")
    assert AvailableRange("X.Y", 1, 2, {}).of("mbo") == (1, 2)


def test_a_resolution_is_as_the_provider_spells_it() -> None:
    found = resolution(RESOLVED)

    expected = SymbolInterval(
        "raw_symbol", "ESH1", "instrument_id", "5482", "2020-12-28", "2020-12-29"
    )
    assert found == Resolved((expected,), (), ())


def test_empty_targets_are_days_on_which_a_symbol_was_not_found() -> None:
    spans = [
        {"d0": "2020-12-28", "d1": "2020-12-29", "s": ""},
        {"d0": "2020-12-29", "d1": "2020-12-30", "s": "7"},
    ]
    found = resolution(
        RESOLVED | {"result": {"A": spans, "B": spans[:1], "C": []}, "not_found": ["D"],
                    "partial": ["B"]}
    )  # fmt: skip

    assert [(each.symbol, each.target) for each in found.intervals] == [("A", "7")]
    assert found.partial == ("A",)
    assert found.not_found == ("B", "C", "D")


@given(st.lists(st.sampled_from("ABCDEF"), unique=True), st.integers(1, 6))
def test_groups_of_symbols_answer_as_one(symbols: list[str], size: int) -> None:
    def answer(names: list[str]) -> Resolved:
        target = {"d0": "2020-12-28", "d1": "2020-12-29", "s": "7"}
        return resolution(RESOLVED | {"result": {name: [target] for name in names}})

    parts = [answer(symbols[at : at + size]) for at in range(0, len(symbols), size)]

    assert answers.together(parts) == answer(symbols)
