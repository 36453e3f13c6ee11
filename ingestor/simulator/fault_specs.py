"""Faults read from JSON and from the command line."""

from __future__ import annotations

from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from ingestor.errors import BadSettings
from ingestor.simulator.faults import FAULTS, AnyFault, Fault

_ONE: Final[TypeAdapter[Fault]] = TypeAdapter(AnyFault)
_MANY: Final[TypeAdapter[list[AnyFault]]] = TypeAdapter(list[AnyFault])


def parse_fault(value: object) -> Fault:
    """A fault from JSON's types.

    Raises:
        BadSettings: It has no such kind or field, or a value that its field does not allow.
    """
    try:
        return _ONE.validate_python(value)
    except ValidationError as error:
        raise _bad(error) from error


def parse_faults(text: bytes) -> list[Fault]:
    """Faults from a JSON list, as the control endpoint takes them.

    Raises:
        BadSettings: It is none.
    """
    try:
        return list(_MANY.validate_json(text))
    except ValidationError as error:
        raise _bad(error) from error


def parse_spec(text: str) -> Fault:
    """A fault from the command line: ``kind``, ``kind:name=value,name=value``, or JSON.

    ``match.symbol=ESM4`` narrows what it hits, ``count=all`` hits every time, ``|`` separates
    several values of one name.

    Raises:
        BadSettings: It has no such kind or field, or a value that its field does not allow.
    """
    if text.lstrip().startswith("{"):
        try:
            return _ONE.validate_json(text)
        except ValidationError as error:
            raise _bad(error) from error
    kind, _, rest = text.partition(":")
    value: dict[str, Any] = {"kind": kind.strip(), "match": {}}
    for pair in filter(None, rest.split(",")):
        name, found, given = pair.partition("=")
        if not found:
            raise BadSettings(f"fault {text!r}: {pair!r} is not name=value", hint=_HINT)
        _set(value, name.strip(), given.strip())
    return parse_fault(value)


def _set(value: dict[str, Any], name: str, given: str) -> None:
    if name.startswith("match."):
        value["match"][name.removeprefix("match.")] = given
    elif name == "count" and given == "all":
        value["count"] = None
    elif name in ("symbols", "warnings"):
        value[name] = given.split("|")
    else:
        value[name] = given


_HINT: Final = "docs/how-to/rehearse-with-the-simulator.md lists the faults and their fields"


def _bad(error: ValidationError) -> BadSettings:
    first = error.errors(include_url=False)[0]
    where = ".".join(str(each) for each in first["loc"]) or "fault"
    allowed = f"; kinds are {', '.join(FAULTS)}" if "tag" in first["type"] else ""
    return BadSettings(
        f"bad fault, {where}: {first['msg']}, found {first['input']!r:.80}{allowed}", hint=_HINT
    )
