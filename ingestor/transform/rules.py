"""The mapping file as typed values: one class per op, told apart by ``op``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ingestor.vocabulary import Schema


class _Rule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Copied(_Rule):
    """What is copied from a field of the wire.

    Attributes:
        absent: What a record has whose version of the format lacks the field: a value, or
            ``undefined``. Where it is not given, every version has the field.
    """

    field: str
    absent: int | str | None = None


class UnixNanos(_Copied):
    """Unsigned nanoseconds since 1970, as on the wire."""

    op: Literal["unix_nanos"]


class FixedPrice(_Copied):
    """A signed price in units of 1e-9, as on the wire."""

    op: Literal["fixed_price"]


class Integer(_Copied):
    """A whole number, copied.

    Attributes:
        undefined: ``maximum`` where a version with fewer bits spells undefined by its own largest
            value.
    """

    op: Literal["integer"]
    undefined: Literal["maximum"] | None = None


class Character(_Copied):
    """One byte that stands for a character; NUL is null."""

    op: Literal["character"]


class Text(_Copied):
    """UTF-8 text in bytes of a fixed width, ended by NUL where it is shorter; empty is null."""

    op: Literal["text"]


class Constant(_Rule):
    """The same text in every row."""

    op: Literal["constant"]
    value: str


class Undefined(_Rule):
    """A column that this source does not have: NULL in every row."""

    op: Literal["undefined"]


Rule = Annotated[
    UnixNanos | FixedPrice | Integer | Character | Text | Constant | Undefined,
    Field(discriminator="op"),
]


class MappingFile(_Rule):
    """One file of ``configs/mappings/<source>``."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    record_schema: Schema = Field(alias="schema")
    table: str
    columns: dict[str, Rule]
