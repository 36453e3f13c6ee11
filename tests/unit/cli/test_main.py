"""The one place where errors become lines."""

from __future__ import annotations

import sys

import click
import pytest

from ingestor.cli.main import guarded
from ingestor.errors import Usage


def lines(
    error: Exception, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """What a command that ends so prints on stderr."""

    @click.command()
    def failing() -> None:
        raise error

    monkeypatch.setattr(sys, "argv", ["hdi"])
    assert guarded(failing, "hdi") == 2
    return capsys.readouterr().err.split("\n")


@pytest.mark.parametrize(
    ("said", "printed"),
    [
        ("'AAPL  240315C00170000' is not held", "'AAPL  240315C00170000' is not held"),
        ("one\n    two\r\n\n three", "one two three"),
        ("a\tb", "a b"),
        ("a\x1b[2Jb\x00c\x9bd", "a [2Jb c d"),
        ("a\u2028b\x85c", "a b c"),
        (" whole  symbol \n", "whole  symbol"),
    ],
)
def test_a_message_and_its_hint_are_a_line_each_with_their_blanks(
    said: str,
    printed: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A symbol of options holds two blanks: a suggestion must not look like the wrong input."""
    assert lines(Usage(said, hint=said), capsys, monkeypatch) == [
        f"error: {printed}", f"next:  {printed}", "",
    ]  # fmt: skip


def test_words_that_click_refuses_keep_their_blanks_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was typed is quoted as it was."""
    said = lines(click.UsageError("no 'A  B'"), capsys, monkeypatch)

    assert said[0] == "error: no 'A  B'"
