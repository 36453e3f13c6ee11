"""The Source protocol: what every provider, and every kind of file, looks like from inside.

Others join through the entry-point group ``hdi.sources``; each must pass the conformance suite in
``tests/conformance``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from ingestor.days import DaySet
from ingestor.job import (
    Claim,
    Contents,
    JobPlan,
    PayloadMetadata,
    PayloadRef,
    SymbolInterval,
)
from ingestor.manifest import Manifest, PayloadRequest
from ingestor.model import Table
from ingestor.vocabulary import Priority, Realm, Schema

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


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
        layout: Wire dtype of its records, little endian, as delivered (no upgrade). Fields of text
            are narrower in an array whose own need less.
        partial: Why it proves no coverage; empty where it does.
        uncovered: Days of its range that the provider did not have: they are not covered.
        realm: Kind of gateway it came from; None for files, which belong to either.
        proven: Whether something beside the payload says that it is whole (the provider's count, a
            checksum, a manifest), so that it also proves what it does not hold.
        unresolved: Symbols asked for that meant nothing on some day: their absence proves nothing.
        metadata: What the payload says of itself; None where it says nothing.
        own_ids: Whether instrument ids are HDI's own making, so that two symbols of one id would
            be two instruments in one row.
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
    metadata: PayloadMetadata | None = None
    own_ids: bool = False


class Spelling(Protocol):
    """A mapping file, as a source sees it: sources whose wire is text read it by their mapping."""

    @property
    def table(self) -> Table: ...

    @property
    def digest(self) -> str: ...

    @property
    def symbol_field(self) -> str | None:
        """The wire field whose text names the instrument, where the wire has no ids."""
        ...

    @property
    def fields(self) -> frozenset[str]:
        """Wire fields that it reads and that a payload must have."""
        ...

    def columns(
        self, records: npt.NDArray[np.void], names: Collection[str] | None = None
    ) -> dict[str, npt.NDArray[np.generic]]:
        """The frame columns `names` (all by default) of wire records, in wire integers."""
        ...


class Spellings(Protocol):
    """Where a source finds mapping files."""

    def __call__(self, folder: str, schema: Schema) -> Spelling:
        """The mapping of `schema` in ``configs/mappings/<folder>``.

        Raises:
            BadRules: There is none, or it is wrong.
        """
        ...


class PayloadStore(Protocol):
    """The vault, as a source sees it."""

    def find(self, request: PayloadRequest) -> Manifest | None:
        """The manifest of a payload that answers the request, if its bytes are there too."""
        ...

    def manifests(self, ref: PayloadRef) -> Sequence[Manifest]:
        """What stands beside a payload, oldest first: one per request that it answers."""
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
    reads_files: bool
    """Whether it reads files that a person names; else it asks a provider."""

    def mapping_folder(self, dataset: str) -> str:
        """Where the mapping files of a dataset are, under ``configs/mappings`` (``databento``)."""
        ...

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

        A claim that names its payload is never fetched anew: nothing is bought.

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

    def raw(self, records: npt.NDArray[np.void]) -> list[bytes]:
        """Each record's bytes as delivered, enough by themselves for `decode`."""
        ...

    def decode(
        self, raw: Sequence[bytes], schema: Schema
    ) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.void]]]:
        """Wire records out of what `raw` gave, with their places in it; one array for each layout.

        Raises:
            CorruptPayload: Some bytes are no record of this schema.
        """
        ...
