"""The head of a DBN stream: its prefix and metadata, decoded and checked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ingestor.errors import CorruptPayload, UnlikeRequest
from ingestor.job import PayloadMetadata, SymbolInterval
from ingestor.model import STORED
from ingestor.vocabulary import Schema, SType

if TYPE_CHECKING:
    from databento_dbn import Metadata

PREFIX_BYTES: Final = 8
"""``DBN``, one byte of version, four bytes of metadata length."""

# 2,000 symbols with an interval for each day of a year are 40 MB; a length beyond is damage.
METADATA_LIMIT: Final = 64 << 20

_MAGIC = b"DBN"
_VERSIONS = (1, 2, 3)
_SOUND = "fetch or copy the file again"


@dataclass(frozen=True, slots=True)
class DbnHeader:
    """The metadata of one DBN file.

    Attributes:
        version: DBN version of the file: it decides the record layout.
        start: First index timestamp that was asked for, UTC nanoseconds.
        end: Where the request ended, exclusive; None where the request was open. Files that a
            delivery was split into by size may name their first and last record instead.
        limit: Most records that the request allowed; None for all.
        stype_in: Symbol type of `symbols`; empty where the file mixes several.
        symbols: As requested; empty or ALL_SYMBOLS for all.
        partial: Symbols that did not resolve on some day.
        not_found: Symbols that did not resolve on any.
        intervals: Which symbol was which instrument, and when.
        digest: sha256 of the metadata bytes: equal for all parts of one delivery.
    """

    version: int
    dataset: str
    schema: Schema
    start: int
    end: int | None
    limit: int | None
    stype_in: str
    stype_out: str
    symbols: tuple[str, ...]
    partial: tuple[str, ...]
    not_found: tuple[str, ...]
    ts_out: bool
    intervals: tuple[SymbolInterval, ...]
    digest: str

    @property
    def metadata(self) -> PayloadMetadata:
        """What is held against a request."""
        return PayloadMetadata(
            self.dataset, str(self.schema), self.start, self.end, self.symbols, self.limit
        )

    @property
    def membership(self) -> tuple[SymbolInterval, ...]:
        """Members of the parent that was asked for, as intervals of the parent itself.

        Known where it was the only symbol: the metadata map members, and tell not whose they are.
        """
        if self.stype_in != SType.PARENT or len(self.symbols) != 1:
            return ()
        [parent] = self.symbols
        members = (each for each in self.intervals if each.stype_in == SType.RAW_SYMBOL)
        return tuple(replace(each, stype_in=SType.PARENT, symbol=parent) for each in members)


def metadata_size(prefix: bytes, path: Path) -> int:
    """Bytes of metadata that follow `prefix`, the first 8 bytes of a file's content.

    Raises:
        CorruptPayload: This is not DBN, or of a version that HDI does not know.
    """
    if prefix[:3] != _MAGIC:
        found = f"begins with {prefix[:4].hex()}" if prefix else "is empty"
        raise CorruptPayload(
            f"{path} is no DBN file: it {found}", hint="DBN and zstd-compressed DBN can be loaded"
        )
    if len(prefix) < PREFIX_BYTES:
        raise truncated(path)
    if prefix[3] not in _VERSIONS:
        raise CorruptPayload(
            f"{path} is of DBN version {prefix[3]}; versions 1, 2 and 3 are known",
            hint="convert it with Databento's `dbn` tool, or update hist-data-ingestor",
        )
    size = int.from_bytes(prefix[4:8], "little")
    if size > METADATA_LIMIT:
        raise CorruptPayload(
            f"{path} claims {size:,} bytes of metadata; at most {METADATA_LIMIT:,} are allowed",
            hint=_SOUND,
        )
    return size


def decode_header(content: bytes, path: Path) -> DbnHeader:
    """The header in `content`, the prefix and the whole metadata of a file.

    Raises:
        CorruptPayload: The metadata is damaged, or of a live recording or with ts_out.
        UnlikeRequest: HDI stores no records of its schema.
    """
    metadata = _decode(content, path)
    schema = _supported(None if metadata.schema is None else str(metadata.schema), path)
    if metadata.ts_out:
        raise CorruptPayload(
            f"{path} was written with ts_out: each record has eight more bytes than its schema",
            hint="write it again without ts_out",
        )
    return DbnHeader(
        version=content[3],
        dataset=metadata.dataset,
        schema=schema,
        start=metadata.start,
        end=metadata.end,
        limit=metadata.limit,
        stype_in="" if metadata.stype_in is None else str(metadata.stype_in),
        stype_out=str(metadata.stype_out),
        symbols=tuple(metadata.symbols),
        partial=tuple(metadata.partial),
        not_found=tuple(metadata.not_found),
        ts_out=metadata.ts_out,
        intervals=_intervals(metadata),
        digest=hashlib.sha256(content).hexdigest(),
    )


def decode_schema(content: bytes, path: Path) -> str | None:
    """Name of the schema in `content`, supported or not; None for a live recording.

    Raises:
        CorruptPayload: The metadata is damaged.
    """
    schema = _decode(content, path).schema
    return None if schema is None else str(schema)


def truncated(path: Path) -> CorruptPayload:
    """The error for a file that is too short to hold its own metadata."""
    return CorruptPayload(f"{path} ends inside its metadata", hint=_SOUND)


def _decode(content: bytes, path: Path) -> Metadata:
    import databento_dbn

    try:
        return databento_dbn.Metadata.decode(content)
    except databento_dbn.DBNError as error:
        raise CorruptPayload(
            f"the metadata of {path} cannot be decoded: {error}", hint=_SOUND
        ) from error


def _supported(name: str | None, path: Path) -> Schema:
    if name is None:
        raise CorruptPayload(
            f"{path} names no schema: it is a live recording of mixed records",
            hint="split it by schema with Databento's `dbn` tool, or fetch historical files",
        )
    if name not in STORED:
        raise UnlikeRequest(
            f"{path} holds {name} records; HDI stores {', '.join(STORED)}",
            hint="leave the file out, or choose among a folder's files with --schema",
        )
    return Schema(name)


def _intervals(metadata: Metadata) -> tuple[SymbolInterval, ...]:
    """Symbol intervals, adjacent ones of one target merged; one without a target is none."""
    if metadata.stype_in is None:
        return ()
    merged: list[SymbolInterval] = []
    stype_in, stype_out = str(metadata.stype_in), str(metadata.stype_out)
    asked = set(metadata.symbols)
    for symbol, entries in metadata.mappings.items():
        # The keys of a parent's mappings are its members: raw symbols (real ES.FUT payloads).
        member = stype_in == "parent" and symbol not in asked
        kind = "raw_symbol" if member else stype_in
        for entry in sorted(entries, key=lambda entry: entry["start_date"]):
            _append(merged, _interval(kind, symbol, stype_out, entry))
    return tuple(merged)


def _interval(stype_in: str, symbol: str, stype_out: str, entry: Any) -> SymbolInterval:
    start, end = entry["start_date"].isoformat(), entry["end_date"].isoformat()
    return SymbolInterval(stype_in, symbol, stype_out, entry["symbol"], start, end)


def _append(merged: list[SymbolInterval], new: SymbolInterval) -> None:
    last = merged[-1] if merged else None
    if not new.target or not new.symbol:
        return
    if last and _same(last, new) and new.start <= last.end:
        end = max(last.end, new.end)
        merged[-1] = SymbolInterval(
            new.stype_in, new.symbol, new.stype_out, new.target, last.start, end
        )
    else:
        merged.append(new)


def _same(a: SymbolInterval, b: SymbolInterval) -> bool:
    return (a.stype_in, a.symbol, a.stype_out, a.target) == (
        b.stype_in,
        b.symbol,
        b.stype_out,
        b.target,
    )
