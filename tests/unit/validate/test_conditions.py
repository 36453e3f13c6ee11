"""``when``: a rule is meant for a record if every condition holds, and undecided if one may."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.model import Table, table_of
from ingestor.model.references import Facts, Known, References
from ingestor.validate import CompiledRule, Rulebook, judge
from ingestor.validate.conditions import ReferenceLike
from ingestor.validate.expression import compile_expression
from ingestor.validate.rules import WrittenLimit, WrittenRule
from ingestor.vocabulary import Schema
from tests.unit.validate.frames import frame, good

TRADES = table_of(Schema.TRADES)
DEFINITIONS = table_of(Schema.DEFINITION)
DAY_NS = 86_400 * 10**9
FACTS = Facts(
    "GLBX.MDP3",
    References(
        instrument_class=Known.of([(7, 10, 20, "F"), (7, 20, 30, "S")]),
        symbol=Known.of([(7, 10, 20, "ESH4"), (8, 0, 2**32 - 1, "é")]),
    ),
)
FLAGGED, UNDECIDED, NOT_MEANT = "flagged", "undecided", "not meant"


def outcome(
    when: dict[str, Any], change: dict[str, Any], table: Table = TRADES, check: str = "size > 0"
) -> str:
    """What becomes of a record that breaks the check."""
    written = WrittenRule.model_validate(
        {"id": "odd", "check": check, "severity": "flag", "when": when}
    )
    rule = CompiledRule.of(written, compile_expression(check, table))
    book = Rulebook.of(table, "", (rule,), WrittenLimit())
    found = judge(frame(table, [good(table) | change]), book, FACTS)
    told = (found.flagged.counts, dict(found.undecided))
    return {
        (True, False): FLAGGED,
        (False, True): UNDECIDED,
        (False, False): NOT_MEANT,
    }[bool(told[0]), bool(told[1])]


def on(day: int, **change: int) -> dict[str, Any]:
    return {"instrument_id": 7, "publisher_id": 1, "ts_recv": day * DAY_NS, **change}


@pytest.mark.parametrize(
    ("when", "change", "wanted"),
    [
        ({"dataset": ["XNAS.ITCH", "GLBX.MDP3"]}, on(10), FLAGGED),
        ({"dataset": ["XNAS.ITCH"]}, on(10), NOT_MEANT),
        ({"publisher": [2, 1]}, on(10), FLAGGED),
        ({"publisher": [2]}, on(10), NOT_MEANT),
        ({"instrument_class": ["F"]}, on(10), FLAGGED),
        ({"instrument_class": ["F"]}, on(19), FLAGGED),
        ({"instrument_class": ["F"]}, on(20), NOT_MEANT),
        ({"instrument_class": ["F", "S"]}, on(20), FLAGGED),
        ({"instrument_class": ["F"]}, on(9), UNDECIDED),
        ({"instrument_class": ["F"]}, on(30), UNDECIDED),
        ({"instrument_class": ["F"]}, on(10, instrument_id=8), UNDECIDED),
        ({"symbol": ["ES*"]}, on(10), FLAGGED),
        ({"symbol": ["ES?4"]}, on(10), FLAGGED),
        ({"symbol": ["*4"]}, on(10), FLAGGED),
        ({"symbol": ["ESH4"]}, on(10), FLAGGED),
        ({"symbol": ["ES"]}, on(10), NOT_MEANT),
        ({"symbol": ["es*"]}, on(10), NOT_MEANT),
        ({"symbol": ["ES?"]}, on(10), NOT_MEANT),
        ({"symbol": ["?"]}, on(10, instrument_id=8), FLAGGED),
        ({"symbol": ["??"]}, on(10, instrument_id=8), NOT_MEANT),
        ({"symbol": ["ES.4"]}, on(10), NOT_MEANT),
    ],
)
def test_one_condition_is_any_of_its_list_on_the_day_of_the_record(
    when: dict[str, Any], change: dict[str, Any], wanted: str
) -> None:
    assert outcome(when, change) == wanted


@pytest.mark.parametrize(
    ("when", "wanted"),
    [
        ({"publisher": [1], "symbol": ["*"], "instrument_class": ["F"]}, FLAGGED),
        ({"publisher": [2], "symbol": ["*"], "instrument_class": ["F"]}, NOT_MEANT),
        ({"publisher": [1], "symbol": ["NQ*"], "instrument_class": ["F"]}, NOT_MEANT),
    ],
)
def test_all_conditions_must_hold(when: dict[str, Any], wanted: str) -> None:
    """One that does is decided: it is not undecided as well."""
    assert outcome(when, on(10)) == wanted


def test_a_condition_that_fails_decides_whatever_is_unknown_of_others() -> None:
    """On day 25 the class is known and the symbol is not."""
    assert outcome({"instrument_class": ["S"], "symbol": ["*"]}, on(25)) == UNDECIDED
    assert outcome({"instrument_class": ["F"], "symbol": ["*"]}, on(25)) == NOT_MEANT


@pytest.mark.parametrize(
    ("when", "change", "wanted"),
    [
        ({"instrument_class": ["K"]}, {"instrument_class": ord("K")}, FLAGGED),
        ({"instrument_class": ["K"]}, {"instrument_class": ord("F")}, NOT_MEANT),
        ({"instrument_class": ["F"]}, {"instrument_class": 0}, UNDECIDED),
        ({"symbol": ["AA*"]}, {"raw_symbol": b"AAPL"}, FLAGGED),
        ({"symbol": ["ES*"]}, {"raw_symbol": b"AAPL"}, NOT_MEANT),
        ({"symbol": ["ES*"]}, {"raw_symbol": b""}, UNDECIDED),
    ],
)
def test_a_definition_tells_its_own_class_and_symbol(
    when: dict[str, Any], change: dict[str, Any], wanted: str
) -> None:
    """Whatever others told of the instrument."""
    row = {"instrument_id": 7, "ts_recv": 10 * DAY_NS, **change}
    assert outcome(when, row, DEFINITIONS, "min_trade_vol > 0") == wanted


def plainly_like(text: str, pattern: str) -> bool:
    """Character by character: the places of the pattern that may come next."""
    places = _past_stars(pattern, {0})
    for each in text:
        on = {at + 1 for at in places if pattern[at : at + 1] in ("?", each)}
        places = _past_stars(pattern, on | {at for at in places if pattern[at : at + 1] == "*"})
    return len(pattern) in places


def _past_stars(pattern: str, places: set[int]) -> set[int]:
    found = set(places)
    for at in range(len(pattern)):
        if at in found and pattern[at] == "*":
            found.add(at + 1)
    return found


@given(
    st.lists(st.text("ab[.\né€😀", max_size=9), min_size=1, max_size=4),
    st.lists(st.text("ab[.\né€😀***??", min_size=1, max_size=9), min_size=1, max_size=3),
)
def test_a_pattern_is_like_what_it_is_plainly_like(texts: list[str], patterns: list[str]) -> None:
    """Of characters, however many bytes they have; none but * and ? has a meaning."""
    found = ReferenceLike.like("symbol", patterns).pattern
    for text in texts:
        wanted = any(plainly_like(text, each) for each in patterns)
        assert (found.fullmatch(text.encode()) is not None) == wanted


@pytest.mark.timeout(10)
@pytest.mark.parametrize("pattern", ["*" * 50 + "X", "*a" * 50 + "X", "*?" * 35 + "*X", "?*" * 50,
                                     "*a?" * 30 + "b*"])  # fmt: skip
def test_no_pattern_takes_time(pattern: str) -> None:
    """Backtracking over 50 stars would take longer than there is."""
    book = ReferenceLike.like("symbol", [pattern, pattern + "Y"])
    rows = [good(DEFINITIONS) | {"raw_symbol": b"a" * at} for at in range(1, 72)]
    meant = book.of(frame(DEFINITIONS, rows), np.arange(71), FACTS)
    wanted = [plainly_like("a" * at, pattern) for at in range(1, 72)]
    assert meant.holds.tolist() == wanted


def test_a_record_without_an_index_timestamp_is_of_no_day() -> None:
    """Not of that of the year 2554, on which what holds for ever still holds."""
    undated = replace(
        TRADES,
        name="undated",
        columns=tuple(
            replace(c, required=None, null=2**64 - 1) if c.name == "ts_recv" else c
            for c in TRADES.columns
        ),
    )
    assert outcome({"symbol": ["*"]}, {"instrument_id": 8}, undated) == FLAGGED
    late = {"instrument_id": 8, "ts_recv": 2**64 - 1}
    assert outcome({"symbol": ["*"]}, late, undated) == UNDECIDED
