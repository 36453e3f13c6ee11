"""The rule that a skip fails in CI works."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

ONE_TEST = "def test_it():\n    pytest.skip({!r})"
WHOLE_FILE = "pytest.skip({!r}, allow_module_level=True)"
EXPECTED = "@pytest.mark.xfail(reason='known')\ndef test_it():\n    assert False"
CASES = {
    "without_its_server": (ONE_TEST.format("no TimescaleDB"), "SKIPPED", "FAILED"),
    "without_docker": (ONE_TEST.format("needs Docker: no daemon"), "SKIPPED", "SKIPPED"),
    "without_the_corpus": (ONE_TEST.format("no corpus"), "SKIPPED", "SKIPPED"),
    "whole_file_without_its_server": (WHOLE_FILE.format("no Redis"), "SKIPPED", "ERROR"),
    "whole_file_without_the_corpus": (WHOLE_FILE.format("no corpus"), "SKIPPED", "SKIPPED"),
    "expected_to_fail": (EXPECTED, "XFAIL", "XFAIL"),
}
"""A file's body → what pytest calls it at home, and in CI."""
_OUTCOME = re.compile(r"^([A-Z]+)(?: \[1\])? \S*test_(\w+)\.py", re.MULTILINE)


def outcomes(folder: Path, *, ci: str, processes: int) -> dict[str, str]:
    """What pytest says of each case, run by itself or by other processes."""
    for name, (body, _, _) in CASES.items():
        (folder / f"test_{name}.py").write_text(f"import pytest\n{body}\n", encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    # The workers of a parallel run hand their own settings down in PYTEST_*.
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    finished = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-rA", "-p", "tests.ci_skips"),
            *("-n", str(processes), "--dist", "loadfile", "--continue-on-collection-errors"),
            *("-c", str(folder / "pytest.ini"), "--rootdir", str(folder), str(folder)),
        ],
        cwd=ROOT,
        env={**inherited, "CI": ci},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    return {name: outcome for outcome, name in _OUTCOME.findall(finished.stdout)}


@pytest.mark.parametrize("processes", [0, 2])
@pytest.mark.parametrize("ci", ["", "true"], ids=["at_home", "in_ci"])
def test_a_skip_is_judged_by_its_reason(tmp_path: Path, ci: str, processes: int) -> None:
    """What could not run has proved nothing, but for what no CI machine can have.

    An expected failure reports itself as a skip, but that test did run. The same where tests run
    side by side, and reports come from other processes.
    """
    expected = {name: in_ci if ci else at_home for name, (_, at_home, in_ci) in CASES.items()}
    assert outcomes(tmp_path, ci=ci, processes=processes) == expected
