"""What faults make of an answer before there is one."""

from __future__ import annotations

import asyncio
from typing import Final

from ingestor.simulator.desk import Desk
from ingestor.simulator.faults import (
    Fault,
    NotYetFault,
    PartialFault,
    ResetFault,
    SlowFault,
    StatusFault,
)
from ingestor.simulator.problems import (
    Answer,
    Refusal,
    json_answer,
    out_of_range,
    plain,
    problem,
    retry_after,
)
from ingestor.simulator.query import Fields, parse_query

_PAGE: Final = "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


async def before_answer(desk: Desk, fields: Fields, faults: list[Fault]) -> bool:
    """Waits where it is to be slow; whether the connection is to be reset.

    Raises:
        Refusal: A fault wants another answer than the one that was asked for.
    """
    for fault in faults:
        match fault:
            case SlowFault():
                await asyncio.sleep(fault.delay_s)
            case ResetFault():
                return True
            case StatusFault():
                raise Refusal(status_answer(fault))
            case NotYetFault():
                raise _not_yet(desk, fields, fault)
            case _:
                pass
    return False


def unresolvable(faults: list[Fault]) -> tuple[str, ...] | None:
    """Symbols that are not to resolve, empty for the last one; None where all may."""
    return next((each.symbols for each in faults if isinstance(each, PartialFault)), None)


def status_answer(fault: StatusFault) -> Answer:
    """The error in one of the forms that gateways and their proxies answer in."""
    answer = _body(fault)
    if fault.retry_after is None:
        return answer
    return retry_after(answer, fault.retry_after, as_date=fault.retry_as == "date")


def _body(fault: StatusFault) -> Answer:
    match fault.body:
        case "problem":
            return problem(fault.status, fault.case, fault.message)
        case "plain":
            return plain(fault.status, fault.message)
        case "list":
            return json_answer([fault.message], fault.status)
        case "html":
            page = _PAGE.format(f"{fault.status} {fault.message}").encode()
            return Answer(fault.status, page, "text/html")
        case "empty":
            return Answer(fault.status, b"", "text/plain")


def _not_yet(desk: Desk, fields: Fields, fault: NotYetFault) -> Refusal:
    """As if the data ended just before the bound that was asked for."""
    query = parse_query(fields, desk.archive)
    first, _ = desk.availability.bounds(query.dataset, query.schema)
    ends = query.start if fault.bound == "start" else query.end - 1
    case = f"data_{fault.bound}_after_available_end"
    return out_of_range(query.dataset, query.start, query.end, (first, ends), case)
