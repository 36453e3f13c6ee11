"""Continuous symbols: which contract has which rank on which day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from ingestor.simulator.listings import Listing
from ingestor.simulator.symbology import Stretch, Stretches

RANKS: Final = 3
_ROLL_BEFORE_EXPIRY: Final[Mapping[str, int]] = {"c": 0, "n": 5, "v": 8}
"""Days by rule: calendar, open interest, volume. The last two are settled by decree here."""


def continuous_symbols(
    listings: Iterable[Listing], first: int, past: int
) -> Mapping[str, Stretches]:
    """``ES.c.0`` and its like over the days of [first, past)."""
    by_root: dict[str, list[Listing]] = {}
    for each in listings:
        if each.root:
            by_root.setdefault(each.root, []).append(each)
    return {
        f"{root}.{rule}.{rank}": tuple(_ranked(contracts, rank, early, first, past))
        for root, contracts in by_root.items()
        for rule, early in _ROLL_BEFORE_EXPIRY.items()
        for rank in range(RANKS)
    }


def _ranked(
    contracts: list[Listing], rank: int, early: int, first: int, past: int
) -> Iterator[Stretch]:
    """The contract `rank` places behind the one that expires next, from roll to roll."""
    ordered = sorted(contracts, key=lambda each: each.past)
    rolls = [each.past - early for each in ordered]
    for front, contract in enumerate(ordered[rank:]):
        begin = rolls[front - 1] if front else contract.first
        yield from contract.stretches(max(begin, first), min(rolls[front], past))
