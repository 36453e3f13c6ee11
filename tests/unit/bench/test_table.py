"""The table of the docs is that of the run that they quote."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from table import table_of

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "performance.md").read_text()
README = (ROOT / "README.md").read_text()


@pytest.fixture(scope="module")
def quoted() -> dict[str, Any]:
    """The results that the page says it quotes."""
    [name] = set(re.findall(r"bench/results/(\d{4}-\d\d-\d\d\.json)", PAGE))
    report: dict[str, Any] = json.loads((ROOT / "bench" / "results" / name).read_text())
    return report


def goals(report: dict[str, Any]) -> list[dict[str, Any]]:
    found = [figure for of in report["measures"].values() for figure in of["figures"].values()]
    return [figure for figure in found if figure["goal"] is not None]


def test_the_page_holds_the_table_of_a_whole_run(quoted: dict[str, Any]) -> None:
    assert quoted["complete"]
    assert not quoted["quick"]
    assert "\n".join(table_of(quoted)) in PAGE


def test_page_and_readme_say_how_many_goals_are_met(quoted: dict[str, Any]) -> None:
    verdicts = [figure["goal"]["verdict"] for figure in goals(quoted)]
    said = f"{verdicts.count('met')} of {len(verdicts)} goals are met"
    assert said in " ".join(PAGE.split())
    assert said in " ".join(README.split())


def test_a_missed_goal_is_told_as_missed() -> None:
    goal = {"comparison": "≤", "value": 1.1, "every": False, "verdict": "missed"}
    figures = {
        "a ÷ b": {"unit": "×", "goal": goal, "median": 1.2, "each": [1.2, 1.3]},
        "a": {"unit": "s", "goal": None, "median": 3.0, "each": [3.0]},
    }
    assert list(table_of({"measures": {"load": {"figures": figures}}}))[2:] == [
        "| `load` | a ÷ b | 1.200 × | 1.200, 1.300 | ≤ 1.1 × | **missed** |"
    ]


def test_results_without_a_measure_are_refused() -> None:
    with pytest.raises(ValueError, match="no measure"):
        list(table_of({}))
