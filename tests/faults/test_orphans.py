"""A worker process whose parent dies at the moment it is forked does not outlive it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ingestor.settings import Settings
from tests.conftest import environment

pytestmark = [pytest.mark.timescaledb, pytest.mark.redis, pytest.mark.faults]

FORKED = """
import os, sys, time
from workers import app
main = os.getpid()
app._starting()
if os.fork():
    {parent}
while {until}:
    time.sleep(0.01)
with open(sys.argv[1], "w") as told:
    told.write("forked ")
    told.flush()
    app._forked()
    told.write("lives on")
    told.flush()
    app._ending()
os._exit(0)
"""


@pytest.mark.parametrize(
    ("parent", "until", "told"),
    [
        ("os._exit(0)", "os.getppid() == main", "forked "),
        ("os._exit(os.waitstatus_to_exitcode(os.wait()[1]))", "False", "forked lives on"),
    ],
    ids=["parent_gone", "parent_there"],
)
def test_a_process_that_is_forked_while_its_parent_dies_ends_at_once(
    settings: Settings, tmp_path: Path, parent: str, until: str, told: str
) -> None:
    """It asks the kernel to die with its parent; one that is gone already cannot take it along."""
    file = tmp_path / "told"
    # Its end is that of the pipe which it has inherited.
    subprocess.run(
        [sys.executable, "-c", FORKED.format(parent=parent, until=until), str(file)],
        env=environment(settings), capture_output=True, timeout=60, check=True,
    )  # fmt: skip
    assert file.read_text() == told
