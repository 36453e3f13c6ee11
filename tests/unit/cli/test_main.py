"""The one place where errors become lines."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

import click
import pytest

from ingestor.cli.main import guarded
from ingestor.errors import Usage
from ingestor.logs import get_logger


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


def _shared_no_more() -> None:
    get_logger("x").warning("limits are not shared", share="1/10", reason="ConnectionError")


def _another_library() -> None:
    logging.getLogger("pool").error("cannot reach %s", "redis://:secret@h:1/0\nat all")


def _with_a_traceback() -> None:
    try:
        raise ValueError("one\ntwo")
    except ValueError:
        get_logger("x").exception("not removed", path="p")
        get_logger("x").warning("nor read", exc_info=True)


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (
            _shared_no_more,
            "warning: limits are not shared (share 1/10, reason ConnectionError)\n",
        ),
        (_another_library, "warning: cannot reach redis://:***@h:1/0\\nat all\n"),
        (
            _with_a_traceback,
            "warning: not removed (path p): ValueError: one\nwarning: nor read: ValueError: one\n",
        ),
        (lambda: get_logger("x").info("nobody asked"), ""),
    ],
)
def test_what_is_logged_under_a_command_is_a_line_for_people(
    log: Callable[[], None],
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No dict, no traceback, no secret; and nothing is left behind for the next command."""
    monkeypatch.setattr(sys, "argv", ["hdi"])
    before = list(logging.getLogger().handlers)

    assert guarded(click.command()(log), "hdi") == 0

    assert capsys.readouterr().err == said
    assert logging.getLogger().handlers == before
