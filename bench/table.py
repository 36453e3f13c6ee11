"""The table of the docs: each goal with its median, its samples and whether it is met."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from figures import spelled

_HEAD = ("| measure | figure | median | samples | goal | |", "|---|---|---|---|---|---|")


def table_of(report: Mapping[str, Any]) -> Iterator[str]:
    """Lines of Markdown, in the order of the run.

    Raises:
        ValueError: The results hold no measure.
    """
    if not report.get("measures"):
        raise ValueError("the results hold no measure")
    yield from _HEAD
    for measure, found in report["measures"].items():
        for name, figure in found["figures"].items():
            if figure["goal"] is not None:
                yield _row(measure, name, figure)


def _row(measure: str, name: str, figure: Mapping[str, Any]) -> str:
    unit, goal = figure["unit"], figure["goal"]
    each = ", ".join(spelled(value, unit) for value in figure["each"])
    median = f"{spelled(figure['median'], unit)} {unit}"
    wanted = f"{goal['comparison']} {goal['value']:g} {unit}"
    verdict = "met" if goal["verdict"] == "met" else "**missed**"
    return f"| `{measure}` | {name} | {median} | {each} | {wanted} | {verdict} |"
