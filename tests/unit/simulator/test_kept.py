"""Kept payloads: the last ones that fit, each as it was."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ingestor.simulator.kept import Kept, Piece
from ingestor.simulator.query import Query

ONE = Query("GLBX.MDP3", "trades", ("ESM4",), "raw_symbol", "instrument_id", 0, 1, None)


def keep(kept: Kept, query: Query, version: int, pieces: list[Piece]) -> None:
    assert list(kept.while_made(query, version, iter(pieces))) == pieces


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 40)), max_size=40))
def test_what_is_found_is_what_was_added_and_all_of_it_fits(added: list[tuple[int, int]]) -> None:
    kept, first = Kept(100), dict[int, int]()
    for start, size in added:
        query = replace(ONE, start=start)
        if kept.of(query, 3) is None:
            first[start] = size
        keep(kept, query, 3, [(bytes(size), size)])
    found = {start: kept.of(replace(ONE, start=start), 3) for start in first}
    held = {start: pieces for start, pieces in found.items() if pieces is not None}
    assert all(pieces == [(bytes(first[start]), first[start])] for start, pieces in held.items())
    assert sum(first[start] for start in held) <= 100
    if added:
        assert added[-1][0] in held


def test_one_that_is_larger_than_all_room_is_not_kept_and_drives_nothing_out() -> None:
    kept = Kept(10)
    keep(kept, ONE, 3, [(b"12345", 1)])
    keep(kept, replace(ONE, start=1), 3, [(b"123456", 1), (b"78901", 1)])
    assert kept.of(ONE, 3) == [(b"12345", 1)]
    assert kept.of(replace(ONE, start=1), 3) is None


def test_another_version_is_another_payload_and_clear_forgets_all() -> None:
    kept = Kept(10)
    keep(kept, ONE, 2, [(b"a", 1)])
    assert kept.of(ONE, 3) is None
    kept.clear()
    assert kept.of(ONE, 2) is None


def test_what_was_begun_before_all_was_forgotten_is_not_kept() -> None:
    kept = Kept(10)
    pieces = kept.while_made(ONE, 3, iter([(b"old", 1), (b"er", 1)]))
    next(pieces)
    kept.clear()
    assert list(pieces) == [(b"er", 1)]
    assert kept.of(ONE, 3) is None
