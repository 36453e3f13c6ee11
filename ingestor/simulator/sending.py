"""Bodies put on the wire: whole, in chunks, dripping, and cut in every way a body can be."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Iterator, Mapping
from http import HTTPStatus
from typing import Final

from aiohttp import web

from ingestor.simulator.faults import CutFault

_DRIPS_PER_S: Final = 20


async def send_stream(
    request: web.Request,
    status: int,
    headers: Mapping[str, str],
    pieces: AsyncIterator[bytes],
    bytes_per_s: int | None = None,
) -> web.StreamResponse:
    """Sends the pieces as they come, chunked; the next is asked for when the last has left."""
    response = web.StreamResponse(status=status, headers=headers)
    response.enable_chunked_encoding()
    await response.prepare(request)
    async for piece in pieces:
        for part in _parts(piece, bytes_per_s):
            await response.write(part)
            if bytes_per_s:
                await asyncio.sleep(len(part) / bytes_per_s)
    await response.write_eof()
    return response


async def send_cut(
    request: web.Request, status: int, headers: Mapping[str, str], body: bytes, fault: CutFault
) -> web.StreamResponse:
    """Sends the beginning of the body, then ends the answer as the fault wants it."""
    kept = body[: fault.at]
    if fault.how == "eof":
        return await _send_until_eof(request, status, headers, kept)
    response = web.StreamResponse(status=status, headers=headers)
    if fault.how == "length":
        response.content_length = len(body)
    else:
        response.enable_chunked_encoding()
    await response.prepare(request)
    await response.write(kept)
    if fault.how == "clean":
        await response.write_eof()
    else:
        _close(request)
    return response


def reset(request: web.Request) -> web.StreamResponse:
    """Breaks the connection with a TCP reset; the answer that is returned cannot be sent."""
    transport = request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        # Lingering for zero seconds makes closing a reset.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()


async def _send_until_eof(
    request: web.Request, status: int, headers: Mapping[str, str], body: bytes
) -> web.StreamResponse:
    """An answer as of HTTP/1.0, which its end of file ends; aiohttp would chunk it."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if request.transport is not None:
        request.transport.write("\r\n".join([*lines, "", ""]).encode() + body)
    _close(request)
    return web.Response()


def _close(request: web.Request) -> None:
    """Sends what was written and closes; what aiohttp adds later is lost."""
    if request.transport is not None:
        request.transport.close()


def _parts(piece: bytes, bytes_per_s: int | None) -> Iterator[bytes]:
    step = len(piece) if not bytes_per_s else max(1, bytes_per_s // _DRIPS_PER_S)
    for at in range(0, len(piece), max(1, step)):
        yield piece[at : at + step]
