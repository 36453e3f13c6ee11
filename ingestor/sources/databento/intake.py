"""The checks that a download passes before the vault takes it in.

The client calls a cut stream a success: a body that ends cleanly, or on a record's border, raises
nothing at all. So the file is proven here: frames that end, whole records of the right kind, the
metadata of the request, and the number of records that the provider counted.
"""

from __future__ import annotations

import shutil
import socket
from contextlib import suppress
from pathlib import Path
from typing import Final

from ingestor.dbn import METADATA_LIMIT, PREFIX_BYTES, DbnHeader, layout
from ingestor.errors import CorruptPayload, LocalFault, TruncatedPayload, UnlikeRequest
from ingestor.manifest import Manifest, PayloadRequest
from ingestor.sources.survey import Survey, moment, survey
from ingestor.sources.tally import Window
from ingestor.sources.zstd import Decompressed, Readable, check_content, is_zstd
from ingestor.vocabulary import ALL_SYMBOLS, Schema

_VERSION: Final = 3
"""DBN version that the provider sends today."""


def most_bytes(request: PayloadRequest, expected: int) -> int:
    """What a delivery of so many records can take at most, decompressed or not."""
    content = METADATA_LIMIT + expected * _record_bytes(request)
    # Of what cannot be compressed, zstd makes 3 bytes more for each 128 kB, and a frame's ends.
    return content + content // 1024 + 1024


def require_room(part: Path, request: PayloadRequest, expected: int) -> None:
    """Return if the records would fit, uncompressed: a full disk is no place to buy for.

    Raises:
        LocalFault: There is less room; names the place.
    """
    needed = expected * _record_bytes(request)
    free = shutil.disk_usage(part.parent).free
    if free < needed:
        raise LocalFault(
            f"{part.parent} on {socket.gethostname()} has {free:,} bytes left; {expected:,} "
            f"records take up to {needed:,}: nothing was fetched",
            hint="make room there, or name another place with HDI_VAULT_URL",
        )


def check_head(path: Path) -> None:
    """Return unless the metadata claim more bytes than they may have.

    Read in one go, as the client reads them, a small frame of zeros would fill 4 GB of memory.

    Raises:
        TruncatedPayload: They claim more.
    """
    prefix = memoryview(bytearray(PREFIX_BYTES))
    filled = 0
    with path.open("rb") as file, suppress(CorruptPayload):
        content: Readable = Decompressed(path, file) if is_zstd(file.peek(4)) else file
        while filled < PREFIX_BYTES and (count := content.readinto(prefix[filled:])):
            filled += count
    claimed = int.from_bytes(prefix[4:], "little")
    if bytes(prefix[:3]) == b"DBN" and claimed > METADATA_LIMIT:
        raise TruncatedPayload(
            f"the download claims {claimed:,} bytes of metadata; at most {METADATA_LIMIT:,} are "
            "allowed"
        )


def checked(path: Path, request: PayloadRequest, expected: int) -> Survey:
    """The survey of a download that is whole, and is what was asked for.

    Raises:
        TruncatedPayload: It is cut, damaged, or holds another number of records than the provider
            counted: asked again, it may come whole.
        UnlikeRequest: It answers another request.
    """
    try:
        found = _surveyed(path, request, expected)
    except UnlikeRequest:
        raise
    except CorruptPayload as error:
        raise TruncatedPayload(f"the download is cut or damaged: {error.message}") from error
    _check_like(found.header, request)
    if found.contents.records != expected:
        raise TruncatedPayload(
            f"the download holds {found.contents.records:,} records of {_name(request)}; the "
            f"provider counts {expected:,}"
        )
    return found


def check_manifest(manifest: Manifest, found: Survey) -> None:
    """Return if a manifest speaks of the payload that was found.

    Raises:
        CorruptPayload: Digest, number of records, or the payload's own symbols differ.
    """
    told = (manifest.sha256, manifest.records, manifest.not_found)
    held = (found.sha256, found.contents.records, found.header.not_found)
    if told != held or not set(found.header.intervals) <= set(manifest.intervals):
        raise CorruptPayload(
            f"the manifest tells of sha256 {manifest.sha256}, {manifest.records:,} records and its "
            f"symbols; the payload has {found.sha256}, {found.contents.records:,} or other symbols",
            hint="both are set aside, and the payload is fetched again",
        )


def _surveyed(path: Path, request: PayloadRequest, expected: int) -> Survey:
    try:
        return survey(path, Window(request.start, request.end), most=expected)
    except UnlikeRequest:
        # Metadata come before the checksum: a flipped bit in them reads as another request.
        check_content(path, most=most_bytes(request, expected))
        raise


def _check_like(header: DbnHeader, request: PayloadRequest) -> None:
    """The metadata name the dataset, schema, range and symbols that were asked for."""
    told = {
        "dataset": (header.dataset, request.dataset),
        "schema": (str(header.schema), request.schema_name),
        "start": (moment(header.start), moment(request.start)),
        "end": (moment(header.end), moment(request.end)),
        "limit": (header.limit, None),
    }
    for name, (found, asked) in told.items():
        if found != asked:
            raise UnlikeRequest(f"the download of {_name(request)} has {name} {found}, not {asked}")
    asked_symbols = set(request.symbols) - {ALL_SYMBOLS}
    if stray := sorted(set(header.symbols) - {ALL_SYMBOLS} ^ asked_symbols):
        raise UnlikeRequest(
            f"the download of {_name(request)} is not of the symbols that were asked for: "
            f"{len(stray)} differ, {stray[0]!r} among them"
        )


def _record_bytes(request: PayloadRequest) -> int:
    return layout(Schema(request.schema_name), _VERSION).itemsize


def _name(request: PayloadRequest) -> str:
    return f"{request.dataset} {request.schema_name} from {moment(request.start)[:10]}"
