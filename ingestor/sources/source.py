"""The Source protocol: what every provider, and every kind of file, looks like from inside.

Others join through the entry-point group ``hdi.sources``; each must pass the conformance suite in
``tests/conformance``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from ingestor.errors import BadJob
from ingestor.job import Claim, Contents, JobPlan, PayloadRef, SymbolInterval
from ingestor.vocabulary import Priority, Schema

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

GROUP = "hdi.sources"


@dataclass(frozen=True, slots=True)
class Ask:
    """What a person asked a source for, before the source has resolved it.

    Attributes:
        dataset: Required dataset; None where the payload's own metadata decides.
        schemas: Wanted schemas; empty where the payload's own metadata decides.
        symbols: Wanted symbols; empty for all.
        start: First day, UTC nanoseconds at midnight; None for the beginning.
        end: Day after the last; None for the end.
        path: File or folder, for sources that read files.
        chunk_days: Days of index timestamps per chunk; None for the source's default.
        max_hypertable_chunks: Most hypertable chunks that one chunk may touch.
        copy_to: Folder into which payloads are copied; None to refer to them in place.
        force: Plan again what was submitted before.
    """

    name: str
    priority: Priority
    dataset: str | None = None
    schemas: tuple[Schema, ...] = ()
    symbols: tuple[str, ...] = ()
    start: int | None = None
    end: int | None = None
    path: Path | None = None
    chunk_days: int | None = None
    max_hypertable_chunks: int = 64
    copy_to: Path | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class Payload:
    """A payload that passed the check pass on this host.

    Attributes:
        path: Where its bytes are, on this host.
        contents: What the claim's slice of it holds. It is `ordered` only where predecessors, too,
            end in its first index microsecond: whoever numbers records need then look no further.
        symbology: Symbol intervals that the payload itself names.
        layout: Wire dtype of its records, little endian, as delivered (no upgrade).
    """

    ref: PayloadRef
    path: Path
    contents: Contents
    symbology: tuple[SymbolInterval, ...]
    layout: np.dtype[np.void]


@runtime_checkable
class Source(Protocol):
    """One way to come by records. Blocking calls; the pipeline runs them in a thread."""

    name: str
    mappings: str
    """Folder of mapping files under ``configs/mappings`` (``databento``)."""

    def plan(self, ask: Ask) -> JobPlan:
        """Resolves what was asked into chunks, reading what it needs to.

        Raises:
            BadJob: The ask makes no sense to this source.
            CorruptPayload: Something it must read is damaged.
        """
        ...

    def fetch(self, claim: Claim) -> Payload:
        """Makes the claim's payload available here and checks it whole, before a row is written.

        Raises:
            PayloadMissing: This host cannot see it; names host and path.
            CorruptPayload: It is damaged, has changed, or is unlike the request.
        """
        ...

    def batches(
        self, payload: Payload, claim: Claim, count: int
    ) -> Iterator[tuple[npt.NDArray[np.void], npt.NDArray[np.uint64]]]:
        """Wire records of the claim's slice in delivery order, with their place in the payload.

        Each array holds about `count` records, or more where one index microsecond has more: no
        index microsecond is ever split over two arrays. (Of a payload out of order: none that
        spans the border of two.)

        Raises:
            CorruptPayload: The payload changed since `fetch`. It may come after the last array, so
                nothing may be committed before the iterator has ended.
        """
        ...

    def preceding(self, payload: Payload, claim: Claim) -> npt.NDArray[np.void] | None:
        """Records of the claim's predecessors that may share a key with this payload, in order.

        They are numbered before the payload's own, and not stored. None where there are none.
        """
        ...


@cache
def source(name: str) -> Source:
    """The source called `name`, made once: looking through 159 distributions takes 3.5 ms.

    Raises:
        BadJob: Nothing of that name is installed.
    """
    found: Mapping[str, object] = {point.name: point for point in entry_points(group=GROUP)}
    if name not in found:
        raise BadJob(
            f"source {name!r} is unknown; installed are {', '.join(sorted(found)) or 'none'}",
            hint="name one of them with --source",
        )
    made: Source = found[name].load()()  # type: ignore[attr-defined]
    return made


def sources() -> Sequence[str]:
    """Names of every installed source."""
    return sorted(point.name for point in entry_points(group=GROUP))
