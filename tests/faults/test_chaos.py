"""All kinds of faults at once, at random: a short run of scripts/chaos."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.campaign import run
from tests.chaos.options import Options

pytestmark = [pytest.mark.timescaledb, pytest.mark.redis, pytest.mark.slow]

SEED = 6
FAULTS = 300
DISK = "vault disk full"
"""Needs a file system of the run's own, which not every host lets a test mount."""

KINDS = {
    "SIGKILL of a worker child", "SIGKILL of a whole worker", "SIGKILL of a scheduler",
    "SIGSTOP past the lease", "duplicate messages", "FLUSHALL", "Redis SIGKILL and restart",
    "Postgres crash and restart", "backend terminated during COPY", "429 with Retry-After", "500",
    "503 with Retry-After", "504", "timeout", "connection reset", "stream cut, chunks end",
    "stream cut, last chunk missing", "stream cut below its length",
    "stream cut, connection closed", "bit flipped in a stream",
    "two workers on one chunk, lease expired", DISK,
}  # fmt: skip
"""Each must have had an effect; that jobs overlapped is told by rows that were there already."""


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
    wanted = KINDS & ({*report.tally.families} | (KINDS - {DISK}))
    assert wanted <= {*report.tally.hit}, wanted - {*report.tally.hit}
    assert report.findings.chunks.total() > 200
    assert report.findings.quarantined > 0
    assert report.findings.already_stored > 0
    assert report.sound
