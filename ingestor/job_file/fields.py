"""What single values of a job file may be, and what is said of those that may not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ValidationInfo, WithJsonSchema

from ingestor.dates import DAY_PATTERN, END_PATTERN, parse_day, parse_end
from ingestor.errors import Usage
from ingestor.job_file.document import Written
from ingestor.model import STORED
from ingestor.symbol_list import symbol_fault
from ingestor.vocabulary import ALL_SYMBOLS, Priority, Schema, SType, is_dataset

_FILE_SOURCES = frozenset({"dbn-files", "csv-files"})


def nearest(word: str, allowed: Sequence[str]) -> str:
    """``; did you mean X?`` for the nearest of `allowed`, or nothing."""
    near = get_close_matches(word.lower(), allowed, n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""


def _as_text(value: object) -> object:
    """What YAML may read as something else must be in quotes, for every reader of the file."""
    if isinstance(value, Written) and value.read_as:
        if not value:
            raise ValueError("is empty")
        raise ValueError(f'YAML reads {value} as {value.read_as}; put it in quotes: "{value}"')
    if isinstance(value, Mapping) and len(value) == 1:
        [(key, inner)] = value.items()
        if isinstance(inner, str):
            raise ValueError(
                "YAML reads this as a key with a value, for it holds a colon and a blank; "
                f'put it in quotes: "{key}: {inner}"'
            )
    return str(value) if isinstance(value, str) else value


def _one_of(words: Iterable[StrEnum], what: str) -> BeforeValidator:
    allowed = [str(each) for each in words]

    def validated(value: object) -> object:
        if not isinstance(value, str) or value in allowed:
            return value
        raise ValueError(
            f"{value[:60]!r} is no {what}; there are {', '.join(allowed)}{nearest(value, allowed)}"
        )

    return BeforeValidator(validated)


def _dataset(text: str) -> str:
    if not is_dataset(text):
        near = f"; did you mean {text.upper()}?" if is_dataset(text.upper()) else ""
        raise ValueError(f"{text[:60]!r} is no dataset code; one looks like GLBX.MDP3{near}")
    return text


def _source(text: str) -> str:
    if text in _FILE_SOURCES:
        raise ValueError(
            f"{text!r} loads files as they are; a job file asks a provider: "
            "submit files with `hdi-submit --path`"
        )
    return text


def _name(text: str) -> str:
    if not text.isprintable() or text != text.strip() or text[0] in "@-":
        raise ValueError(
            f"{text[:60]!r} is no name; it is printable, without blanks at its ends, and "
            "begins with neither @ nor -"
        )
    return text


def _symbol(text: str) -> str:
    if fault := symbol_fault(text):
        raise ValueError(fault)
    return text


def _all_or_some(value: object) -> object:
    if isinstance(value, str):
        if value == ALL_SYMBOLS:
            return [value]
        raise ValueError(f"must be {ALL_SYMBOLS} or a list: [ESM4, NQM4]; found {value[:60]!r}")
    return value


def _start(value: object, info: ValidationInfo) -> object:
    return _resolved(value, info, parse_day)


def _end(value: object, info: ValidationInfo) -> object:
    return _resolved(value, info, parse_end)


def _resolved(value: object, info: ValidationInfo, parse: Any) -> object:
    """The day, counted from the context's ``today``."""
    if not isinstance(value, str):
        return value
    try:
        return parse(str(value), today=(info.context or {})["today"])
    except Usage as error:
        raise ValueError(error.message) from error


Text = Annotated[str, BeforeValidator(_as_text)]
Symbol = Annotated[Text, AfterValidator(_symbol)]
Symbols = Annotated[
    tuple[Symbol, ...],
    BeforeValidator(_all_or_some),
    WithJsonSchema(
        {
            "anyOf": [
                {"const": ALL_SYMBOLS},
                {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
            ]
        }
    ),
]
SchemaWord = Annotated[
    Schema,
    _one_of(STORED, "schema"),
    WithJsonSchema({"enum": [str(each) for each in STORED]}),
]
STypeWord = Annotated[SType, _one_of(SType, "symbol type")]
PriorityWord = Annotated[Priority, _one_of(Priority, "priority")]
Name = Annotated[Text, AfterValidator(_name)]
Source = Annotated[Text, AfterValidator(_source)]
DatasetCode = Annotated[Text, AfterValidator(_dataset)]
StartDay = Annotated[
    dt.date | None,
    BeforeValidator(_start),
    WithJsonSchema({"type": "string", "pattern": DAY_PATTERN}),
]
EndDay = Annotated[
    dt.date | None,
    BeforeValidator(_end),
    WithJsonSchema({"type": "string", "pattern": END_PATTERN}),
]
