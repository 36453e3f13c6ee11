"""Figures: samples of one quantity, their median, the goal beside it; as lines and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One quantity, measured once or more.

    Attributes:
        each: Samples in the order they were taken; a ratio has one for each pair.
        unit: ``s``, ``×``, ``MB``, ``rows`` or ``chunks/s``.
        goal: What it is to reach, for people; empty where the figure only explains another one.
    """

    name: str
    each: tuple[float, ...]
    unit: str = "s"
    goal: str = ""

    @property
    def median(self) -> float:
        return median(self.each)

    def over(self, other: Figure, name: str, goal: str = "") -> Figure:
        """This ÷ `other`, pair by pair: what slows a whole pair down cancels out."""
        ratios = tuple(mine / its for mine, its in zip(self.each, other.each, strict=True))
        return Figure(name, ratios, "×", goal)

    def as_json(self) -> dict[str, Any]:
        each = [round(value, 6) for value in self.each]
        return {"unit": self.unit, "goal": self.goal, "median": round(self.median, 6), "each": each}

    def line(self) -> str:
        shown = f"{_spelled(self.median, self.unit)} {self.unit}"
        each = " ".join(_spelled(value, self.unit) for value in self.each)
        samples = f"({each})" if len(self.each) > 1 else ""
        goal = f"goal: {self.goal}" if self.goal else ""
        return f"    {self.name:<30} {shown:>15}   {samples:<24} {goal}".rstrip()


@dataclass(frozen=True, slots=True)
class Measure:
    """What was measured, and its figures."""

    name: str
    what: str
    figures: Sequence[Figure]

    def lines(self) -> Iterator[str]:
        yield f"{self.name}: {self.what}"
        yield from (figure.line() for figure in self.figures)

    def as_json(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "figures": {figure.name: figure.as_json() for figure in self.figures},
        }


def figures_of(runs: Sequence[Mapping[str, float]], *, prefix: str = "") -> list[Figure]:
    """One figure in seconds for each key of runs that all have the same keys."""
    return [Figure(f"{prefix}{key}", tuple(run[key] for run in runs)) for key in runs[0]]


def _spelled(value: float, unit: str) -> str:
    if unit in ("rows", "MB"):
        return f"{value:,.0f}"
    return f"{value:,.3f}" if value < 10 else f"{value:,.1f}"
