"""The mapping file as typed values: one class per op, told apart by ``op``."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from ingestor.documents import Text as Word
from ingestor.documents import one_of
from ingestor.model import STORED
from ingestor.transform.formats import Form, compile_format
from ingestor.transform.zones import zone_named
from ingestor.vocabulary import Schema

_POWER = re.compile(r"10*|0\.0*1")

Scalar = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if isinstance(value, str | int) else value),
    WithJsonSchema({"type": ["string", "number"]}),
]
"""A value in the file, as text; the column's Kind says how it is read."""


def _power(text: str) -> str:
    if _POWER.fullmatch(text) is None or len(text) > 10:
        raise ValueError(f"must be a power of ten: 0.01, 100; found {text[:60]!r}")
    return text


def _format(text: str) -> str:
    compile_format(text)
    return text


def _zone(text: str) -> str:
    zone_named(text)
    return text


class _Rule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @property
    def fields(self) -> tuple[str, ...]:
        """Fields of the wire that it reads."""
        return ()


class _Copied(_Rule):
    """What is made of a field of the wire."""

    field: Word = Field(min_length=1, description="Field of the wire, or column of the file.")
    absent: Scalar | None = Field(
        None,
        description="What records have that lack the field: a value, or `undefined` for null. "
        "Where it is not given, they must have it.",
    )

    @property
    def fields(self) -> tuple[str, ...]:
        return (self.field,)


class _Cells(_Copied):
    """What is read from text; empty text is null."""

    nulls: tuple[Word, ...] = Field((), description="Other text that stands for null: NA, -.")


class UnixNanos(_Copied):
    """Unsigned nanoseconds since 1970, as on the wire."""

    op: Literal["unix_nanos"]


class FixedPrice(_Copied):
    """A signed price in units of 1e-9, as on the wire."""

    op: Literal["fixed_price"]


class Integer(_Copied):
    """A whole number, copied."""

    op: Literal["integer"]
    undefined: Literal["maximum"] | None = Field(
        None,
        description="`maximum` where a version with fewer bits spells undefined by its own "
        "largest value.",
    )


class Character(_Cells):
    """One byte that stands for a character; NUL, and empty text, is null."""

    op: Literal["character"]


class Text(_Cells):
    """UTF-8 text in bytes of a fixed width, ended by NUL where it is shorter; empty is null."""

    op: Literal["text"]


class DecimalPrice(_Cells):
    """A price in decimal text, exact at 1e-9."""

    op: Literal["decimal_price"]
    scale: Annotated[Scalar, AfterValidator(_power)] = Field(
        "1", description="Power of ten that the number is multiplied by: 0.01 for cents."
    )


class Number(_Cells):
    """A whole number in decimal text."""

    op: Literal["number"]


class Time(_Cells):
    """A time in text, with a zone or an offset; or a count of units since 1970."""

    op: Literal["time"]
    format: Annotated[Word, AfterValidator(_format)] | None = Field(
        None, description="As `strptime` has it, %f up to nine digits; ISO 8601 unless given."
    )
    unit: Literal["s", "ms", "us", "ns"] | None = Field(
        None, description="The text is a number of these since 1970, UTC; excludes format."
    )
    zone: Annotated[Word, AfterValidator(_zone)] = Field(
        "UTC", description="IANA name; an offset in the text goes before it."
    )
    ambiguous: Literal["first", "second"] | None = Field(
        None, description="Which of two equal local times it is; unread unless given."
    )
    date_field: Word | None = Field(
        None, description="Field with the day; format tells of day, blank and time."
    )

    @property
    def fields(self) -> tuple[str, ...]:
        return (self.field,) if self.date_field is None else (self.field, self.date_field)

    @property
    def form(self) -> Form:
        return compile_format(self.format)

    @model_validator(mode="after")
    def _one_way(self) -> Time:
        beside = {"format", "zone", "ambiguous", "date_field"} & self.model_fields_set
        if self.unit is not None and beside:
            raise ValueError(f"unit is a count since 1970, UTC; it excludes {min(beside)}")
        return self


class Enum(_Cells):
    """One of a list of words, characters or numbers, each with the value that it stands for."""

    op: Literal["enum"]
    values: dict[str, Scalar] = Field(min_length=1, description="As delivered: as stored.")


class SymbolId(_Copied):
    """An instrument id made of a symbol: 31 bits of its SHA-256, above all ids of venues."""

    op: Literal["symbol_id"]
    ids: dict[str, Annotated[int, Field(ge=0, le=2**32 - 1)]] = Field(
        {}, description="Symbols whose ids are given."
    )


class Constant(_Rule):
    """The same value in every row."""

    op: Literal["constant"]
    value: Scalar


class Undefined(_Rule):
    """A column that this source does not have: NULL in every row."""

    op: Literal["undefined"]


class CopyOf(_Rule):
    """The same as another column."""

    op: Literal["copy_of"]
    column: Word


class Difference(_Rule):
    """One column less another: nanoseconds of times, else in their own unit."""

    op: Literal["difference"]
    of: Word
    minus: Word


FROM_WIRE = (UnixNanos, FixedPrice, Integer, Character, Text)
"""Ops that copy what is on a binary wire, so that it can be rebuilt from the column."""

Rule = Annotated[
    UnixNanos | FixedPrice | Integer | Character | Text | DecimalPrice | Number | Time | Enum
    | SymbolId | Constant | Undefined | CopyOf | Difference,
    Field(discriminator="op"),
]  # fmt: skip


RULES: Final[dict[str, type[BaseModel]]] = {
    get_args(each.model_fields["op"].annotation)[0]: each for each in get_args(get_args(Rule)[0])
}
"""Op → its class."""

OPS_FROM_WIRE: Final = tuple(op for op, each in RULES.items() if issubclass(each, FROM_WIRE))


class MappingFile(_Rule):
    """One file of ``configs/mappings/<source>``."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=False)

    record_schema: Annotated[Schema, one_of(STORED, "schema")] = Field(
        alias="schema", description="Record schema; the file's name without its suffix."
    )
    table: Word = Field(description="Standard table of the schema.")
    columns: dict[str, Rule] = Field(description="A rule for each column of the table.")


def mapping_file_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a mapping file, for editors and checks."""
    schema = MappingFile.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "HDI mapping file"
    return schema
