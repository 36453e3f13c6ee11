"""What samples become: medians, ratios, verdicts."""

from __future__ import annotations

import json
from statistics import median

import pytest
from figures import Figure, Goal, Measure, at_least, at_most, figures_of, verdicts
from hypothesis import given
from hypothesis import strategies as st

samples = st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=9).map(tuple)


def test_a_ratio_is_that_of_each_pair() -> None:
    """Both runs of a pair had the same neighbours; a quotient of medians would mix them."""
    ours, theirs = Figure("a", (1.0, 9.0, 2.0)), Figure("b", (4.0, 2.0, 1.0))

    ratio = ours.over(theirs, "a ÷ b")

    assert ratio.each == (0.25, 4.5, 2.0)
    assert ratio.median == 2.0
    assert ours.median / theirs.median == 1.0


def test_a_ratio_of_unequal_runs_is_none() -> None:
    """A sample without its partner has nothing to be compared with."""
    with pytest.raises(ValueError, match="shorter"):
        Figure("a", (1.0, 2.0)).over(Figure("b", (1.0,)), "a ÷ b")


@given(samples, st.floats(1e-6, 1e6))
def test_a_goal_is_judged_by_the_median(each: tuple[float, ...], value: float) -> None:
    """One odd sample neither meets nor misses it."""
    middle = median(each)

    assert Figure("a", each, goal=at_most(value)).verdict == (
        "met" if middle <= value else "missed"
    )
    assert Figure("a", each, goal=at_least(value)).verdict == (
        "met" if middle >= value else "missed"
    )


def test_a_goal_that_is_just_reached_is_met() -> None:
    assert Figure("a", (1.1,), goal=at_most(1.1)).verdict == "met"
    assert Figure("a", (6.0,), goal=at_least(6)).verdict == "met"


def test_what_must_never_happen_is_judged_by_every_sample() -> None:
    """No dead rows means none in any run."""
    each = (0.0, 0.0, 1.0)

    assert Figure("dead", each, "rows", at_most(0)).verdict == "met"
    assert Figure("dead", each, "rows", at_most(0, every=True)).verdict == "missed"


def test_a_figure_without_a_goal_has_no_verdict() -> None:
    figure = Figure("a", (1.0,))

    assert figure.verdict == ""
    assert figure.as_json()["goal"] is None


def test_seconds_become_rates_and_prices_of_a_row() -> None:
    figure = Figure("load", (2.0, 4.0))

    assert figure.per_row(2_000_000, "a row").each == (1.0, 2.0)
    assert figure.rate(100, "rate", "chunks/s").each == (50.0, 25.0)


def test_the_json_holds_what_a_program_needs_to_judge() -> None:
    """Comparison and number apart, not a sentence."""
    made = json.loads(json.dumps(Figure("a", (1.0, 3.0, 2.0), "×", at_most(1.5)).as_json()))

    assert made == {
        "unit": "×",
        "goal": {"comparison": "≤", "value": 1.5, "every": False, "verdict": "missed"},
        "median": 2.0,
        "each": [1.0, 3.0, 2.0],
    }


def test_a_line_says_median_samples_goal_and_verdict() -> None:
    line = Figure("a ÷ b", (1.0, 2.0, 3.0), "×", at_most(1.1)).line()

    assert line.split() == ["a", "÷", "b", "2.000", "×", "(1.000", "2.000", "3.000)",
                            "goal:", "≤", "1.1", "×,", "missed"]  # fmt: skip


def test_the_closing_table_has_every_goal_once() -> None:
    """And nothing that has none."""
    good = Figure("good", (1.0,), goal=at_most(2))
    bad = Figure("bad", (3.0,), goal=Goal("≤", 2))
    measures = [
        Measure("one", "…", [good, Figure("beside", (9.0,))]),
        Measure("two", "…", [bad]),
    ]

    *table, last = verdicts(measures)

    assert [line.split()[:3] for line in table] == [["met", "one", "good"],
                                                    ["missed", "two", "bad"]]  # fmt: skip
    assert last == "1 of 2 goals met"


def test_what_could_not_be_measured_is_told_in_both_ways() -> None:
    """A way that is missing must not look like one that nobody thought of."""
    measure = Measure("peers", "ways", [Figure("a", (1.0,))], absent={"to_sql": "no psycopg"})

    assert "    to_sql" in "\n".join(measure.lines())
    assert "not measured: no psycopg" in "\n".join(measure.lines())
    assert measure.as_json()["absent"] == {"to_sql": "no psycopg"}


def test_runs_with_the_same_keys_become_a_figure_for_each() -> None:
    made = figures_of([{"plan": 1.0, "record": 2.0}, {"plan": 3.0, "record": 4.0}], prefix="x: ")

    assert [(each.name, each.each) for each in made] == [
        ("x: plan", (1.0, 3.0)),
        ("x: record", (2.0, 4.0)),
    ]
