"""What a gateway serves from: the made-up market or a folder of files, behind one protocol."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ingestor.dbn import NEWEST, index_field
from ingestor.simulator.market import DAY
from ingestor.simulator.symbology import Stretches, SymbolBook

if TYPE_CHECKING:
    import numpy.typing as npt

    from ingestor.simulator.messages import Records


@dataclass(frozen=True, slots=True)
class Selection:
    """Records wanted: those whose index timestamp is in [start, end).

    Attributes:
        stretches: Instruments wanted, with the days on which they are; None for all.
    """

    dataset: str
    schema: str
    start: int
    end: int
    stretches: Stretches | None

    @property
    def days(self) -> range:
        """Days since 1970 that the range touches."""
        return range(self.start // DAY, -(-self.end // DAY))

    def inside(self, records: Records, version: int = NEWEST) -> npt.NDArray[np.bool_]:
        """Which records lie in the range; those without a defined time do not."""
        times = records[index_field(self.schema, version)]
        inside: npt.NDArray[np.bool_] = (times >= np.uint64(self.start)) & (
            times < np.uint64(self.end)
        )
        return inside


class Archive(Protocol):
    """Records of several datasets. Blocking calls."""

    def datasets(self) -> Sequence[str]: ...

    def schemas(self, dataset: str) -> Sequence[str]: ...

    def available(self, dataset: str, schema: str) -> tuple[int, int]:
        """Start and exclusive end, UTC nanoseconds."""
        ...

    def version(self, dataset: str, schema: str) -> int:
        """DBN version in which the schema is delivered."""
        ...

    def book(self, dataset: str) -> SymbolBook: ...

    def is_session(self, dataset: str, day: int) -> bool:
        """Whether there may be records on that day (since 1970)."""
        ...

    def count(self, selection: Selection) -> int:
        """How many records `slices` would hold."""
        ...

    def slices(self, selection: Selection) -> Iterator[Records]:
        """The records in delivery order, a bounded number at a time."""
        ...
