"""The first stage: whether a payload is what its chunk asked for, before any record is decoded.

Whole records, record types and checksums are the source's to prove, in its check pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ingestor.errors import UnlikeRequest
from ingestor.job import Claim, Contents, PayloadMetadata
from ingestor.model.readable import time_text
from ingestor.vocabulary import ALL_SYMBOLS

_NAMED: Final = 5

Differences = Iterator[tuple[str, str, str]]
"""Field, what was found and what was asked for."""


def check_raw(claim: Claim, metadata: PayloadMetadata | None, contents: Contents) -> None:
    """Return if what a payload says of itself, and what was counted in it, is what was asked for.

    Args:
        metadata: None where the payload says nothing of itself.
        contents: What the check pass found in the slice that the claim takes.

    Raises:
        UnlikeRequest: Something differs; names the field, what was found and what was asked for.
    """
    differences = [*_described(claim, metadata), *_counted(claim, contents)]
    if not differences:
        return
    told = "; ".join(f"{field} is {found}, not {asked}" for field, found, asked in differences)
    raise UnlikeRequest(
        f"the payload of chunk {claim.chunk_id} is not what was asked for: {told}",
        hint="a file is submitted again, a download is fetched again with --force",
    )


def _described(claim: Claim, metadata: PayloadMetadata | None) -> Differences:
    if metadata is None:
        return
    if metadata.dataset != claim.dataset:
        yield "dataset", metadata.dataset, claim.dataset
    if metadata.schema != claim.schema:
        yield "schema", metadata.schema, claim.schema
    if not _overlaps(claim, metadata):
        yield "range", _span(metadata.start, metadata.end), _span(claim.start, claim.end)
    if stray := _stray_symbols(claim, metadata):
        asked = f"one of the {len(claim.symbols):,} asked for"
        yield "symbol", _few(stray), asked


def _overlaps(claim: Claim, metadata: PayloadMetadata) -> bool:
    start = claim.start if metadata.start is None else metadata.start
    # A range without an extent stands for its day: one request of nothing ends where it begins.
    end = claim.end if metadata.end is None else max(metadata.end, start + 1)
    return start < claim.end and end > claim.start


def _stray_symbols(claim: Claim, metadata: PayloadMetadata) -> list[str]:
    """Symbols of the payload that nobody asked for; a claim that names none takes all."""
    if not claim.symbols or ALL_SYMBOLS in claim.symbols:
        return []
    return sorted(set(metadata.symbols) - set(claim.symbols))


def _counted(claim: Claim, contents: Contents) -> Differences:
    if claim.expected is not None and contents.records != claim.expected:
        yield "number of records", f"{contents.records:,}", f"{claim.expected:,}"
    low, high = contents.index_min, contents.index_max
    window = _span(claim.start, claim.end)
    if low is not None and low < claim.start:
        yield "first index timestamp", time_text(low), f"in {window}"
    if high is not None and high >= claim.end:
        yield "last index timestamp", time_text(high), f"in {window}"


def _span(start: int | None, end: int | None) -> str:
    first = "the beginning" if start is None else time_text(start)
    past = "an open end" if end is None else time_text(end)
    return f"{first} to {past}"


def _few(names: list[str]) -> str:
    shown = ", ".join(repr(each) for each in names[:_NAMED])
    more = len(names) - _NAMED
    return f"{shown} and {more:,} more" if more > 0 else shown
