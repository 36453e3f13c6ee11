"""Lists of symbols: what a line holds, and which line is wrong."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.errors import Usage
from ingestor.symbol_list import (
    MAX_BYTES,
    as_symbol_list,
    read_symbol_file,
    read_symbols,
    symbol_fault,
)

PLAIN = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=",#"))
SYMBOLS = st.lists(
    st.lists(PLAIN.filter(bool), min_size=1, max_size=3).map("  ".join), min_size=1, max_size=20
)


def read(raw: bytes) -> tuple[str, ...]:
    return read_symbols(io.BytesIO(raw), "list.txt").symbols


def refusal(raw: bytes) -> str:
    with pytest.raises(Usage) as error:
        read(raw)
    return error.value.message


@given(symbols=SYMBOLS, end=st.sampled_from(["\n", "\r\n"]), mark=st.booleans())
def test_what_is_written_one_per_line_is_read(symbols: list[str], end: str, mark: bool) -> None:
    """Whatever the line ends, with a byte order mark or without; blanks inside are kept."""
    symbols = [each for each in symbols if each.upper().replace("-", "_") != "ALL_SYMBOLS"] or ["X"]
    raw = (b"\xef\xbb\xbf" if mark else b"") + end.join(symbols).encode()

    assert read(raw) == tuple(dict.fromkeys(symbols))


def test_comments_and_blank_lines_are_left_out() -> None:
    """A # inside a symbol is no comment."""
    raw = b"# front months\n\nES#4 \n  # more\nAAPL  250221C00250000\t# a call\nUD:1V: SG 2850060"

    assert read(raw) == ("ES#4", "AAPL  250221C00250000", "UD:1V: SG 2850060")


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"ESH4\nNQ\0H4\n", "line 2: 'NQ\\x00H4' holds a NUL byte"),
        (b"ESH4\n\n\x1b[31m\n", "line 3: '\\x1b[31m' holds the character U+001B"),
        (b"ESH4\tNQH4", "line 1: 'ESH4\\tNQH4' holds a tab"),
        (b"ESH4,NQH4", "line 1: 'ESH4,NQH4' holds a comma"),
        ("ES\u00a0H4".encode(), "line 1: 'ES\\xa0H4' holds the character U+00A0"),
        (b"ESH4\rNQH4", "line 1: 'ESH4\\rNQH4' holds a carriage return"),
        (b"ESH4\n\xff\xfe\n", "line 2: no UTF-8 text"),
        (b"all_symbols", "line 1: 'all_symbols' is spelled ALL_SYMBOLS"),
        (b"# nothing\n", "no symbol in 'list.txt'"),
        (b"ALL_SYMBOLS\nESH4", "ALL_SYMBOLS stands alone, found it beside 1 more"),
    ],
)
def test_a_wrong_line_is_told_with_its_number(raw: bytes, said: str) -> None:
    """What could not be seen in an editor, above all."""
    assert said in refusal(raw)


def test_a_file_that_is_too_large_is_refused_unread() -> None:
    """A data file named by mistake must not fill the memory."""
    with pytest.raises(Usage, match="larger than 16 MiB"):
        read_symbols(io.BytesIO(b"A\n" * (MAX_BYTES // 2 + 1)), "big")


def test_a_file_that_cannot_be_read_is_named_with_the_reason(tmp_path: Path) -> None:
    """A folder, a missing file, a name that no file can have."""
    for path in (tmp_path, tmp_path / "none", Path("a\0b")):
        with pytest.raises(Usage, match="cannot be read: "):
            read_symbol_file(path)


def test_repeated_symbols_are_asked_for_once_and_noted() -> None:
    """At most five are named."""
    found = as_symbol_list(["A", "B", "A", "A"])

    assert (found.symbols, found.repeated) == (("A", "B"), ("A",))
    assert found.note == "named more than once, asked for once: A"
    assert as_symbol_list("ABCDEFG" * 2).note.endswith("A, B, C, D, E and 2 more")
    assert as_symbol_list(["A"]).note == ""


@pytest.mark.parametrize("text", ["ESH4", "ES.c.0", "ES.FUT", "AAPL  250221C00250000", "BRK/B"])
def test_real_symbols_are_symbols(text: str) -> None:
    """Which ones there are is the provider's to say."""
    assert symbol_fault(text) == ""
