"""Long steps say how far they have come, and are otherwise what they were."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.cli import steps_bar
from ingestor.cli.steps_bar import StepLines, StepsBar, steps_shown
from ingestor.steps import counted, listening


@given(st.lists(st.integers(), max_size=500))
def test_what_is_counted_stays_as_it_is_with_and_without_a_listener(things: list[int]) -> None:
    told: list[tuple[str, int, int]] = []
    assert list(counted("things", iter(things), len(things))) == things
    with listening(lambda *said: told.append(said)):
        assert list(counted("things", iter(things), len(things))) == things
    assert len(told) <= 200
    assert [done for _, done, _ in told] == sorted({done for _, done, _ in told})
    assert not things or told[-1] == ("things", len(things), len(things))


def test_a_thing_counts_when_it_is_done_with() -> None:
    told: list[int] = []
    with listening(lambda what, done, total: told.append(done)):
        steps = counted("things", "ab", 2)
        next(steps)
        assert told == []
        next(steps)
        assert told == [1]
        assert list(steps) == []
        assert told == [1, 2]


def test_nobody_is_told_after_the_block() -> None:
    told: list[int] = []
    with listening(lambda what, done, total: told.append(done)):
        pass
    assert list(counted("things", "abc", 3)) == ["a", "b", "c"]
    assert told == []


def test_a_quick_step_is_not_shown_and_a_long_one_says_a_line_every_few_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [100.0]
    monkeypatch.setattr(steps_bar.time, "monotonic", lambda: now[0])
    lines = StepLines()
    for done in range(1, 9_001):
        now[0] += 0.001
        lines("files read", done, 10_000)
    said = capsys.readouterr()
    assert (said.out, len(said.err.splitlines())) == ("", 1)
    assert re.fullmatch(r"files read: 5,0\d\d of 10,000\n", said.err)


def test_a_bar_is_drawn_from_its_second_second_on(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(steps_bar.time, "monotonic", lambda: now[0])
    bar = StepsBar()
    bar("files read", 1, 10)
    assert not bar.drawn
    now[0] += 1.5
    bar("files read", 2, 10)
    assert bar.drawn
    bar.stop()


def test_quiet_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with steps_shown(bar=True, quiet=True):
        assert list(counted("things", "abc", 3)) == ["a", "b", "c"]
    assert capsys.readouterr() == ("", "")
