"""Query parameters are those of the description: another one, or one twice, is refused by name.

FastAPI leaves out what it does not know and takes the last of several, so that a slip of the pen
(`?sate=failed`) would be answered with everything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError


async def only_known(request: Request) -> None:
    """A dependency of routes.

    Raises:
        RequestValidationError: A query parameter is unknown, or given more often than it may be.
    """
    known = _known(request)
    given = Counter(name for name, _ in request.query_params.multi_items())
    if faults := list(_faults(given, known)):
        raise RequestValidationError(faults)


def _known(request: Request) -> dict[str, bool]:
    """Query parameters of the asked route, each with whether it may be given several times."""
    name = request.scope["route"].name
    return {
        each["name"]: each["schema"].get("type") == "array"
        for methods in request.app.openapi()["paths"].values()
        for operation in methods.values()
        if operation["operationId"] == name
        for each in operation.get("parameters", ())
        if each["in"] == "query"
    }


def _faults(given: Counter[str], known: dict[str, bool]) -> Iterator[dict[str, Any]]:
    for name, times in given.items():
        if name not in known:
            allowed = ", ".join(known) or "none"
            yield {"loc": ("query", name), "msg": f"no such parameter; allowed: {allowed}"}
        elif times > 1 and not known[name]:
            yield {"loc": ("query", name), "msg": f"given {times} times; once at most"}
