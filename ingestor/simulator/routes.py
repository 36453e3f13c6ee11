"""The API's routes: who asks, how often, what is wrong with it, and the answer."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator, Mapping
from typing import Final

import orjson
from aiohttp import web

from ingestor import __version__
from ingestor.simulator.desk import Desk, Order
from ingestor.simulator.fault_answers import before_answer, unresolvable
from ingestor.simulator.faults import (
    CorruptFault,
    CutFault,
    EmptyFault,
    Fault,
    SlowFault,
    WarningFault,
    WrongCountFault,
)
from ingestor.simulator.metadata import METHODS
from ingestor.simulator.options import has_key_form
from ingestor.simulator.payloads import changed, stream
from ingestor.simulator.problems import Answer, Refusal, json_answer, plain, unauthenticated
from ingestor.simulator.rate_limits import RateLimits
from ingestor.simulator.request_log import Call
from ingestor.simulator.sending import reset, send_cut, send_stream

HEADER: Final = "X-HDI-Simulator"
"""On every answer, with the version; the real gateway has no such header."""

GET_RANGE: Final = "timeseries.get_range"
GET_RECORD_COUNT: Final = "metadata.get_record_count"


class Routes:
    """Answers ``/v0/{family}.{method}``."""

    def __init__(self, desk: Desk, limits: RateLimits, key: str | None) -> None:
        self._desk = desk
        self._limits = limits
        self._key = key

    async def call(self, request: web.Request) -> web.StreamResponse:
        """One call, logged whatever becomes of it."""
        fields = await _fields(request)
        call = self._desk.log.open(Call(request.match_info["method"], request.method, fields))
        try:
            return await self._admit(request, call)
        except Refusal as refusal:
            call.status = refusal.answer.status
            return as_response(refusal.answer)

    async def _admit(self, request: web.Request, call: Call) -> web.StreamResponse:
        self._authenticate(request)
        verb = "POST" if call.method == GET_RANGE else METHODS.get(call.method, ("", None))[0]
        if not verb:
            raise Refusal(plain(404, "Not Found"))
        if call.verb != verb:
            raise Refusal(plain(405, "Method Not Allowed"))
        with self._limits.call(call.method.partition(".")[0]):
            call.faults += self._desk.faults.take(call.method, call.fields)
            if await before_answer(self._desk, call.fields, call.faults):
                return reset(request)
            if call.method == GET_RANGE:
                return await self._stream(request, call)
            return await self._whole(request, call)

    def _authenticate(self, request: web.Request) -> None:
        key = _key_of(request.headers.get("Authorization", ""))
        if not (key == self._key if self._key else has_key_form(key)):
            raise unauthenticated()

    async def _whole(self, request: web.Request, call: Call) -> web.StreamResponse:
        answer = await asyncio.to_thread(METHODS[call.method][1], self._desk, call.fields)
        for fault in call.faults:
            if isinstance(fault, WrongCountFault) and call.method == GET_RECORD_COUNT:
                answer = json_answer(orjson.loads(answer.body) + fault.add)
        headers = {**_warnings([], call.faults), "Content-Type": answer.content_type}
        call.status = answer.status
        return await _send(request, call, headers, _once(answer.body))

    async def _stream(self, request: web.Request, call: Call) -> web.StreamResponse:
        order = await asyncio.to_thread(
            self._desk.order, call.fields, unresolvable=unresolvable(call.faults)
        )
        warnings = _warnings(_quality(self._desk, order), call.faults)
        call.status = 200 if order.resolution.complete else 206
        headers = {**warnings, "Content-Type": "application/octet-stream"}
        pieces = stream(self._desk, order, call.faults, call.told)
        return await _send(request, call, headers, pieces)


async def _send(
    request: web.Request, call: Call, headers: Mapping[str, str], pieces: AsyncIterator[bytes]
) -> web.StreamResponse:
    """Sends the body as the faults want it; only those on bytes need it whole in memory."""
    cut = next((each for each in call.faults if isinstance(each, CutFault)), None)
    pace = next((each.bytes_per_s for each in call.faults if isinstance(each, SlowFault)), None)
    if cut or any(isinstance(each, CorruptFault | EmptyFault) for each in call.faults):
        body = changed(b"".join([piece async for piece in pieces]), call.faults)
        if cut:
            # Its kind without length and chunks passes aiohttp by, and what that adds.
            marked = {HEADER: __version__, **headers}
            return await send_cut(request, call.status, marked, body, cut)
        pieces = _once(body)
    return await send_stream(request, call.status, headers, pieces, pace)


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def _fields(request: web.Request) -> dict[str, str]:
    """The form and the query; files have no place in either."""
    form = await request.post() if request.method == "POST" else {}
    values = [*request.query.items(), *form.items()]
    return {name: value for name, value in values if isinstance(value, str)}


def as_response(answer: Answer) -> web.Response:
    """The whole answer at once."""
    return web.Response(
        status=answer.status,
        body=answer.body,
        headers={**answer.headers, "Content-Type": answer.content_type},
    )


def _key_of(authorization: str) -> str:
    """The user name of HTTP Basic; empty where there is none."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _quality(desk: Desk, order: Order) -> list[str]:
    days = [f"{each.date} ({each.condition})" for each in desk.degraded(order)]
    if not days:
        return []
    told = f"one or more days which have reduced quality: {', '.join(days)}."
    return [f"BentoWarning: The streaming request contained {told}"]


def _warnings(warnings: list[str], faults: list[Fault]) -> dict[str, str]:
    told = [*warnings]
    for fault in faults:
        if isinstance(fault, WarningFault):
            told += fault.warnings
    return {"X-Warning": orjson.dumps(told).decode()} if told else {}
