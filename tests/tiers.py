"""Marks tests by their folder and their servers, so that `-m` can choose a tier without paths."""

from __future__ import annotations

from pathlib import Path

import pytest

MARK_OF = {"unit": "fast", "architecture": "fast", "faults": "faults", "e2e": "e2e"}
"""Folder of tests/ → mark. Elsewhere a test says so itself."""

_TESTS = Path(__file__).parent


# First, because pytest's own hook of this name deselects by mark.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not item.path.is_relative_to(_TESTS):
            continue
        mark = MARK_OF.get(item.path.relative_to(_TESTS).parts[0])
        if mark is not None:
            item.add_marker(mark)
        if _needs_timescaledb(item):
            item.add_marker("timescaledb")


def _needs_timescaledb(item: pytest.Item) -> bool:
    """Whether it uses the server of fixture `servers`, itself or through another fixture."""
    callspec = getattr(item, "callspec", None)
    edition = None if callspec is None else callspec.params.get("any_place")
    return edition == "timescaledb" or "servers" in getattr(item, "fixturenames", ())
