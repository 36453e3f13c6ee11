"""Counts of a rehearsal, and its examples."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ingestor.days import DAY_NS
from ingestor.job import Claim, Contents, PayloadRef, SymbolInterval
from ingestor.replay.comparison import Change
from ingestor.replay.tally import Tally, symbol_of
from ingestor.sources.source import Payload
from tests.claims import only_claim
from tests.plans import job_plan
from tests.unit.replay.verdicts import Fate, verdict

NAMED = SymbolInterval("raw_symbol", "ESM4", "instrument_id", "0", "1970-01-01", "1970-01-03")
PAYLOAD = Payload(
    PayloadRef("vault:x", "ab" * 32, 1), Path("x"), Contents(1), (NAMED,), np.dtype([("n", "<u4")])
)


def claim() -> Claim:
    return replace(only_claim(job_plan()), payload=PAYLOAD.ref)


def tallied(old: list[Fate], new: list[Fate], *, examples: int = 2) -> Tally:
    made = Tally(examples)
    made.add(verdict(old), verdict(new), claim(), PAYLOAD, values=True)
    return made


def test_a_record_that_changes_in_two_ways_is_one_record() -> None:
    """It is counted for its rule and for its column."""
    found = tallied(
        [Fate(), Fate()], [Fate(price=2, flags=frozenset({"f-a"})), Fate(refused="r-a")]
    )
    assert (found.records, found.changed_records) == (2, 2)
    assert dict(found.columns) == {"price": 1}
    assert found.by_rule["r-a"] == {Change.REFUSED: 1}
    assert found.by_rule["f-a"] == {Change.FLAGGED: 1}


def test_examples_are_bounded_for_each_change_and_rule() -> None:
    """A thousand records that change leave two of each sort, in one batch or in many."""
    old, new = [Fate()] * 500, [Fate(refused="r-a")] * 500
    one = tallied(old, new)
    whole = Tally(2)
    for _ in range(3):
        whole.take_in(one)
    whole.take_in(tallied(old, [Fate(refused="r-b")] * 500))
    assert [(each.by, each.position) for each in whole.examples] == [
        ("r-a", 0), ("r-a", 1), ("r-b", 0), ("r-b", 1),
    ]  # fmt: skip
    assert (whole.records, whole.changed_records) == (2_000, 2_000)


def test_an_example_shows_the_values_before_and_after() -> None:
    """For people: prices as decimals, the symbol on the day."""
    found = tallied([Fate(price=1_000_000_000)], [Fate(price=2_500_000_000)])
    [example] = found.examples
    assert example.values == {"price": ("1", "2.5")}
    assert (example.symbol, example.time) == ("ESM4", "1970-01-01T00:00:00.000000000Z")


def test_no_examples_are_kept_where_none_are_wanted() -> None:
    assert tallied([Fate()], [Fate(price=2)], examples=0).examples == []


def test_a_symbol_is_that_of_the_day() -> None:
    """Ids are used again for other instruments."""
    assert symbol_of(PAYLOAD, 0, DAY_NS * 2 - 1) == "ESM4"
    assert symbol_of(PAYLOAD, 0, DAY_NS * 2) is None
    assert symbol_of(PAYLOAD, 1, 0) is None
