"""Words that stand for others, in text, characters and numbers."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestor.vocabulary import Schema
from tests.cells import column_of, records, rule, values

SIDE = column_of("side")
FLAGS = column_of("flags")
GRANULARITY = column_of("granularity", Schema.OHLCV_1D)
words = st.text("abBuyÉ -", max_size=4)


@settings(deadline=None)
@given(
    cells=st.lists(words, min_size=1, max_size=20),
    known=st.dictionaries(words, st.sampled_from("ABN"), min_size=1, max_size=6),
    nulls=st.lists(words, max_size=2),
)
def test_a_word_is_put_for_another_letter_for_letter(
    cells: list[str], known: dict[str, str], nulls: list[str]
) -> None:
    """What is not known is unread, and nothing is null unless it is given a value."""
    found = values(
        SIDE, rule("enum", field="x", values=known, nulls=tuple(nulls)), records(x=cells)
    )
    other = dict.fromkeys(["", *nulls], "null")

    assert found == [
        ord(known[each]) if each in known else other.get(each, "unread") for each in cells
    ]


def test_characters_and_numbers_of_a_binary_wire_are_words_too() -> None:
    wire = np.array([(b"B", 1), (b"\0", 2), (b"X", -3)], [("side", "S1"), ("code", "<i2")])

    assert values(SIDE, rule("enum", field="side", values={"B": "A"}), wire) == [
        ord("A"), "null", "unread",
    ]  # fmt: skip
    assert values(FLAGS, rule("enum", field="code", values={"1": "128", "-3": "0"}), wire) == [
        128, "unread", 0,
    ]  # fmt: skip


def test_text_may_stand_for_text() -> None:
    given_ = rule("enum", field="x", values={"D": "1d", "H": "1h"})

    assert values(GRANULARITY, given_, records(x=["H", "D", "x", ""])) == [
        b"1h", b"1d", "unread", "unread",
    ]  # fmt: skip


def test_a_character_of_wider_text_is_a_single_one() -> None:
    """Of a field of one byte it is any byte, as ever."""
    given_ = rule("character", field="x")

    assert values(SIDE, given_, records(x=["B", "", "BUY", "é", "A"])) == [
        ord("B"), "null", "unread", "unread", ord("A"),
    ]  # fmt: skip
    assert values(SIDE, given_, records(x=[b"\xff", ""])) == [255, "null"]


def test_text_is_taken_as_it_is_but_for_spellings_of_null() -> None:
    symbol = column_of("raw_symbol", Schema.DEFINITION)

    assert values(symbol, rule("text", field="x"), records(x=[" a ", "", "-"])) == [
        b" a ", "null", b"-",
    ]  # fmt: skip
    assert values(symbol, rule("text", field="x", nulls=("-",)), records(x=[" a ", "", "-"])) == [
        b" a ", "null", "null",
    ]  # fmt: skip
