"""``when``: for which records a rule is meant, and of which that is not known."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from ingestor.days import DAY_NS
from ingestor.model import Table
from ingestor.model.frame import Frame
from ingestor.model.kind import UINT64_MAX
from ingestor.model.references import Facts, Known

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Mask = npt.NDArray[np.bool_]
    Rows = npt.NDArray[np.intp]

OWN_COLUMN: Final = {"instrument_class": "instrument_class", "symbol": "raw_symbol"}
"""Reference value → the column in which a definition tells it of itself, better than any other."""


@dataclass(frozen=True, slots=True)
class Meant:
    """Of some records: those that a condition holds for, and those of which it is not known."""

    holds: Mask
    unknown: Mask


class Condition(Protocol):
    """One of the conditions that must all hold."""

    def of(self, frame: Frame, rows: Rows, facts: Facts) -> Meant:
        """What it says of the records at `rows`."""
        ...


@dataclass(frozen=True, slots=True)
class DatasetIn:
    """The payload's dataset is one of these."""

    datasets: tuple[str, ...]

    def of(self, frame: Frame, rows: Rows, facts: Facts) -> Meant:
        del frame
        return _known(np.full(len(rows), facts.dataset in self.datasets))


@dataclass(frozen=True, slots=True)
class PublisherIn:
    """The record's publisher is one of these."""

    publishers: tuple[int, ...]

    def of(self, frame: Frame, rows: Rows, facts: Facts) -> Meant:
        del facts
        return _known(np.isin(frame.columns["publisher_id"][rows], self.publishers))


@dataclass(frozen=True, slots=True)
class ReferenceLike:
    """A reference value of the instrument on the record's day is like one of these.

    Attributes:
        name: Field of `References`.
        pattern: What one of the values looks like, whole.
    """

    name: str
    pattern: re.Pattern[bytes]

    @classmethod
    def exactly(cls, name: str, values: Sequence[str]) -> ReferenceLike:
        return cls(name, _any_of([re.escape(each.encode()) for each in values]))

    @classmethod
    def like(cls, name: str, patterns: Sequence[str]) -> ReferenceLike:
        """``*`` stands for any characters, ``?`` for one, all else for itself."""
        return cls(name, _any_of([_glob(each) for each in patterns]))

    def of(self, frame: Frame, rows: Rows, facts: Facts) -> Meant:
        values, known = self._values(frame, rows, facts)
        holds = np.zeros(len(rows), np.bool_)
        if known.any():
            distinct, place = np.unique(values[known], return_inverse=True)
            alike = [self.pattern.fullmatch(each) is not None for each in distinct.tolist()]
            holds[known] = np.array(alike)[place]
        return Meant(holds, ~known)

    def _values(self, frame: Frame, rows: Rows, facts: Facts) -> tuple[npt.NDArray[Any], Mask]:
        if (own := own_column(frame.table, self.name)) is not None:
            values = frame.columns[own][rows]
            if values.dtype.kind != "S":
                values = np.ascontiguousarray(values).view("S1")
            return values, values != b""
        index: npt.NDArray[Any] = frame.columns[frame.table.index_column][rows]
        ids: npt.NDArray[Any] = frame.columns["instrument_id"][rows]
        told: Known = getattr(facts.references, self.name)
        values, known = told.at(ids, index // np.uint64(DAY_NS))
        # A record without an index timestamp is of no day.
        return values, known & (index != np.uint64(UINT64_MAX))


def own_column(table: Table, name: str) -> str | None:
    """The column of `table` that tells the reference value `name`; None where none does."""
    own = OWN_COLUMN[name]
    return own if any(column.name == own for column in table.frame_columns) else None


def all_of(conditions: Sequence[Condition], frame: Frame, rows: Rows, facts: Facts) -> Meant:
    """Where all hold; unknown where none fails and one is unknown."""
    if not conditions:
        return _known(np.ones(len(rows), np.bool_))
    return reduce(_both, (each.of(frame, rows, facts) for each in conditions))


def _both(one: Meant, other: Meant) -> Meant:
    holds = one.holds & other.holds
    possible = (one.holds | one.unknown) & (other.holds | other.unknown)
    return Meant(holds, possible & ~holds)


def _known(holds: Mask) -> Meant:
    return Meant(holds, np.zeros(len(holds), np.bool_))


def _any_of(patterns: Sequence[bytes]) -> re.Pattern[bytes]:
    return re.compile(b"|".join(b"(?:%b)" % each for each in patterns), re.DOTALL)


def _glob(text: str) -> bytes:
    """The pattern as an expression that a value is held against in linear time.

    Each part between stars is taken where it first fits and never tried elsewhere (an atomic
    group): a later place leaves less room for the parts after it, so it can help none of them.
    """
    first, *parts = [_part(each) for each in re.split(r"\*+", text)]
    if not parts:
        return first
    *middle, last = parts
    return first + b"".join(b"(?>.*?%b)" % each for each in middle) + b".*" + last


def _part(text: str) -> bytes:
    # A character of UTF-8 is one byte and those that continue it.
    one = rb"[\x00-\x7f\xc0-\xff][\x80-\xbf]*+"
    return b"".join(one if each == "?" else re.escape(each.encode()) for each in text)
