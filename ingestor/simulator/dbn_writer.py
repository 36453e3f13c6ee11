"""Writes DBN as the provider does: metadata by the official encoder, records as on the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

Intervals = Mapping[str, Sequence[tuple[date, date, str]]]
"""Symbol → (first day, day after the last, instrument id)."""

_SEND_DELAY_NS: Final = 50_000


@dataclass(slots=True)
class _Interval:
    start_date: date
    end_date: date
    symbol: str


@dataclass(slots=True)
class _Mapping:
    raw_symbol: str
    intervals: Sequence[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The metadata of a DBN stream to be written.

    Attributes:
        start: First index timestamp, UTC nanoseconds.
        end: Exclusive; None for an open one.
        schema: None for a live recording.
        ts_out: Whether each record carries its sending time behind it.
    """

    dataset: str
    schema: str | None
    start: int
    end: int | None
    symbols: Sequence[str] = ()
    mappings: Intervals | None = None
    stype_in: str | None = "raw_symbol"
    stype_out: str = "instrument_id"
    partial: Sequence[str] = ()
    not_found: Sequence[str] = ()
    limit: int | None = None
    ts_out: bool = False
    version: int = 3

    def encode(self) -> bytes:
        """The head of the stream: magic, version, length and metadata."""
        import databento_dbn as dbn

        return dbn.Metadata(
            dataset=self.dataset,
            start=self.start,
            end=self.end,
            schema=None if self.schema is None else dbn.Schema.from_str(self.schema),
            stype_in=None if self.stype_in is None else dbn.SType.from_str(self.stype_in),
            stype_out=dbn.SType.from_str(self.stype_out),
            symbols=list(self.symbols),
            partial=list(self.partial),
            not_found=list(self.not_found),
            mappings=[
                _Mapping(symbol, [_Interval(*interval) for interval in intervals])
                for symbol, intervals in (self.mappings or {}).items()
            ],
            limit=self.limit,
            ts_out=self.ts_out,
            version=self.version,
        ).encode()


def encode_dbn(header: Header, records: npt.NDArray[np.void], *, tail: bytes = b"") -> bytes:
    """A whole DBN stream, uncompressed; `tail` is appended as it is (records of another kind)."""
    body = with_ts_out(records) if header.ts_out else records
    return header.encode() + body.tobytes() + tail


def compress_frames(content: bytes, *, frames: int = 1, level: int = 3) -> bytes:
    """`content` as zstd with a checksum, cut into as many frames."""
    from zstandard import ZstdCompressor

    # Databento's files name no content size either: it streams them.
    compressor = ZstdCompressor(level=level, write_checksum=True, write_content_size=False)
    step = max(1, -(-len(content) // frames))
    pieces = [content[at : at + step] for at in range(0, len(content), step)]
    return b"".join(compressor.compress(piece) for piece in pieces)


def write_dbn(
    path: Path,
    schema: str | None,
    records: npt.NDArray[np.void],
    *,
    compress: bool = True,
    frames: int = 1,
    tail: bytes = b"",
    **metadata: object,
) -> Path:
    """Writes one file; `metadata` are the fields of `Header`.

    Example:
        >>> write_dbn(Path("x.dbn.zst"), "trades", make_trades(1000), dataset="GLBX.MDP3",
        ...           start=MONDAY, end=MONDAY + DAY, symbols=["ESM4"])
    """
    header = Header(schema=schema, **metadata)  # type: ignore[arg-type]
    content = encode_dbn(header, records, tail=tail)
    path.write_bytes(compress_frames(content, frames=frames) if compress else content)
    return path


def with_ts_out(records: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """The records as a live gateway sends them: eight bytes longer, the sending time last."""
    longer = np.dtype([*records.dtype.descr, ("ts_out", "<u8")])
    sent = np.zeros(len(records), longer)
    for name in records.dtype.names or ():
        sent[name] = records[name]
    sent["length"] = longer.itemsize // 4
    sent["ts_out"] = records["ts_event"] + np.uint64(_SEND_DELAY_NS)
    return sent
