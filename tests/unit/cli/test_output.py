"""What goes to stdout, and in which form."""

from __future__ import annotations

import datetime as dt
import io
import sys
from decimal import Decimal

import pytest

from ingestor.cli.output import as_json, duration, plain, plural, print_facts, print_table


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_table_that_is_piped_is_tab_separated(capsys: pytest.CaptureFixture[str]) -> None:
    """`cut` and `sort` need one separator that no cell holds."""
    print_table(("a", "b"), [("x\ty", 1_000), (None, "two\nlines")], right=("b",))

    assert capsys.readouterr().out == "a\tb\nx y\t1000\n\ttwo lines\n"


def test_a_table_on_a_terminal_is_aligned_and_groups_digits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Text that looks like rich's markup stays as it is."""
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("NO_COLOR", "1")
    print_table(("name", "rows"), [("[bold]x", 1_234_567), (None, 2)], right=("rows",))

    assert "[bold]x 1,234,567" in screen.getvalue()
    assert "–               2" in screen.getvalue()


def test_json_keeps_every_digit_of_a_price() -> None:
    """1E-9 is a number to few programs, and a float loses digits."""
    value = {"price": Decimal("0.000000001"), "day": dt.date(2024, 3, 11)}

    assert as_json(value) == b'{"price":"0.000000001","day":"2024-03-11"}'
    assert plain(Decimal("0E-9")) == "0.000000000"


def test_facts_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    """Names in a column, what is said of them in the next."""
    print_facts([("job", "x"), ("records", "1")])

    assert capsys.readouterr().out == "job      x\nrecords  1\n"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.04, "0.0 s"),
        (9.96, "10.0 s"),
        (42.4, "42 s"),
        (185, "3 min 5 s"),
        (3_599.7, "1 h 0 min"),
        (7_800, "2 h 10 min"),
        (273_600, "3 d 4 h"),
    ],
)
def test_a_span_is_said_in_its_two_largest_units(seconds: float, said: str) -> None:
    """Nobody divides 7,800 s in their head."""
    assert duration(seconds) == said


def test_one_is_singular() -> None:
    """`1 chunk`, `2,000 chunks`."""
    assert plural(1, "chunk") == "1 chunk"
    assert plural(2000, "chunk") == "2,000 chunks"
