"""In CI a skipped test is a failed one: what could not run has proved nothing.

At home a missing service skips, so that everybody can run the rest. Where ``CI=true`` the same skip
fails, unless its reason begins with one of `ALLOWED`.
"""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

ALLOWED = ("needs Docker", "no corpus")


def _in_ci() -> bool:
    return os.environ.get("CI", "").lower() in {"1", "true"}


def _reason(longrepr: object) -> str:
    text = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
    return text.removeprefix("Skipped: ")


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not _in_ci() or report.outcome != "skipped" or hasattr(report, "wasxfail"):
        return
    reason = _reason(report.longrepr)
    if not reason.startswith(ALLOWED):
        report.outcome = "failed"
        report.longrepr = f"skipped, and CI allows no skips: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail_if_skipped(report)
    return report
