"""Figures: samples of one quantity, their median, the goal beside it; as lines and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal

_WHOLE = ("rows", "samples", "MB", "rows/s")


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure is to reach.

    Attributes:
        every: Whether each sample has to, not only the median: what must never happen.
    """

    comparison: Literal["≤", "≥"]
    value: float
    every: bool = False

    def met(self, figure: Figure) -> bool:
        judged = figure.each if self.every else (figure.median,)
        if self.comparison == "≤":
            return all(value <= self.value for value in judged)
        return all(value >= self.value for value in judged)

    def shown(self, unit: str) -> str:
        return f"{self.comparison} {self.value:g} {unit}"


def at_most(value: float, *, every: bool = False) -> Goal:
    return Goal("≤", value, every)


def at_least(value: float) -> Goal:
    return Goal("≥", value)


@dataclass(frozen=True, slots=True)
class Figure:
    """One quantity, measured once or more.

    Attributes:
        each: Samples in the order they were taken; a ratio has one for each pair.
        unit: ``s``, ``ms``, ``µs/row``, ``×``, ``%``, ``MB``, ``rows``, ``rows/s`` or ``chunks/s``.
        goal: None where the figure only explains another one.
    """

    name: str
    each: tuple[float, ...]
    unit: str = "s"
    goal: Goal | None = None

    @property
    def median(self) -> float:
        return median(self.each)

    @property
    def verdict(self) -> str:
        """``met`` or ``missed``; empty where there is no goal."""
        if self.goal is None:
            return ""
        return "met" if self.goal.met(self) else "missed"

    def over(self, other: Figure, name: str, goal: Goal | None = None) -> Figure:
        """This ÷ `other`, pair by pair: what slows a whole pair down cancels out."""
        ratios = tuple(mine / its for mine, its in zip(self.each, other.each, strict=True))
        return Figure(name, ratios, "×", goal)

    def per_row(self, rows: int, name: str) -> Figure:
        """Seconds as microseconds a row."""
        return Figure(name, tuple(value / rows * 1e6 for value in self.each), "µs/row")

    def in_ms(self) -> Figure:
        """Seconds as milliseconds."""
        return Figure(self.name, tuple(value * 1e3 for value in self.each), "ms")

    def rate(self, count: int, name: str, unit: str, goal: Goal | None = None) -> Figure:
        """Seconds as so many things a second."""
        return Figure(name, tuple(count / value for value in self.each), unit, goal)

    def as_json(self) -> dict[str, Any]:
        each = [round(value, 6) for value in self.each]
        goal = None
        if self.goal is not None:
            goal = {
                "comparison": self.goal.comparison,
                "value": self.goal.value,
                "every": self.goal.every,
                "verdict": self.verdict,
            }
        return {"unit": self.unit, "goal": goal, "median": round(self.median, 6), "each": each}

    def shown(self) -> str:
        return f"{spelled(self.median, self.unit)} {self.unit}"

    def line(self) -> str:
        each = " ".join(spelled(value, self.unit) for value in self.each)
        samples = f"({each})" if len(self.each) > 1 else ""
        goal = f"goal: {self.goal.shown(self.unit)}, {self.verdict}" if self.goal else ""
        return f"    {self.name:<42} {self.shown():>18}   {samples:<22} {goal}".rstrip()


@dataclass(frozen=True, slots=True)
class Measure:
    """What was measured, and its figures.

    Attributes:
        absent: What could not be measured here → why.
        notes: Lines that explain the figures, for people.
        detail: The same in full, as JSON values.
    """

    name: str
    what: str
    figures: Sequence[Figure]
    absent: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        yield f"{self.name}: {self.what}"
        yield from (figure.line() for figure in self.figures)
        yield from (f"    {name:<42} not measured: {why}" for name, why in self.absent.items())
        yield from (f"    {note}" for note in self.notes)

    def as_json(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "figures": {figure.name: figure.as_json() for figure in self.figures},
            "absent": dict(self.absent),
            "detail": dict(self.detail),
        }


def figures_of(runs: Sequence[Mapping[str, float]], *, prefix: str = "") -> list[Figure]:
    """One figure in seconds for each key of runs that all have the same keys."""
    return [Figure(f"{prefix}{key}", tuple(run[key] for run in runs)) for key in runs[0]]


def verdicts(measures: Sequence[Measure]) -> Iterator[str]:
    """The closing table: every goal, and whether it is met."""
    judged = [
        (measure, figure)
        for measure in measures
        for figure in measure.figures
        if figure.goal is not None
    ]
    for measure, figure in judged:
        assert figure.goal is not None
        yield (
            f"{figure.verdict:<7} {measure.name:<12} {figure.name:<42} {figure.shown():>16}   "
            f"goal: {figure.goal.shown(figure.unit)}"
        )
    met = sum(figure.verdict == "met" for _, figure in judged)
    yield f"{met} of {len(judged)} goals met"


def spelled(value: float, unit: str) -> str:
    """A value for people: as many digits as its unit deserves."""
    if unit in _WHOLE:
        return f"{value:,.0f}"
    return f"{value:,.3f}" if value < 10 else f"{value:,.1f}"
