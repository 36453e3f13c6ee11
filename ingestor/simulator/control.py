"""``/simulator/…``: looks into the simulator and steers it while it runs; needs no key."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.functional_validators import BeforeValidator

from ingestor.errors import BadSettings, IngestError
from ingestor.simulator.billing import Bill
from ingestor.simulator.conditions import AvailableRange, Condition, DayCondition
from ingestor.simulator.desk import Desk
from ingestor.simulator.fault_specs import parse_faults
from ingestor.simulator.problems import json_answer
from ingestor.simulator.routes import as_response
from ingestor.simulator.times import parse_time

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class _Condition(BaseModel):
    model_config = ConfigDict(extra="forbid")
    dataset: str
    date: dt.date
    condition: Condition = Condition.AVAILABLE
    last_modified_date: dt.date | None = None


def _time(value: object) -> object:
    return parse_time(value) if isinstance(value, str) else value


class _Range(BaseModel):
    model_config = ConfigDict(extra="forbid")
    dataset: str | None = None
    start: Annotated[int | None, BeforeValidator(_time)] = None
    end: Annotated[int | None, BeforeValidator(_time)] = None


_CONDITIONS: Final = TypeAdapter(list[_Condition])


class Control:
    """The handlers, and the path and verb of each."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/simulator/bill", self.bill),
            web.get("/simulator/requests", self.requests),
            web.get("/simulator/faults", self.waiting),
            web.post("/simulator/faults", _told(self.arm)),
            web.delete("/simulator/faults", self.disarm),
            web.post("/simulator/conditions", _told(self.conditions)),
            web.post("/simulator/range", _told(self.range)),
            web.post("/simulator/reset", self.reset),
        ]

    async def bill(self, request: web.Request) -> web.Response:
        del request
        return _json(bill_as_json(self._desk.till.bill()))

    async def requests(self, request: web.Request) -> web.Response:
        del request
        return _json([each.as_json() for each in self._desk.log.all()])

    async def waiting(self, request: web.Request) -> web.Response:
        del request
        return _json([asdict(each) for each in self._desk.faults.waiting()])

    async def arm(self, request: web.Request) -> web.Response:
        faults = parse_faults(await request.read())
        self._desk.arm(faults)
        return _json({"armed": len(faults)})

    async def disarm(self, request: web.Request) -> web.Response:
        del request
        self._desk.faults.reset()
        return _json({})

    async def conditions(self, request: web.Request) -> web.Response:
        days = _CONDITIONS.validate_json(await request.read())
        for each in days:
            self._desk.set_condition(DayCondition(**each.model_dump()))
        return _json({"set": len(days)})

    async def range(self, request: web.Request) -> web.Response:
        wanted = _Range.model_validate_json(await request.read())
        self._desk.set_range(AvailableRange(**wanted.model_dump()))
        return _json({})

    async def reset(self, request: web.Request) -> web.Response:
        del request
        self._desk.reset()
        return _json({})


def bill_as_json(bill: Bill) -> dict[str, object]:
    """Totals, and one line for each dataset and schema."""
    lines = [
        {"dataset": dataset, "schema": schema, **asdict(line)}
        for (dataset, schema), line in sorted(bill.lines.items())
    ]
    return {
        "calls": bill.calls,
        "records": bill.records,
        "bytes": bill.bytes,
        "usd": bill.usd,
        "lines": lines,
    }


def _told(handler: Handler) -> Handler:
    """A handler that answers 400 with what was wrong."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except IngestError as error:
            return _refused(error)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(each) for each in first["loc"])
            return _refused(
                BadSettings(
                    f"{where or 'body'}: {first['msg']}, found {first['input']!r:.80}",
                    hint="docs/how-to/rehearse-with-the-simulator.md says what may be sent",
                )
            )

    return guarded


def _refused(error: IngestError) -> web.Response:
    return as_response(json_answer({"detail": error.message, "hint": error.hint}, 400))


def _json(value: object) -> web.Response:
    return as_response(json_answer(value))
