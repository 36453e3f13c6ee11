"""What single values of a job file may be, and what is said of those that may not."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ValidationInfo, WithJsonSchema

from ingestor.dates import DAY_PATTERN, END_PATTERN, parse_day, parse_end
from ingestor.documents import Text, one_of
from ingestor.errors import Usage
from ingestor.model import STORED
from ingestor.symbol_list import symbol_fault
from ingestor.vocabulary import ALL_SYMBOLS, Priority, Schema, SType, is_dataset

_FILE_SOURCES = frozenset({"dbn-files", "csv-files"})


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
    one_of(STORED, "schema"),
    WithJsonSchema({"enum": [str(each) for each in STORED]}),
]
STypeWord = Annotated[SType, one_of(SType, "symbol type")]
PriorityWord = Annotated[Priority, one_of(Priority, "priority")]
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
