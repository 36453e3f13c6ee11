"""`scripts/demo`: what a newcomer runs first ends well, and cleans up after itself."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]


@pytest.mark.timeout(240)
def test_the_demo_ends_well_and_leaves_nothing(tmp_path: Path) -> None:
    """It fetches, loads, queries, shows two workers' tasks in Flower, and removes its folder."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("HDI_")}
    place = tempfile.mkdtemp(prefix="d")

    done = subprocess.run(
        [sys.executable, str(REPO / "scripts/demo.py")], env={**env, "TMPDIR": place}, cwd=tmp_path,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=230, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Flower at \S+ shows .*\bSUCCESS\b.* by 2 workers", done.stdout)
    assert "asked again, it billed 0 more" in done.stdout
    assert "demo: completed" in done.stdout
    assert not list(Path(place).glob("hdi-demo-*"))
