"""Two verdicts held against each other: the same as looking at one record after the other."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from ingestor.replay.comparison import Change, changes, in_step, record
from tests.unit.replay.verdicts import Fate, verdict, verdicts

FATES = st.builds(
    Fate,
    price=st.integers(0, 2),
    size=st.integers(0, 2),
    refused=st.sampled_from([None, None, "r-a", "r-b"]),
    flags=st.frozensets(st.sampled_from(["f-a", "f-b"])),
)
PAIRS = st.lists(st.tuples(FATES, FATES), max_size=30)
CUTS = st.frozensets(st.integers(0, 30))

Found = Counter[tuple[Change, str, int]]


def one_by_one(pairs: list[tuple[Fate, Fate]]) -> Found:
    """What changes, found record by record: (change, rule or column, position)."""
    found: Found = Counter()
    for at, (old, new) in enumerate(pairs):
        before = frozenset() if old.refused else old.flags
        after = frozenset() if new.refused else new.flags
        if new.refused and old.refused:
            if new.refused != old.refused:
                found[Change.REASON, new.refused, at] += 1
        elif new.refused:
            found[Change.REFUSED, new.refused, at] += 1
        elif old.refused:
            found[Change.ACCEPTED, old.refused, at] += 1
        else:
            for column in ("price", "size"):
                if getattr(old, column) != getattr(new, column):
                    found[Change.VALUE, column, at] += 1
        found.update((Change.FLAGGED, flag, at) for flag in after - before)
        found.update((Change.UNFLAGGED, flag, at) for flag in before - after)
    return found


def at_most(cuts: frozenset[int], count: int) -> list[int]:
    return [each for each in cuts if each <= count]


@given(PAIRS, CUTS, CUTS)
def test_what_changes_is_what_differs_record_by_record(
    pairs: list[tuple[Fate, Fate]], left: frozenset[int], right: frozenset[int]
) -> None:
    """However each side was cut into batches, empty ones among them."""
    old = verdicts([one for one, _ in pairs], at_most(left, len(pairs)))
    new = verdicts([other for _, other in pairs], at_most(right, len(pairs)))
    found: Found = Counter()
    for before, after in in_step(old, new):
        for each in changes(before, after, values=True):
            found.update((each.change, each.by, at) for at in each.positions.tolist())
    assert found == one_by_one(pairs)


@given(st.lists(FATES, max_size=20), CUTS, CUTS)
def test_both_sides_come_whole_and_in_order(
    fates: list[Fate], left: frozenset[int], right: frozenset[int]
) -> None:
    """Every record once on each side, at the same moment."""
    sides: tuple[list[int], list[int]] = ([], [])
    pieces = in_step(
        verdicts(fates, at_most(left, len(fates))), verdicts(fates, at_most(right, len(fates)))
    )
    for pair in pieces:
        places = [
            sorted([*each.accepted.position.tolist(), *each.rejected.frame.position.tolist()])
            for each in pair
        ]
        assert places[0] == places[1]
        for side, mine in zip(sides, places, strict=True):
            side.extend(mine)
    assert sides[0] == sides[1] == list(range(len(fates)))


def test_records_that_one_side_lacks_change_nothing_else() -> None:
    """A mapping that reads other times may give a chunk fewer records."""
    old, new = [Fate(), Fate(refused="r-a"), Fate()], [Fate(price=5)]
    found = [
        (each.change, each.by, each.positions.tolist())
        for before, after in in_step(verdicts(old), verdicts(new))
        for each in changes(before, after, values=True)
    ]
    assert found == [(Change.VALUE, "price", [0])]


def test_values_are_left_alone_where_both_have_one_mapping() -> None:
    """They cannot differ then, and looking costs a pass over every column."""
    assert list(changes(verdict([Fate()]), verdict([Fate(price=2)]), values=False)) == []


def test_a_record_is_found_wherever_it_went() -> None:
    """Accepted, refused, or nowhere."""
    found = verdict([Fate(price=7), Fate(price=8, refused="r-a")], 10)
    for position, price in ((10, 7), (11, 8)):
        here = record(found, position)
        assert here is not None
        frame, row = here
        assert int(frame.columns["price"][row]) == price
    assert record(found, 12) is None
