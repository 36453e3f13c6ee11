"""The Source protocol: what every provider, and every kind of file, looks like from inside.

Others join through the entry-point group ``hdi.sources``; each must pass the conformance suite in
``tests/conformance``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from ingestor.days import DaySet
from ingestor.errors import BadJob
from ingestor.job import Claim, Contents, JobPlan, PayloadRef, SymbolInterval
from ingestor.manifest import Manifest, PayloadRequest
from ingestor.settings import Settings
from ingestor.vocabulary import Priority, Realm, Schema

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

GROUP = "hdi.sources"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One schema of a request to a provider, as a person asked for it.

    Attributes:
        start: First day, UTC nanoseconds at midnight; None for the first that the provider has.
        end: Day after the last; None for the end of what it has.
        chunk_days: Days of index timestamps per chunk; None for the schema's default.
    """

    schema: Schema
    start: int | None = None
    end: int | None = None
    chunk_days: int | None = None


Coverage = Mapping[tuple[Schema, str], DaySet]
"""(schema, symbol) → whole UTC days that the ledger holds; ALL_SYMBOLS holds for each symbol."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What a person asked a source for, before the source has resolved it.

    Attributes:
        dataset: Required dataset; None where the payload's own metadata decides.
        schemas: For files: wanted schemas; empty for all that are found.
        wanted: For providers: the schemas with their days.
        symbols: Wanted symbols; empty for all.
        stype_in: What the symbols are.
        start: For files: first day, UTC nanoseconds at midnight; None for the beginning.
        end: For files: day after the last; None for the end.
        path: File or folder, for sources that read files.
        chunk_days: Days of index timestamps per chunk; None for the source's default.
        chunk_symbols: Symbols per chunk; None for the source's default.
        max_hypertable_chunks: Most hypertable chunks that one chunk may touch.
        to_vault: Whether files are copied into the vault; else they are referred to in place.
        force: Plan again what was submitted before; what comes takes the place of what is stored.
        accept_removals: With `force`: however many stored rows the payloads lack.
        held: What the ledger holds already of the dataset and symbol type; left out of the plan.
    """

    name: str
    priority: Priority
    dataset: str | None = None
    schemas: tuple[Schema, ...] = ()
    wanted: tuple[Wanted, ...] = ()
    symbols: tuple[str, ...] = ()
    stype_in: str = "raw_symbol"
    start: int | None = None
    end: int | None = None
    path: Path | None = None
    chunk_days: int | None = None
    chunk_symbols: int | None = None
    max_hypertable_chunks: int = 64
    to_vault: bool = False
    force: bool = False
    accept_removals: bool = False
    held: Coverage = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Payload:
    """A payload that passed the check pass on this host.

    Attributes:
        path: Where its bytes are, on this host.
        contents: What the claim's slice of it holds. It is `ordered` only where predecessors, too,
            end in its first index microsecond: whoever numbers records need then look no further.
        symbology: Symbol intervals that the payload itself names, or that were resolved for it.
        layout: Wire dtype of its records, little endian, as delivered (no upgrade).
        partial: Why it proves no coverage; empty where it does.
        uncovered: Days of its range that the provider did not have: they are not covered.
        realm: Kind of gateway it came from; None for files, which belong to either.
        proven: Whether something beside the payload says that it is whole (the provider's count, a
            checksum, a manifest), so that it also proves what it does not hold.
        unresolved: Symbols asked for that meant nothing on some day: their absence proves nothing.
    """

    ref: PayloadRef
    path: Path
    contents: Contents
    symbology: tuple[SymbolInterval, ...]
    layout: np.dtype[np.void]
    partial: str = ""
    uncovered: DaySet = field(default_factory=DaySet)
    realm: Realm | None = None
    proven: bool = False
    unresolved: tuple[str, ...] = ()


class PayloadStore(Protocol):
    """The vault, as a source sees it."""

    def find(self, request: PayloadRequest) -> Manifest | None:
        """The manifest of a payload that answers the request, if its bytes are there too."""
        ...

    def part(self, name: str) -> Path:
        """A local path to download to, in a folder made for it: ``<name>.part``."""
        ...

    def parts(self, prefix: str) -> Sequence[Path]:
        """Downloads that were begun on this host under names that begin with `prefix`."""
        ...

    def keep(self, part: Path, manifest: Manifest) -> PayloadRef:
        """Takes a checked download in, once, under its sha256; `part` is gone afterwards.

        Raises:
            LocalFault: It cannot be written.
        """
        ...

    def adopt(self, ref: PayloadRef) -> PayloadRef:
        """Copies a file that lies elsewhere in, once; where it is kept.

        Raises:
            CorruptPayload: It changed while it was copied.
            LocalFault: The copy cannot be written.
        """
        ...

    def ref(self, manifest: Manifest) -> PayloadRef:
        """Where the payload of a manifest is kept."""
        ...

    def path(self, ref: PayloadRef) -> Path:
        """A local path of the payload's bytes, fetched from a remote vault where need be.

        Raises:
            PayloadMissing: It is not there.
            VaultUnavailable: The vault does not answer.
        """
        ...

    def set_aside(self, ref: PayloadRef) -> None:
        """Moves a damaged payload out of the way, so that it is not found again."""
        ...


@runtime_checkable
class Source(Protocol):
    """One way to come by records. Blocking calls; the pipeline runs them in a thread."""

    name: str
    mappings: str
    """Folder of mapping files under ``configs/mappings`` (``databento``)."""

    @property
    def realm(self) -> Realm | None:
        """Kind of gateway it asks; None for sources that ask none."""
        ...

    def plan(self, ask: Ask) -> JobPlan:
        """Resolves what was asked into chunks, reading what it needs to.

        Raises:
            BadJob: The ask makes no sense to this source.
            CorruptPayload: Something it must read is damaged.
        """
        ...

    def purchase(self, claim: Claim) -> str | None:
        """Names what `fetch` would buy, the same for equal claims; None where it buys nothing.

        While one worker fetches under a name, others that would buy the same wait for it.
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


class SourceFactory(Protocol):
    """What an entry point of the group names: a class, or a function that makes a source."""

    def __call__(self, settings: Settings, vault: PayloadStore) -> Source: ...


class Sources:
    """The installed sources, each made once for a process, when it is first asked for."""

    def __init__(self, settings: Settings, vault: PayloadStore) -> None:
        self._settings = settings
        self._vault = vault
        self._made: dict[str, Source] = {}

    def named(self, name: str) -> Source:
        """The source called `name`.

        Raises:
            BadJob: Nothing of that name is installed.
        """
        if name not in self._made:
            factory: SourceFactory = _entry_point(name).load()
            self._made[name] = factory(self._settings, self._vault)
        return self._made[name]


@cache
def _entry_point(name: str) -> EntryPoint:
    """Looked for once: going through 159 distributions takes 3.5 ms."""
    found = {point.name: point for point in entry_points(group=GROUP)}
    if name not in found:
        raise BadJob(
            f"source {name!r} is unknown; installed are {', '.join(sorted(found)) or 'none'}",
            hint="name one of them with --source",
        )
    return found[name]
