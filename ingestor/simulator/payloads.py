"""Payloads as the gateway streams them: DBN in one zstd frame with a checksum, slice by slice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ingestor.simulator.desk import Desk, Order
from ingestor.simulator.faults import (
    CorruptFault,
    CutRecordsFault,
    EmptyFault,
    Fault,
    MislabelledFault,
    MissingRecordsFault,
)

if TYPE_CHECKING:
    from ingestor.simulator.kept import Piece
    from ingestor.simulator.messages import Records

_LEVEL: Final = 1


async def stream(
    desk: Desk, order: Order, faults: list[Fault], told: list[int]
) -> AsyncIterator[bytes]:
    """The payload's bytes. One slice is made, compressed and handed out before the next.

    Args:
        told: Gets the number of records of each slice that was streamed.
    """
    pieces = _pieces(desk, _mislabelled(desk, order, faults), faults, told)
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        if piece:
            yield piece


def changed(body: bytes, faults: list[Fault]) -> bytes:
    """The body with one bit of each faulty byte flipped, or nothing of it."""
    if any(isinstance(each, EmptyFault) for each in faults):
        return b""
    flipped = bytearray(body)
    for fault in faults:
        if isinstance(fault, CorruptFault) and -len(flipped) <= fault.at < len(flipped):
            flipped[fault.at] ^= 1
    return bytes(flipped)


def _pieces(desk: Desk, order: Order, faults: list[Fault], told: list[int]) -> Iterator[bytes]:
    query = order.query
    desk.till.call(query.dataset, query.schema)
    for piece, records in _kept_or_made(desk, order, faults):
        if records:
            desk.till.sent(query.dataset, query.schema, order.version, records)
            told.append(records)
        yield piece


def _kept_or_made(desk: Desk, order: Order, faults: list[Fault]) -> Iterator[Piece]:
    if faults or desk.kept is None:
        yield from _made(desk, order, faults)
        return
    kept: Iterable[Piece] | None = desk.kept.of(order.query, order.version)
    if kept is None:
        made = _made(desk, order, faults)
        kept = desk.kept.while_made(order.query, order.version, made)
    yield from kept


def _made(desk: Desk, order: Order, faults: list[Fault]) -> Iterator[Piece]:
    from zstandard import ZstdCompressor

    # The provider's frames name no content size either: they are streamed.
    compressor = ZstdCompressor(
        level=_LEVEL, write_checksum=True, write_content_size=False
    ).compressobj()
    yield compressor.compress(_header(order, faults)), 0
    for records in _limited(desk.slices(order), _limit(desk, order, faults)):
        yield compressor.compress(records.tobytes()), len(records)
    yield compressor.flush(), 0


def _mislabelled(desk: Desk, order: Order, faults: list[Fault]) -> Order:
    """The order that is served instead: the records of another schema."""
    for fault in faults:
        if isinstance(fault, MislabelledFault) and fault.schema:
            query = replace(order.query, schema=fault.schema)
            version = desk.archive.version(query.dataset, query.schema)
            return replace(order, query=query, version=version)
    return order


def _header(order: Order, faults: list[Fault]) -> bytes:
    header = order.header()
    for fault in faults:
        if isinstance(fault, MislabelledFault) and fault.dataset:
            header = replace(header, dataset=fault.dataset)
    return header.encode()


def _limit(desk: Desk, order: Order, faults: list[Fault]) -> int | None:
    """How many records are streamed; None for all."""
    for fault in faults:
        if isinstance(fault, CutRecordsFault):
            return fault.records
        if isinstance(fault, MissingRecordsFault):
            return max(0, desk.count(order) - fault.records)
    return None


def _limited(slices: Iterator[Records], limit: int | None) -> Iterator[Records]:
    for records in slices:
        kept = records if limit is None else records[:limit]
        if len(kept):
            yield kept
        if limit is not None:
            limit -= len(kept)
            if not limit:
                return
