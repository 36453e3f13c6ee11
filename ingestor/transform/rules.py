"""The mapping file as typed values: one class per op, told apart by ``op``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ingestor.vocabulary import Schema


class _Rule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class UnixNanos(_Rule):
    """Unsigned nanoseconds since 1970, as on the wire."""

    op: Literal["unix_nanos"]
    field: str


class FixedPrice(_Rule):
    """A signed price in units of 1e-9, as on the wire."""

    op: Literal["fixed_price"]
    field: str


class Integer(_Rule):
    """A whole number, copied."""

    op: Literal["integer"]
    field: str


class Character(_Rule):
    """One byte that stands for a character; NUL is null."""

    op: Literal["character"]
    field: str


class Constant(_Rule):
    """The same text in every row."""

    op: Literal["constant"]
    value: str


class Undefined(_Rule):
    """A column that this source does not have: NULL in every row."""

    op: Literal["undefined"]


Rule = Annotated[
    UnixNanos | FixedPrice | Integer | Character | Constant | Undefined,
    Field(discriminator="op"),
]


class MappingFile(_Rule):
    """One file of ``configs/mappings/<source>``."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    record_schema: Schema = Field(alias="schema")
    table: str
    columns: dict[str, Rule]
