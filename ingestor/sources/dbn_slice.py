"""Reads a slice of a DBN payload, and proves at its end that the bytes were the right ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ingestor.sources.dbn_stream import DbnStream
from ingestor.sources.payload_file import sliced, visible

if TYPE_CHECKING:
    from ingestor.job import PayloadRef
    from ingestor.sources.payload_file import Pieces
    from ingestor.sources.tally import Window


def slice_records(
    path: Path, ref: PayloadRef, window: Window, index_column: str, *, ordered: bool, count: int
) -> Pieces:
    """The records of `window` in delivery order, with their places in the payload; see `sliced`.

    Args:
        path: Where the bytes of `ref` are on this host.

    Raises:
        CorruptPayload: The bytes are not those of `ref`; raised after the last array.
        PayloadMissing: This host cannot see or read the path.
        SourceUnavailable: The disk or share does not answer.
    """
    with visible(path, ref), DbnStream(path) as stream:
        yield from sliced(stream, ref, window, index_column, ordered=ordered, count=count)
