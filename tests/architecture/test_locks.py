"""The locks are complete, agree with each other and say nothing of where they were made."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REQUIREMENT = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)(?: ; (.*?))? \\$")


def pins(name: str) -> set[tuple[str, ...]]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return {match.groups("") for line in lines if (match := REQUIREMENT.match(line))}


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_a_lock_holds_versions_hashes_and_nothing_else(name: str) -> None:
    """An index or a path of the machine that resolved it would bind everybody to it."""
    allowed = re.compile(rf"{REQUIREMENT.pattern}|^    --hash=sha256:[0-9a-f]{{64}}( \\)?$|^    #")
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()

    assert [line for line in lines if not allowed.search(line)] == []
    assert [line for line in lines if "://" in line or line.lstrip("# ").startswith("/")] == []


def test_one_environment_satisfies_both_locks() -> None:
    """Tests must run on the versions that users get."""
    runtime, dev = pins("requirements.txt"), pins("requirements-dev.txt")
    shared = {name for name, *_ in runtime}

    assert len(runtime) > 50
    assert {pin[:2] for pin in runtime} == {pin[:2] for pin in dev if pin[0] in shared}
