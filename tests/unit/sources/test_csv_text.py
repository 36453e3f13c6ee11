"""CSV is split as RFC 4180 says, whatever the text, and however it is cut into pieces."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.sources import csv_text
from ingestor.sources.csv_text import DELIMITERS, MOST_RECORD, Rows, record_at, split

_CELLS = st.text(st.sampled_from('ab1é"\n,;|\t '), max_size=5)
_STYLES = st.tuples(st.sampled_from(",;|\t"), st.booleans(), st.sampled_from(["\n", "\r\n"]))


def written(rows: list[list[str]], style: tuple[str, bool, str]) -> bytes:
    delimiter, all_quoted, end = style
    text = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if all_quoted else csv.QUOTE_MINIMAL
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=end)
    writer.writerows(rows)
    return text.getvalue().encode()


def cells(rows: Rows) -> list[list[str]]:
    every = slice(0, len(rows))
    columns = [rows.cells(at, every, 64).tolist() for at in range(len(rows.cell_starts))]
    return [[cell.decode() for cell in row] for row in zip(*columns, strict=True)]


def lines(rows: Rows) -> list[bytes]:
    return [rows.text[start:end] for start, end in zip(rows.starts, rows.ends, strict=True)]


def tables(columns: int) -> st.SearchStrategy[list[list[str]]]:
    return st.lists(st.lists(_CELLS, min_size=columns, max_size=columns), max_size=12)


@given(st.integers(2, 4).flatmap(lambda n: st.tuples(st.just(n), tables(n))), _STYLES)
def test_what_a_writer_writes_is_read_cell_by_cell(table, style):
    columns, rows = table
    text = written(rows, style)
    found, taken = split(text, ord(style[0]), columns)
    assert taken == len(text)
    assert cells(found) == rows


@given(tables(3), _STYLES, st.data())
def test_a_cut_anywhere_leaves_the_last_record_for_the_next_piece(rows, style, data):
    text = written(rows, style)
    at = data.draw(st.integers(0, len(text)))
    found, taken = split(text[:at], ord(style[0]), 3)
    rest, past = split(text[taken:], ord(style[0]), 3)
    assert taken <= at
    assert cells(found) + cells(rest) == rows
    assert taken + past == len(text)


@given(st.text(st.sampled_from('a,"\n\r\0é'), max_size=40), st.integers(1, 3))
def test_any_text_is_split_as_walking_through_it_does(text, columns):
    raw = text.encode() + b"\n"
    walked, place = [], 0
    while place < len(raw) and (found := record_at(raw, place, ord(","))) is not None:
        record, place = found
        walked.append((record.start, record.end))
    rows, taken = split(raw, ord(","), columns)
    assert taken == place
    found = list(zip(rows.starts.tolist(), rows.ends.tolist(), strict=True))
    assert found == [bounds for bounds in walked if bounds[0] < bounds[1]]
    slow, _ = csv_text._walked(raw, ord(","), columns)
    assert cells(rows) == cells(slow)


@given(st.text(st.sampled_from('a,"\n\r\0é'), max_size=30), st.integers(0, 40))
def test_any_text_is_split_alike_however_it_is_cut(text, at):
    raw = text.encode() + b"\n"
    whole, end = split(raw, ord(","), 2)
    first, taken = split(raw[:at], ord(","), 2)
    rest, past = split(raw[taken:], ord(","), 2)
    assert taken + past == end
    assert cells(first) + cells(rest) == cells(whole)
    assert lines(first) + lines(rest) == lines(whole)


@pytest.mark.parametrize("delimiter", DELIMITERS.decode())
def test_a_record_of_another_number_of_cells_is_broken_and_its_neighbours_are_not(delimiter):
    text = "a,b\nc\nd,e,f\n,\ng,h\n".replace(",", delimiter)
    found, _ = split(text.encode(), ord(delimiter), 2)
    assert cells(found) == [["a", "b"], ["", ""], ["", ""], ["", ""], ["g", "h"]]
    assert [line.decode() for line in lines(found)] == text.splitlines()


@pytest.mark.parametrize("bad", [b"x\0y,1", b"\xff,1", b'"a"b,1', b"\xc3,\xa9"])
def test_a_nul_other_bytes_than_utf8_and_text_behind_a_quote_break_one_record(bad):
    text = b"caf\xc3\xa9,1\n%s\nb,2\n" % bad
    found, taken = split(text, ord(","), 2)
    assert taken == len(text)
    assert cells(found) == [["café", "1"], ["", ""], ["b", "2"]]
    assert lines(found)[1] == bad


def test_a_quote_inside_a_cell_is_text():
    found, _ = split(b'5" pipe,1\n"say ""hi""",2\na""b,3\n', ord(","), 2)
    assert cells(found) == [['5" pipe', "1"], ['say "hi"', "2"], ['a""b', "3"]]


def test_a_quote_written_twice_at_the_end_of_a_piece_closes_nothing():
    text = b'"""\n";x\n'
    assert [split(text[:at], ord(";"), 2)[1] for at in range(len(text))] == [0] * len(text)
    assert cells(split(text, ord(";"), 2)[0]) == [['"\n', "x"]]


def test_empty_lines_are_no_records():
    found, taken = split(b"\n\r\na,b\n\n\r\nc,d\r\n\n", ord(","), 2)
    assert cells(found) == [["a", "b"], ["c", "d"]]
    assert taken == 16


def test_a_stray_quote_costs_the_records_that_it_swallows_and_no_more():
    """Blocks are large: everything behind it must not be held back until the next quote."""
    text = b'"open,1\n' + b"a,2\n" * (MOST_RECORD // 2) + b'b",3\n' + b"c,4\n" * 3
    found, taken = split(text, ord(","), 2)
    assert taken == len(text)
    assert cells(found)[-3:] == [["c", "4"]] * 3
    assert len(found) == 4


@pytest.mark.parametrize(("width", "cut"), [(1, "a"), (3, "abc"), (9, "abcd")])
def test_a_cell_is_cut_to_the_width_that_is_asked_for(width, cut):
    found, _ = split(b"abcd,x\n", ord(","), 2)
    assert found.cells(0, slice(0, 1), width).tolist() == [cut.encode()]
