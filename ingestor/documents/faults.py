"""What is wrong with a file, in words: line, key, what was found, what is allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from ingestor.documents.choices import choices
from ingestor.documents.document import Document
from ingestor.documents.places import Fault, Loc, spelled
from ingestor.documents.words import nearest
from ingestor.errors import IngestError
from ingestor.redaction import redact

Model = TypeVar("Model", bound=BaseModel)
Keys = Callable[[Loc], tuple[str, Sequence[str]]]
"""Place of an unknown key → what surrounds it (``a request``), and the keys allowed there."""

EMPTY: Final = "is empty; give it a value or leave the key out"
_MOST = 10
_SHOWN = 60
_MUST_BE: Final[Mapping[str, str]] = {
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "finite_number": "must be a number",
    "list_type": "must be a list",
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
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "string_too_long": "must have at most {max_length} characters",
    "too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must be lower-case letters, digits and hyphens",
}


def wrong(document: Document, faults: Iterable[Fault]) -> IngestError:
    """All faults as one error of the document's manner, in the order of the file.

    Of each place the first one is told.
    """
    first: dict[Loc, Fault] = {}
    for fault in faults:
        first.setdefault(fault.loc, fault)
    told = sorted(first.values(), key=lambda fault: document.line(fault.loc))
    lines = [_told(document, fault) for fault in told[:_MOST]]
    if len(told) > _MOST:
        lines.append(f"and {len(told) - _MOST} more")
    count = "" if len(told) == 1 else f" has {len(told)} faults:"
    start = f"{document.manner.noun} {document.name}{count}" + ("," if not count else "")
    return document.manner.error(f"{start} {'; '.join(lines)}", hint=document.manner.hint)


def validated(document: Document, model: type[Model], keys: Keys) -> Model:
    """The document as a model.

    Raises:
        IngestError: The manner's, with all faults that the model or the document itself has.
    """
    faults = [*document.faults, *empty_faults(document)]
    try:
        made = model.model_validate(document.values)
    except ValidationError as error:
        # `from None`: pydantic's error holds every value.
        raise wrong(document, [*faults, *model_faults(error, keys, model)]) from None
    if faults:
        raise wrong(document, faults)
    return made


def empty_faults(document: Document) -> list[Fault]:
    """Keys without a value: none has a meaning."""
    return [Fault(loc, EMPTY) for loc in document.empty]


def model_faults(
    error: ValidationError, keys: Keys, model: type[BaseModel] | None = None
) -> list[Fault]:
    """What pydantic found, in our words; with `model`, which words a missing key takes."""
    found = error.errors(include_url=False)
    # A list whose items are all wrong is counted as empty, too: that is no fault of its own.
    counted = [each for each in found if each["type"] != "too_short" or not each["input"]]
    return [_fault(each, keys, model) for each in counted]


def _fault(error: Mapping[str, Any], keys: Keys, model: type[BaseModel] | None) -> Fault:
    loc, kind, found = tuple(error["loc"]), str(error["type"]), error.get("input")
    if kind == "missing":
        words = choices(model, loc) if model is not None else ()
        return Fault(loc, f"is missing; there are {', '.join(words)}" if words else "is missing")
    if kind == "extra_forbidden":
        return Fault(loc, _unknown_key(loc, keys))
    if kind.startswith("union_tag"):
        return _unknown_tag(loc, found, error["ctx"])
    return Fault(loc, EMPTY if found is None else _unfit(kind, error))


def _unfit(kind: str, error: Mapping[str, Any]) -> str:
    """What is said of a value."""
    context = error.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    must_be = _BOUNDS[kind].format(**context) if kind in _BOUNDS else _MUST_BE.get(kind)
    return f"{must_be or error['msg']}, found {_shown(error['input'])}"


def _unknown_tag(loc: Loc, found: object, context: Mapping[str, Any]) -> Fault:
    """A value of a union whose key says which of the models it is."""
    if not isinstance(found, Mapping):
        return Fault(loc, f"{_MUST_BE['model_type']}, found {_shown(found)}" if found else EMPTY)
    key = str(context["discriminator"]).strip("'")
    if "tag" not in context:
        return Fault((*loc, key), "is missing")
    allowed = str(context["expected_tags"]).replace("'", "").split(", ")
    tag = str(context["tag"])[:_SHOWN]
    near = nearest(tag, allowed)
    return Fault((*loc, key), f"{tag!r} is no {key}; there are {', '.join(allowed)}{near}")


def _told(document: Document, fault: Fault) -> str:
    # In parentheses: `api_key: …` would be masked as a secret.
    key = f" ({spelled(fault.loc)})" if fault.loc else ""
    return redact(f"line {document.line(fault.loc)}{key}: {fault.what}")


def _shown(found: object) -> str:
    if isinstance(found, Mapping):
        return "keys with values"
    if isinstance(found, list | tuple):
        return "a list" if found else "an empty list"
    return repr(str(found)[:_SHOWN])


def _unknown_key(loc: Loc, keys: Keys) -> str:
    where, allowed = keys(loc)
    near = nearest(str(loc[-1]), allowed)
    return f"is no key of {where}; allowed are {', '.join(allowed)}{near}"
