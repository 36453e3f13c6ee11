"""All kinds of faults at once, at random: a short run of scripts/chaos."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.campaign import run
from tests.chaos.options import Options

pytestmark = [pytest.mark.timescaledb, pytest.mark.redis, pytest.mark.slow]

SEED = 6
FAULTS = 300
FAMILIES = ("SIGKILL", "SIGSTOP", "Postgres", "Redis", "stream", "provider", "message", "lease")


@pytest.mark.timeout(300)
def test_after_300_faults_at_random_each_row_is_there_once_and_nothing_is_left_behind(
    tmp_path: Path,
) -> None:
    """Each counted once its effect was seen; then every value, receipt, session and file."""
    options = Options(
        seed=SEED, seconds=180, faults=FAULTS, keep=tmp_path / "run",
        report=tmp_path / "report.json",
    )  # fmt: skip
    report = run(options, print)
    print("\n".join(report.lines()))
    assert report.amiss == []
    assert report.tally.total >= FAULTS
    families = report.tally.by_family()
    assert all(families[each] for each in FAMILIES), families
    assert report.findings.chunks.total() > 200
    assert report.findings.quarantined > 0
