"""How `hdi verify` says what it found."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from ingestor.cli.verify import next_step, summary
from ingestor.insights.differences import Aspect, Difference
from ingestor.insights.verification import Verification

WELL = Verification(None, 1_234, 0, 2_000_000, 12, 0, (), 3.21)
LESS = Difference(
    7, UUID(int=1), "GLBX.MDP3", "trades", "completed", Aspect.ROWS, expected=10, found=9
)


def test_one_line_says_what_was_counted_and_how_long_it_took() -> None:
    """Singular where there is one."""
    assert summary(WELL) == (
        "everything adds up: 1,234 chunks, 2,000,000 rows, 12 quarantined records, counted in 3.2 s"
    )
    one = replace(WELL, chunks=1, rows=1, quarantined=1)
    assert summary(one).startswith("everything adds up: 1 chunk, 1 row, 1 quarantined record,")


def test_what_is_wrong_and_what_is_open_is_said_at_once() -> None:
    """The verdict comes first, what was not looked at last."""
    ill = summary(replace(WELL, wrong_chunks=2, open_chunks=3))
    assert ill.startswith("NOT everything adds up: ")
    assert ill.endswith("; 3 chunks still open")


@pytest.mark.parametrize("aspect", list(Aspect))
def test_every_difference_has_a_next_step(aspect: Aspect) -> None:
    """Whether there is too much or too little."""
    for found in (9, 11):
        assert next_step(replace(LESS, of=aspect, found=found))


def test_missing_rows_are_loaded_again_and_added_ones_are_not() -> None:
    """The opposite advice would make it worse."""
    assert "--force" in next_step(LESS)
    assert "--force" not in next_step(replace(LESS, found=11))
