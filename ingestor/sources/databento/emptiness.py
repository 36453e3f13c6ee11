"""Days on which the symbols of a chunk mean nothing: the provider refuses them, and has no records.

A Saturday, or a contract before its listing, is answered with 422 where no symbol of the request
resolves. The free symbology proves it; the vault then keeps a payload without records, written
here, so that a later job does not ask again.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ingestor.days import DAY_NS, date_of_day
from ingestor.vocabulary import SType

if TYPE_CHECKING:
    from ingestor.manifest import PayloadRequest
    from ingestor.sources.databento.provider import Provider

NOTHING_DELIVERED: Final = (
    "no symbol resolves on these days: nothing was delivered, this file was written by HDI"
)
_VERSION = 3


def names_anything(provider: Provider, request: PayloadRequest) -> bool:
    """Whether any symbol of the request means an instrument on any of its days."""
    by_id = request.stype_in == SType.INSTRUMENT_ID
    resolved = provider.resolve(
        request.dataset,
        request.symbols,
        stype_in=request.stype_in,
        stype_out=SType.RAW_SYMBOL if by_id else SType.INSTRUMENT_ID,
        start=date_of_day(request.start // DAY_NS),
        past=date_of_day(request.end // DAY_NS),
    )
    return bool(resolved.intervals)


def write_empty(path: Path, request: PayloadRequest) -> None:
    """A DBN stream with the request's metadata and no record, as zstd with a checksum."""
    import databento_dbn as dbn
    from zstandard import ZstdCompressor

    metadata = dbn.Metadata(
        dataset=request.dataset,
        start=request.start,
        end=request.end,
        schema=dbn.Schema.from_str(request.schema_name),
        stype_in=dbn.SType.from_str(request.stype_in),
        stype_out=dbn.SType.from_str(SType.INSTRUMENT_ID),
        symbols=list(request.symbols),
        partial=[],
        not_found=list(request.symbols),
        mappings=[],
        version=_VERSION,
    )
    compressor = ZstdCompressor(write_checksum=True, write_content_size=False)
    with path.open("xb") as file:
        file.write(compressor.compress(metadata.encode()))
        file.flush()
        os.fsync(file.fileno())
