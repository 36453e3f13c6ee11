"""What `scripts/test` makes of its arguments."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARALLEL = ["-n", "auto", "--maxprocesses", "8", "--dist", "loadfile", "--no-loadscope-reorder"]
FAST = ["-m", "fast and not slow and not timescaledb"]

ECHO = """#!/bin/sh
shift 2
for word in "$@"; do printf '%s\\n' "$word"; done
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """The script in a checkout whose interpreter only repeats what it is given to pytest."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "tests/unit").mkdir(parents=True)
    (tmp_path / "tests/unit/test_plan.py").touch()
    made = Path(shutil.copy(ROOT / "scripts/test", tmp_path / "scripts/test"))
    for place, text in (("scripts/bootstrap", "#!/bin/sh\n"), (".venv/bin/python", ECHO)):
        program = tmp_path / place
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(text, encoding="utf-8")
        program.chmod(0o755)
    return made


@pytest.mark.parametrize(
    ("given", "handed"),
    [
        ([], PARALLEL),
        (["--fast"], [*PARALLEL, *FAST]),
        (["--durations=20"], [*PARALLEL, "--durations=20"]),
        (
            ["tests/unit", "-k", "two words", "-x"],
            [*PARALLEL, "tests/unit", "-k", "two words", "-x"],
        ),
        (["--fast", "-n", "2"], [*PARALLEL, *FAST, "-n", "2"]),
        (["tests/unit/test_plan.py", "-x"], ["tests/unit/test_plan.py", "-x"]),
        (["tests/unit/test_plan.py::test_it"], ["tests/unit/test_plan.py::test_it"]),
        (["-p", "no:xdist"], ["-p", "no:xdist"]),
    ],
)
def test_tests_run_on_all_cores_unless_an_argument_chooses(
    script: Path, given: list[str], handed: list[str]
) -> None:
    """Of two `-n` pytest takes the last, so that the caller's own goes before the default."""
    done = subprocess.run(
        [script, *given], env={**os.environ, "HDI_DBN_CORPUS": "elsewhere"},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip

    assert done.stdout.splitlines() == handed


def test_a_path_that_is_none_is_told(script: Path) -> None:
    """With pytest's exit code of a wrong call."""
    done = subprocess.run(
        [script, "tests/unit", "tests/unti"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == "test: there is no tests/unti\n"
