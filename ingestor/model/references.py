"""Reference values: what the database knows of an instrument on a day, as a frozen value.

They enter validation from outside: rules about an instrument's class or symbol ask for them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

_ID_BITS: Final = np.uint64(32)


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """One attribute of instruments, by instrument id and day.

    Intervals of one id never overlap.

    Attributes:
        begins: uint64 (k,), ascending: instrument id in the upper 32 bits, first day since 1970 in
            the lower.
        past: uint64 (k,), day after the last.
        values: bytes (k,), what it is in that interval.
    """

    begins: npt.NDArray[np.uint64]
    past: npt.NDArray[np.uint64]
    values: npt.NDArray[np.bytes_]

    @classmethod
    def of(cls, intervals: Iterable[tuple[int, int, int, str]]) -> Self:
        """From (instrument id, first day, day after the last, value), in any order."""
        rows = sorted(intervals)
        begins = [(id_ << 32) | first for id_, first, _, _ in rows]
        values = [value.encode() for *_, value in rows]
        return cls(
            np.array(begins, np.uint64),
            np.array([past for _, _, past, _ in rows], np.uint64),
            np.array(values, "S") if values else np.empty(0, "S1"),
        )

    def at(
        self, ids: npt.NDArray[np.uint32], days: npt.NDArray[np.uint64]
    ) -> tuple[npt.NDArray[np.bytes_], npt.NDArray[np.bool_]]:
        """Values on those days, each (n,), and whether they are known; others are empty."""
        if not len(self.begins):
            return np.zeros(len(ids), "S1"), np.zeros(len(ids), np.bool_)
        wanted = (ids.astype(np.uint64) << _ID_BITS) | days
        place = np.searchsorted(self.begins, wanted, "right").astype(np.intp) - 1
        found = np.maximum(place, 0)
        known = (place >= 0) & (self.begins[found] >> _ID_BITS == ids) & (days < self.past[found])
        return np.where(known, self.values[found], b""), known


def _nothing() -> Known:
    return Known.of(())


@dataclass(frozen=True, slots=True, eq=False)
class References:
    """What is known of the instruments of one payload.

    Attributes:
        instrument_class: One character, as in definitions: K stock, F future, S spread …
        symbol: Raw symbol.
    """

    instrument_class: Known = field(default_factory=_nothing)
    symbol: Known = field(default_factory=_nothing)


NAMES: Final = ("instrument_class", "symbol")
"""Fields of `References` that a rule may ask for."""


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """What validation is told beside the frame: the dataset, and the reference values."""

    dataset: str = ""
    references: References = field(default_factory=References)
