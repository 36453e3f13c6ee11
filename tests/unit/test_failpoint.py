"""Failpoints do nothing unless asked, and then what was asked where it was asked."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import ingestor
from ingestor import failpoint
from ingestor.failpoint import POINTS, VARIABLE, InjectedFault, Meter, reach


def test_nothing_happens_unless_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is not set on any real installation."""
    monkeypatch.delenv(VARIABLE, raising=False)
    for point in POINTS:
        reach(point)


def test_only_the_named_point_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others are passed."""
    monkeypatch.setenv(VARIABLE, "before_commit:raise")
    reach("after_commit")
    with pytest.raises(InjectedFault, match="before_commit"):
        reach("before_commit")


@pytest.mark.parametrize(("action", "number"), [("kill", signal.SIGKILL), ("stop", signal.SIGSTOP)])
def test_kill_and_stop_are_signals_to_the_process_itself(
    monkeypatch: pytest.MonkeyPatch, action: str, number: signal.Signals
) -> None:
    """As the kernel or an operator would send them."""
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, which: sent.append((pid, which)))
    # A stop goes to the calling thread: the others of the process stop with it.
    monkeypatch.setattr(signal, "pthread_kill", lambda _, which: sent.append((os.getpid(), which)))
    monkeypatch.setenv(VARIABLE, f"claimed:{action}")
    reach("claimed")
    assert sent == [(os.getpid(), number)]


def test_a_killed_process_leaves_no_trace_of_python() -> None:
    """No handler, no finally: the signal cannot be caught."""
    code = "from ingestor.failpoint import reach\ntry: reach('claimed')\nfinally: print('never')"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, VARIABLE: "claimed:kill"},
        capture_output=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, b"")


def test_sleep_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Longer than any lease."""
    slept: list[float] = []
    monkeypatch.setattr(failpoint.time, "sleep", slept.append)
    monkeypatch.setenv(VARIABLE, "fetched:sleep")
    reach("fetched")
    assert slept[0] >= 600


def test_an_unknown_action_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that is misspelt must not pass by doing nothing."""
    monkeypatch.setenv(VARIABLE, "fetched:explode")
    with pytest.raises(ValueError, match="known: kill, stop, raise, sleep"):
        reach("fetched")


def test_a_file_arms_a_process_that_is_running(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is read each time."""
    order = tmp_path / "order"
    order.write_text("")
    monkeypatch.setenv(VARIABLE, f"@{order}")
    reach("fetched")
    order.write_text("fetched:raise\n")
    with pytest.raises(InjectedFault):
        reach("fetched")


def points_of(total: int, amounts: list[int]) -> list[str]:
    reached: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(failpoint, "reach", reached.append)
        patch.setenv(failpoint.VARIABLE, "elsewhere:stop")
        meter = Meter(total)
        for amount in amounts:
            meter.add(amount)
    return reached


def test_a_meter_reaches_every_percent_once() -> None:
    """However big the steps are."""
    assert points_of(300, [1, 149, 0, 150]) == [f"copy@{n}" for n in range(1, 101)]


def test_a_meter_does_not_pass_a_hundred() -> None:
    """A payload that yields more than was counted is another check's business."""
    assert points_of(10, [50]) == [f"copy@{n}" for n in range(1, 101)]


def test_a_meter_of_nothing_works() -> None:
    """An empty chunk has no percent to reach."""
    assert points_of(0, [0]) == []


def test_every_point_is_reached_somewhere() -> None:
    """A point that no code reaches would make its test pass for nothing."""
    code = "\n".join(path.read_text() for path in Path(ingestor.__file__).parent.rglob("*.py"))
    reached = set(re.findall(r'reach\(f?"([^"{]+)', code))
    assert {point.replace("@N", "@") for point in POINTS} <= reached
