"""What about a chunk disagrees with what was counted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.insights.differences import Aspect, differences, unaccounted
from tests.accounts import account

few = st.integers(0, 5)


@pytest.mark.parametrize(
    ("told", "rows", "quarantined", "found"),
    [
        ({}, 7, 1, []),
        ({}, 6, 1, [(Aspect.ROWS, 7, 6)]),
        ({}, 8, 1, [(Aspect.ROWS, 7, 8)]),
        ({"superseded": 2}, 5, 1, []),
        ({"superseded": 2}, 7, 1, [(Aspect.ROWS, 5, 7)]),
        ({"superseded": 8}, 0, 1, [(Aspect.ROWS, -1, 0)]),
        ({}, 7, 0, [(Aspect.QUARANTINED, 1, 0)]),
        ({"fetched": 11}, 7, 1, [(Aspect.RECEIPT, 11, 10)]),
        ({"corrected": 3}, 7, 1, [(Aspect.CORRECTED, 3, 0)]),
        ({"told_corrected": 3}, 7, 1, [(Aspect.CORRECTED, 0, 3)]),
        ({"corrected": 3, "told_corrected": 3}, 7, 1, []),
        ({"removed": 3}, 7, 1, [(Aspect.REMOVED, 3, 0)]),
        ({"removed": 3, "told_removed": 3}, 7, 1, []),
    ],
)
def test_each_count_is_held_against_its_own(
    told: dict[str, Any], rows: int, quarantined: int, found: list[tuple[Aspect, int, int]]
) -> None:
    """No count makes up for another."""
    made = differences(account(**told), rows, {}, quarantined)
    assert [(each.of, each.expected, each.found) for each in made] == found


def test_rows_of_a_chunk_that_has_not_completed_are_of_another_kind() -> None:
    """They are not too many rows: there should be none."""
    failed = account(state="failed", fetched=0, stored=0, quarantined=0, already_stored=0)
    [found] = differences(failed, 0, {"trades_data": 3}, 0)
    assert (found.of, found.expected, found.found, found.table) == (
        Aspect.UNACCOUNTED, 0, 3, "trades_data",
    )  # fmt: skip
    assert list(differences(failed, 0, {}, 0)) == []


def test_rows_where_they_do_not_belong_are_told_beside_those_that_are_missing() -> None:
    """Neither makes up for the other."""
    made = differences(account(), 6, {"daily_ohlcv_data": 1}, 1)
    assert [(each.of, each.expected, each.found, each.table) for each in made] == [
        (Aspect.ROWS, 7, 6, ""), (Aspect.STRAY, 0, 1, "daily_ohlcv_data"),
    ]  # fmt: skip


def test_rows_of_an_unknown_chunk_are_told_and_no_rows_are_not() -> None:
    """A chunk that is suspected and has no rows any more never was."""
    [found] = unaccounted(4711, {"trades_data": 2})
    assert (found.chunk_id, found.job_id, found.state, found.found) == (4711, None, "unknown", 2)
    assert list(unaccounted(4711, {})) == []


@given(st.tuples(few, few, few, few), st.tuples(few, few, few, few), few, few)
def test_what_agrees_by_itself_differs_in_rows_and_quarantine_only(
    receipt: tuple[int, ...], told: tuple[int, ...], rows: int, quarantined: int
) -> None:
    """`agrees` decides what the second look gets: it must not pass anything by."""
    fetched, stored, corrected, removed = receipt
    superseded, told_corrected, told_removed, kept = told
    made = account(
        fetched=fetched, stored=stored, quarantined=kept, already_stored=0, corrected=corrected,
        removed=removed, superseded=superseded, told_corrected=told_corrected,
        told_removed=told_removed,
    )  # fmt: skip
    aspects = {each.of for each in differences(made, rows, {}, quarantined)}
    assert made.agrees == (not aspects - {Aspect.ROWS, Aspect.QUARANTINED})
    assert (Aspect.ROWS in aspects) == (rows != stored - superseded)
    assert (Aspect.QUARANTINED in aspects) == (quarantined != kept)
