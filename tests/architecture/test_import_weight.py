"""What a user types most often answers at once: help, completion and refusals load no giants."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from ingestor.cli import entry, main

DATA_LIBRARIES = {"databento", "databento_dbn", "pandas", "pandera", "pyarrow", "workers"}
SERVICES = {"alembic", "asyncpg", "celery", "fastapi", "fsspec", "kombu", "numpy", "sqlalchemy"}

PROBE = """
import json, sys
from ingestor.cli import entry
command, *arguments = sys.argv[1:]
sys.argv = ["hdi", *arguments]
status = 0
try:
    getattr(entry, command)()
except SystemExit as end:
    status = end.code
roots = sorted({name.partition(".")[0] for name in sys.modules})
print(json.dumps({"status": status or 0, "modules": roots}), file=sys.stderr)
"""


def run(
    command: str, *arguments: str, environment: dict[str, str] | None = None
) -> tuple[int, set[str]]:
    """Exit status of an entry point, and the top-level modules it had loaded by then."""
    finished = subprocess.run(
        [sys.executable, "-c", PROBE, command, *arguments],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    last = finished.stderr.strip().rpartition("\n")[2]
    assert last.startswith('{"status"'), finished.stderr
    report = json.loads(last)
    return report["status"], set(report["modules"])


@pytest.mark.parametrize("command", ["hdi_submit", "hdi"])
def test_help_loads_neither_data_libraries_nor_services(command: str) -> None:
    """pandas, pandera and databento cost 0.6 s each, click alone 0.04 s."""
    status, modules = run(command, "--help")

    assert status == 0
    assert not modules & (DATA_LIBRARIES | SERVICES)


def test_help_of_a_submission_stays_at_the_speed_of_click() -> None:
    """What click does not load itself, pathlib say, would be a tenth of the time."""
    status, modules = run("hdi_submit", "--help")

    assert status == 0
    assert not modules & {"pathlib", "logging", "asyncio"}


@pytest.mark.parametrize("command", [entry.hdi_submit, entry.hdi])
def test_garbage_is_collected_again_once_all_is_imported(
    command: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`hdi serve` goes on for months in the process that its entry point began."""
    collecting: list[bool] = []
    monkeypatch.setattr(main, "guarded", lambda *_: collecting.append(gc.isenabled()))

    with pytest.raises(SystemExit):
        command()
    gc.unfreeze()  # this process has other tests to run

    assert collecting == [True]


@pytest.mark.parametrize("command", ["hdi_submit", "hdi"])
def test_an_unknown_option_is_refused_without_loading_data_libraries(command: str) -> None:
    """Argument errors are as quick as help, and exit with 2."""
    status, modules = run(command, "--no-such-option")

    assert status == 2
    assert not modules & DATA_LIBRARIES


@pytest.mark.parametrize(
    ("command", "variable"), [("hdi_submit", "_HDI_SUBMIT_COMPLETE"), ("hdi", "_HDI_COMPLETE")]
)
def test_completion_loads_no_data_libraries(command: str, variable: str) -> None:
    """A shell asks on every press of the tab key."""
    completion = {variable: "bash_complete", "COMP_WORDS": "hdi --", "COMP_CWORD": "1"}
    status, modules = run(command, environment=completion)

    assert status == 0
    assert not modules & DATA_LIBRARIES
