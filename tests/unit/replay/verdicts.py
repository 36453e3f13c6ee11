"""Verdicts over trades, out of plain words: what became of each record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from ingestor.model.frame import Frame
from ingestor.model.tables.trades import TRADES
from ingestor.model.verdict import Judged, Rule, Severity, Verdict
from tests.unit.validate.frames import good

RULES = tuple(
    Rule(name, Severity.QUARANTINE, ("price",), f"{name} is broken") for name in ("r-a", "r-b")
)
FLAGS = tuple(Rule(name, Severity.FLAG, ("size",), f"{name} is broken") for name in ("f-a", "f-b"))


@dataclass(frozen=True)
class Fate:
    """What became of one record.

    Attributes:
        refused: Id of the rule that refuses it; None where it is accepted.
        flags: Ids of the rules that it breaks, of an accepted record.
    """

    price: int = 1
    size: int = 1
    refused: str | None = None
    flags: frozenset[str] = field(default_factory=frozenset)


def verdicts(fates: Sequence[Fate], cuts: Iterable[int] = ()) -> Iterator[Verdict]:
    """Batches that end at the `cuts`; a record's position is its place in `fates`."""
    borders = [0, *sorted(set(cuts)), len(fates)]
    for start, end in pairwise(borders):
        yield verdict(fates[start:end], start)


def verdict(fates: Sequence[Fate], first: int = 0) -> Verdict:
    """One batch of records from position `first` on."""
    frame = _frame(fates, first)
    kept = [at for at, each in enumerate(fates) if each.refused is None]
    out = [(at, each.refused) for at, each in enumerate(fates) if each.refused is not None]
    flagged = [(at, flag) for at in kept for flag in sorted(fates[at].flags)]
    return Verdict(
        _rows(frame, kept), _judged(frame, out, RULES), _judged(frame, flagged, FLAGS),
        sum(bool(fates[at].flags) for at in kept), {},
    )  # fmt: skip


def _judged(frame: Frame, broken: Sequence[tuple[int, str]], rules: Sequence[Rule]) -> Judged:
    ids = [rule.id for rule in rules]
    places = np.array([ids.index(rule) for _, rule in broken], np.intp)
    return Judged(_rows(frame, [at for at, _ in broken]), places, tuple(rules))


def _rows(frame: Frame, rows: Sequence[int]) -> Frame:
    return frame.take(np.array(rows, np.intp))


def _frame(fates: Sequence[Fate], first: int) -> Frame:
    usual = good(TRADES)
    columns = {
        c.name: np.array([usual[c.name]] * len(fates), np.dtype(c.kind.frame))
        for c in TRADES.frame_columns
    }
    columns["price"] = np.array([each.price for each in fates], np.int64)
    columns["size"] = np.array([each.size for each in fates], np.uint32)
    position = np.arange(first, first + len(fates), dtype=np.uint64)
    return Frame(
        TRADES, columns, np.zeros(len(fates), [("n", "<u4")]), position,
        np.zeros(len(fates), np.int16),
    )  # fmt: skip
