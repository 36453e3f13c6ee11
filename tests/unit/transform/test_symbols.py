"""Ids that are made of symbols: the same everywhere, above those of venues."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import given, settings
from hypothesis import strategies as st

from ingestor.transform.symbols import id_of
from tests.cells import column_of, records, rule, values

ID = column_of("instrument_id")
symbols = st.text(max_size=12).filter(lambda each: "\0" not in each)


def plain(symbol: str, ids: dict[str, int]) -> object:
    if not symbol or not symbol.isprintable():
        return ids.get(symbol, "unread") if symbol else "unread"
    own = 2**31 + int(sha256(symbol.encode()).hexdigest()[:8], 16) % 2**31
    return ids.get(symbol, own)


@settings(deadline=None)
@given(cells=st.lists(symbols, min_size=1, max_size=30), given_=st.data())
def test_an_id_is_31_bits_of_the_hash_unless_it_is_given(
    cells: list[str], given_: st.DataObject
) -> None:
    """Whatever symbols stand beside it, and in whatever order."""
    some = given_.draw(st.lists(st.sampled_from(cells), unique=True)) if cells else []
    ids = {name: number for number, name in enumerate(each for each in some if each)}

    found = values(ID, rule("symbol_id", field="x", ids=ids), records(x=cells))
    assert found == [plain(each, ids) for each in cells]


def test_ids_stay_as_they_were_first_made() -> None:
    """Rows are stored under them: these numbers never change."""
    assert [id_of(b"AAPL"), id_of(b"ES.FUT"), id_of("Zürich".encode())] == [
        2_662_616_418, 2_464_689_578, 3_260_115_038,
    ]  # fmt: skip


def test_what_is_no_text_has_no_id() -> None:
    """Nor has what nobody can see or type."""
    assert values(ID, rule("symbol_id", field="x"), records(x=[b"\xff", "A\nB", "", "A B"])) == [
        "unread", "unread", "unread", id_of(b"A B"),
    ]  # fmt: skip
