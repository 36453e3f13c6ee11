"""Several integers in one BIGINT: what comes out is what was put in, at every edge of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ingestor.query.words import WORD, Sent, words


def sent(bits: int, signed: bool, at: int) -> Sent:
    return Sent(f"v{at}", ">i8", bits, signed)


@st.composite
def rows(draw: st.DrawFn) -> tuple[list[Sent], list[list[int]]]:
    """Fields, and rows of values that they can hold."""
    kinds = draw(st.lists(st.tuples(st.sampled_from([8, 10, 16, 32, 64]), st.booleans()),
                          min_size=1, max_size=9))  # fmt: skip
    fields = [sent(bits, signed, at) for at, (bits, signed) in enumerate(kinds)]
    values = st.tuples(*(_values(each) for each in fields)).map(list)
    return fields, draw(st.lists(values, min_size=1, max_size=5))


def _values(field: Sent) -> st.SearchStrategy[int]:
    low = -(1 << field.bits - 1) if field.signed or field.bits == WORD else 0
    high = low + (1 << field.bits) - 1
    return st.sampled_from([low, high]) | st.integers(low, high)


def computed(sql: str, row: dict[str, Any]) -> int:
    """What the server sends for an expression: Python's operators are its own, but for 64 bits."""
    made = eval(sql.replace("::BIGINT", ""), {}, row) & 2**WORD - 1
    return made - 2**WORD if made >> WORD - 1 else made


@given(rows())
def test_what_is_put_into_words_comes_out(given_rows: tuple[list[Sent], list[list[int]]]) -> None:
    """Signed or not, on top or below, alone or with others."""
    fields, values = given_rows
    named = [{each.sql: value for each, value in zip(fields, row, strict=True)} for row in values]
    found = {}
    for word in words(fields):
        whole = np.array([computed(word.sent.sql, row) for row in named], word.sent.dtype)
        found |= zip(word.fields, word.split(whole), strict=True)

    assert [[int(found[each][at]) for each in fields] for at in range(len(values))] == values


@given(rows())
def test_no_word_has_more_than_its_bits(given_rows: tuple[list[Sent], Any]) -> None:
    """And every field is in one of them, once."""
    fields, _ = given_rows
    made = words(fields)

    assert all(sum(each.bits for each in word.fields) <= WORD for word in made)
    assert sorted(each.sql for word in made for each in word.fields) == sorted(
        each.sql for each in fields
    )


def test_a_single_field_travels_as_it_is() -> None:
    """Nothing is computed for it."""
    alone = Sent("t.x", ">i2", 8)
    [word] = words([alone])

    assert word.sent is alone


@given(rows(), st.data())
def test_a_value_that_no_field_has_room_for_leaves_the_others_as_they_are(
    given_rows: tuple[list[Sent], list[list[int]]], data: st.DataObject
) -> None:
    """Columns are wider than the wire, and others may write to a table, too."""
    fields, [row, *_] = given_rows
    made = words(fields)
    shared = [each for word in made if len(word.fields) > 1 for each in word.fields]
    if not shared:
        return
    spoilt = data.draw(st.sampled_from(shared))
    named = {each.sql: value for each, value in zip(fields, row, strict=True)}
    beyond = {**named, spoilt.sql: data.draw(st.sampled_from([-1, -(2**62), 1 << spoilt.bits]))}
    for word in made:
        whole = np.array([computed(word.sent.sql, beyond)], word.sent.dtype)
        for field, values in zip(word.fields, word.split(whole), strict=True):
            if field is not spoilt:
                assert int(values[0]) == named[field.sql]
