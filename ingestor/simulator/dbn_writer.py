"""Writes DBN files as the provider does, and as it should not: cut frames, tails, ts_out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from ingestor.dbn import Header

if TYPE_CHECKING:
    import numpy.typing as npt

_SEND_DELAY_NS: Final = 50_000


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
