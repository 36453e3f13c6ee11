"""What is wrong with a job file, in words: line, key, what was found, what is allowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from ingestor.errors import BadJob
from ingestor.job_file.document import Document, Fault, Loc
from ingestor.job_file.fields import nearest
from ingestor.job_file.model import Budget, WrittenJob, WrittenRequest
from ingestor.job_file.nodes import HINT
from ingestor.redaction import redact

_MOST = 10
_SHOWN = 60
_NO_SCHEDULE: Final = (
    "schedules are not supported yet; let cron or a systemd timer run `hdi-submit --job` on this "
    "file: relative days are counted anew each time"
)
_MUST_BE: Final[Mapping[str, str]] = {
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "finite_number": "must be a number",
    "tuple_type": "must be a list",
    "dict_type": "must hold keys with values",
    "model_type": "must hold keys with values",
    "model_attributes_type": "must hold keys with values",
    "string_type": "must be text",
    "date_type": "must be a day",
    "enum": "must be a word",
    "too_short": "must hold at least one",
    "string_too_short": "must not be empty",
}
_BOUNDS: Final[Mapping[str, str]] = {
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_too_long": "must have at most {max_length} characters",
    "too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must be lower-case letters, digits and hyphens",
}


def bad_job(document: Document, faults: Iterable[Fault]) -> BadJob:
    """All faults as one error, in the order of the file; of each place the first one."""
    first: dict[Loc, Fault] = {}
    for fault in faults:
        first.setdefault(fault.loc, fault)
    told = sorted(first.values(), key=lambda fault: document.line(fault.loc))
    lines = [_told(document, fault) for fault in told[:_MOST]]
    if len(told) > _MOST:
        lines.append(f"and {len(told) - _MOST} more")
    count = "" if len(told) == 1 else f" has {len(told)} faults:"
    start = f"job file {document.path}{count}" + ("," if not count else "")
    return BadJob(f"{start} {'; '.join(lines)}", hint=HINT)


def _told(document: Document, fault: Fault) -> str:
    # In parentheses: `api_key: …` would be masked as a secret.
    key = f" ({spelled(fault.loc)})" if fault.loc else ""
    return redact(f"line {document.line(fault.loc)}{key}: {fault.what}")


def spelled(loc: Loc) -> str:
    """``requests[0].start``."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def model_faults(error: ValidationError) -> list[Fault]:
    """What pydantic found, in our words."""
    found = error.errors(include_url=False)
    # A list whose items are all wrong is counted as empty, too: that is no fault of its own.
    return [_fault(each) for each in found if each["type"] != "too_short" or not each["input"]]


def _fault(error: Mapping[str, Any]) -> Fault:
    loc, kind, found = tuple(error["loc"]), str(error["type"]), error.get("input")
    if kind == "missing":
        return Fault(loc, "is missing")
    if kind == "extra_forbidden":
        return Fault(loc, _unknown_key(loc))
    if found is None:
        return Fault(loc, EMPTY)
    context = error.get("ctx", {})
    if kind == "value_error":
        return Fault(loc, str(context["error"]))
    if kind in _BOUNDS:
        return Fault(loc, f"{_BOUNDS[kind].format(**context)}, found {_shown(found)}")
    return Fault(loc, f"{_MUST_BE.get(kind, error['msg'])}, found {_shown(found)}")


EMPTY: Final = "is empty; give it a value or leave the key out"


def _shown(found: object) -> str:
    if isinstance(found, Mapping):
        return "keys with values"
    if isinstance(found, list | tuple):
        return "a list" if found else "an empty list"
    return repr(str(found)[:_SHOWN])


def _unknown_key(loc: Loc) -> str:
    key = str(loc[-1])
    if loc == ("schedule",):
        return _NO_SCHEDULE
    where, allowed = _surroundings(loc)
    return f"is no key of {where}; allowed are {', '.join(allowed)}{nearest(key, allowed)}"


def _surroundings(loc: Loc) -> tuple[str, Sequence[str]]:
    models: dict[object, tuple[str, type[BaseModel]]] = {
        "requests": ("a request", WrittenRequest),
        "budget": ("a budget", Budget),
    }
    where, model = models.get(loc[0] if len(loc) > 1 else "", ("a job file", WrittenJob))
    return where, [field.alias or name for name, field in model.model_fields.items()]
