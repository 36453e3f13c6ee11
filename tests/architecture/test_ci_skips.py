"""The rule that a skip fails in CI works."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def closing_line(folder: Path, *, ci: str, body: str, processes: int = 0) -> str:
    """What pytest says last of a file with this body, run by itself or by other processes."""
    (folder / "test_sample.py").write_text(f"import pytest\n{body}\n", encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    # The workers of a parallel run hand their own settings down in PYTEST_*.
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    finished = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "tests.ci_skips"),
            *("-n", str(processes), "--dist", "loadfile"),
            *("-c", str(folder / "pytest.ini"), "--rootdir", str(folder), str(folder)),
        ],
        cwd=ROOT,
        env={**inherited, "CI": ci},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return finished.stdout.strip().rpartition("\n")[2]


ONE_TEST = "def test_it():\n    pytest.skip({reason!r})"
WHOLE_FILE = "pytest.skip({reason!r}, allow_module_level=True)"


@pytest.mark.parametrize("processes", [0, 2])
@pytest.mark.parametrize(
    ("ci", "body", "reason", "verdict"),
    [
        ("", ONE_TEST, "no TimescaleDB", "1 skipped"),
        ("true", ONE_TEST, "no TimescaleDB", "1 failed"),
        ("true", ONE_TEST, "needs Docker: no daemon", "1 skipped"),
        ("true", ONE_TEST, "no corpus", "1 skipped"),
        ("", WHOLE_FILE, "no Redis", "1 skipped"),
        ("true", WHOLE_FILE, "no Redis", "1 error"),
        ("true", WHOLE_FILE, "no corpus", "1 skipped"),
    ],
)
def test_a_skip_is_judged_by_its_reason(
    tmp_path: Path, ci: str, body: str, reason: str, verdict: str, processes: int
) -> None:
    """What could not run has proved nothing, but for what no CI machine can have.

    The same where tests run side by side, and reports come from other processes.
    """
    said = closing_line(tmp_path, ci=ci, body=body.format(reason=reason), processes=processes)
    assert verdict in said


def test_an_expected_failure_stays_one(tmp_path: Path) -> None:
    """It reports itself as a skip, but the test did run."""
    body = "@pytest.mark.xfail(reason='known')\ndef test_it():\n    assert False"

    assert "1 xfailed" in closing_line(tmp_path, ci="true", body=body)
