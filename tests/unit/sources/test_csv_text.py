"""CSV is split as RFC 4180 says, whatever the text, and however it is cut into pieces."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestor.sources import csv_text, csv_walk
from ingestor.sources.csv_text import Rows, split
from ingestor.sources.csv_walk import DELIMITERS, MOST_RECORD

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
    """Without cells that hold a whole line inside, which may look like a record."""
    cell = _CELLS.filter(lambda text: text.count("\n") < 2)
    return st.lists(st.lists(cell, min_size=columns, max_size=columns), max_size=12)


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


def plainly(text: str, columns: int, most: int) -> list[tuple[str, list[str] | None]]:
    """Lines and cells as a reader of one character after the other finds them."""
    found, at = [], 0
    while at < len(text):
        line = text[at : text.index("\n", at) + 1]
        cells, raw, closed = one_record(text[at:])
        if "\n" in raw[:-1] and not (
            closed
            and cells is not None
            and len(cells) == columns
            and len(bare(raw).encode()) <= most
            and not any('"' in cell for cell, quoted in cells if not quoted)
            and not any(
                looks_like_one(each, columns)
                for cell, quoted in cells
                if quoted
                for each in cell.split("\n")[1:-1]
            )
        ):
            cells, raw = None, line
        if bare(raw):
            good = cells is not None and len(cells) == columns and "\0" not in raw
            found.append((bare(raw), [told(*cell) for cell in cells] if good and cells else None))
        at += len(raw)
    return found


def one_record(text: str) -> tuple[list[tuple[str, bool]] | None, str, bool]:
    """Cells, whether they are quoted, the text that they take, and whether quotes are closed."""
    cells: list[tuple[str, bool]] | None = []
    at = 0
    while True:
        if text[at] == '"':
            end = at + 1
            while end < len(text) and (text[end] != '"' or text[end : end + 2] == '""'):
                end += 2 if text[end] == '"' else 1
            if end >= len(text):
                return None, text, False
            behind = text[end + 1 :].split("\n", 1)[0]
            if cells is not None:
                cells.append((text[at + 1 : end], True))
            end += 1
            if text[end] != ",":
                return (
                    (cells if behind in ("", "\r") else None),
                    text[: end + len(behind) + 1],
                    True,
                )
        else:
            end = min(place for place in (text.find(",", at), text.find("\n", at)) if place >= 0)
            if text[end] == "\n":
                return [*(cells or []), (bare(text[at : end + 1]), False)], text[: end + 1], True
            if cells is not None:
                cells.append((text[at:end], False))
        at = end + 1


def bare(line: str) -> str:
    return line.removesuffix("\n").removesuffix("\r")


def told(cell: str, quoted: bool) -> str:
    return (cell.replace('""', '"') if quoted else cell).rstrip("\0")


def looks_like_one(line: str, columns: int) -> bool:
    cells, _, closed = one_record(line + "\n")
    return bool(line.strip("\r")) and closed and cells is not None and len(cells) == columns


def read(rows: Rows) -> list[tuple[str, list[str] | None]]:
    """As `plainly`; a record of empty cells is one that is broken, or one that says nothing."""
    return [(line.decode(), row) for line, row in zip(lines(rows), cells(rows), strict=True)]


_TEXTS = st.lists(
    st.sampled_from(['"', '""', ",", "\n", "\r\n", "a", "\0", "é", "a,b\n", '"a",b\n', 'c,"d']),
    max_size=16,
).map("".join)


@given(_TEXTS, st.integers(1, 3), st.sampled_from([7, MOST_RECORD]))
@settings(max_examples=400)
def test_any_text_is_split_as_a_plain_reader_does_however_it_is_cut(text, columns, most):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_walk, "MOST_RECORD", most)
        raw = text.encode() + b"\n"
        whole, taken = split(raw, ord(","), columns, last=True)
        expected = plainly(text + "\n", columns, most)
        assert taken == len(raw)
        assert read(whole) == [(line, row or [""] * columns) for line, row in expected]
        walked, _ = csv_text._walked(raw, ord(","), columns, last=True)
        assert read(walked) == read(whole)
        for at in range(len(raw)):
            first, taken = split(raw[:at], ord(","), columns)
            rest, past = split(raw[taken:], ord(","), columns, last=True)
            assert taken + past == len(raw)
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


_GOOD = [b"2024-03-%02d,A%d,%d,x" % (at % 28 + 1, at, at) for at in range(200)]


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        (b'2024-03-01,"AAA,1,x', b'2024-03-02,B",2,x'),  # would be a record of other cells
        (b'2024-03-01,AAA,1,"x', b'2024-03-02,B,2,x"'),  # would be a good one
        (b'2024-03-01,AAA,1,"x', b'2024-03-02,B,2,"x"'),
        (b'2024-03-01,AAA,1,"x', b'2024-03-02,"B""",2,x'),
        (b'2024-03-01,AAA,1,"x', b"2024-03-02,B,2,x"),  # is never closed
    ],
)
def test_a_stray_quote_costs_the_line_that_it_stands_in_and_no_other(opening, closing):
    text = b"\n".join([opening, *_GOOD, closing, *_GOOD, b""])
    found, taken = split(text, ord(","), 4, last=True)
    assert taken == len(text)
    assert lines(found) == text.splitlines()
    read = cells(found)
    assert read[0] == [""] * 4
    good = [line.decode().split(",") for line in _GOOD]
    assert read[1:201] == read[202:] == good


def test_the_rest_of_a_large_piece_is_not_held_back_until_the_next_quote():
    text = b'"open,1\n' + b"a,2\n" * (MOST_RECORD // 2) + b'b",3\n' + b"c,4\n" * 3
    found, taken = split(text, ord(","), 2)
    assert taken == len(text)
    assert len(found) == text.count(b"\n")
    assert cells(found)[1:-4] == [["a", "2"]] * (MOST_RECORD // 2)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_cell_may_span_lines_that_are_no_records(end):
    rows = [["1", "two\n\nlines, and\nmore", "x"], ["2", 'he said\n"no"\n,', "y"], ["3", "", ""]]
    text = written(rows, (",", False, end))
    found, taken = split(text, ord(","), 3)
    assert taken == len(text)
    assert cells(found) == rows


def test_a_cell_that_holds_a_line_that_is_a_record_is_refused_at_its_first_line():
    text = b'1,"see\n2,b\n",\n3,c\n'
    found, _ = split(text, ord(","), 2, last=True)
    assert cells(found)[:2] == [["", ""], ["2", "b"]]
    assert lines(found)[0] == b'1,"see'
    assert cells(found)[-1] == ["3", "c"]


def test_a_record_of_several_lines_beyond_the_bound_is_cut_at_its_first():
    inside, beyond = (b'"%s\ny",1\n' % (b"x" * (MOST_RECORD - extra)) for extra in (6, 5))
    assert len(split(inside, ord(","), 2)[0]) == 1
    assert lines(split(beyond, ord(","), 2)[0])[1] == b'y",1'


@pytest.mark.parametrize(("width", "cut"), [(1, "a"), (3, "abc"), (9, "abcd")])
def test_a_cell_is_cut_to_the_width_that_is_asked_for(width, cut):
    found, _ = split(b"abcd,x\n", ord(","), 2)
    assert found.cells(0, slice(0, 1), width).tolist() == [cut.encode()]
