"""The rule files under ``configs/validation``, as typed values."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Annotated, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from ingestor.documents import Loc, Text, one_of
from ingestor.model import STORED
from ingestor.model.verdict import Severity
from ingestor.vocabulary import Schema, is_dataset

CLASSES: Final = {
    "B": "bond",
    "C": "call",
    "F": "future",
    "I": "index",
    "K": "stock",
    "M": "mixed spread",
    "P": "put",
    "S": "future spread",
    "T": "option spread",
    "X": "FX spot",
    "Y": "commodity spot",
}
"""Every instrument class of DBN."""


def _dataset(text: str) -> str:
    if not is_dataset(text):
        near = f"; did you mean {text.upper()}?" if is_dataset(text.upper()) else ""
        raise ValueError(f"{text[:60]!r} is no dataset code; one looks like GLBX.MDP3{near}")
    return text


def _share(value: object) -> object:
    try:
        share = Decimal(str(value))
    except InvalidOperation:
        share = Decimal(-1)
    if not share.is_finite() or not 0 <= share <= 1:
        raise ValueError(f"must be a number from 0 to 1 (0.05 is 5 %), found {str(value)[:60]!r}")
    return share


def _symbol(text: str) -> str:
    if not text or "\0" in text:
        raise ValueError("must be a symbol, in which * stands for any characters and ? for one")
    return text


Dataset = Annotated[Text, AfterValidator(_dataset)]
InstrumentClass = Annotated[Text, one_of(CLASSES, "instrument class")]
SymbolPattern = Annotated[Text, AfterValidator(_symbol)]
SchemaWord = Annotated[Schema, one_of(STORED, "schema")]
SeverityWord = Annotated[Severity, one_of(Severity, "severity")]
RuleId = Annotated[Text, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]
# Decimal, for 0.29 × 100 is 28.999… in floats.
Share = Annotated[
    Decimal,
    BeforeValidator(_share),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1}),
]


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WrittenWhen(_Written):
    """For which records a rule is meant: all conditions that are given must hold."""

    dataset: tuple[Dataset, ...] | None = Field(
        None, min_length=1, description="Datasets, any of them: [GLBX.MDP3]."
    )
    publisher: tuple[Annotated[int, Field(ge=0, le=65_535)], ...] | None = Field(
        None, min_length=1, description="Publisher ids, any of them."
    )
    instrument_class: tuple[InstrumentClass, ...] | None = Field(
        None,
        min_length=1,
        description="Instrument classes on the record's day, any of them: "
        f"{', '.join(f'{code} {name}' for code, name in CLASSES.items())}.",
    )
    symbol: tuple[SymbolPattern, ...] | None = Field(
        None,
        min_length=1,
        description="Raw symbols on the record's day, any of them; * stands for any characters, "
        "? for one.",
    )

    @model_validator(mode="after")
    def _says_something(self) -> WrittenWhen:
        if not self.model_fields_set:
            raise ValueError(f"holds no condition; there are {', '.join(type(self).model_fields)}")
        return self


class WrittenRule(_Written):
    """One rule."""

    id: RuleId = Field(
        description="Lower-case letters, digits and hyphens; receipts and quarantine name it."
    )
    check: Text = Field(
        min_length=1, description="What must hold, over columns of the table: price is not null."
    )
    severity: SeverityWord = Field(
        description="flag: the record is stored, counted and listed; quarantine: it is kept out; "
        "stop: its chunk fails."
    )
    required: bool = Field(
        False, description="Whether a check that is undefined, for a value is, counts as broken."
    )
    reason: Text | None = Field(
        None, min_length=1, max_length=300, description="What is wrong, as a sentence for people."
    )
    when: WrittenWhen | None = Field(
        None, description="For which records it is meant; all by default."
    )


class WrittenBounds(_Written):
    """The most records of a payload that may be refused: whichever of the two is more."""

    records: int = Field(100, ge=0, description="So many records.")
    share: Share = Field(Decimal("0.05"), description="This share of the payload's records.")


class WrittenLimit(WrittenBounds):
    """As bounds, and others for single schemas."""

    schemas: dict[SchemaWord, WrittenBounds] = Field(
        default_factory=dict, description="Other bounds, by schema; what they leave out stays."
    )

    def of(self, schema: Schema) -> tuple[int, Decimal]:
        """Records and share that hold for `schema`."""
        own = self.schemas.get(schema)
        given = own.model_fields_set if own is not None else frozenset()
        records = own.records if own is not None and "records" in given else self.records
        share = own.share if own is not None and "share" in given else self.share
        return records, share


class SharedRules(_Written):
    """A file that rule files include."""

    rules: tuple[WrittenRule, ...] = Field(description="Rules, in the order in which they refuse.")


class RuleFile(_Written):
    """The rules of one table: ``configs/validation/<table>.yaml``."""

    table: Text = Field(description="The table; the file is called after it.")
    include: tuple[Text, ...] = Field(
        (), description="Files of shared rules, relative to the folder; they come first."
    )
    rejection_limit: WrittenLimit = Field(
        default_factory=WrittenLimit,
        description="How many records of a payload may be refused before its chunk fails.",
    )
    rules: tuple[WrittenRule, ...] = Field(
        (), description="Rules, in the order in which they refuse."
    )


def known_keys(loc: Loc) -> tuple[str, Sequence[str]]:
    """What surrounds a key, and the keys that are allowed there."""
    models: dict[tuple[str, ...], tuple[str, type[BaseModel]]] = {
        ("rules", "when"): ("the conditions of a rule", WrittenWhen),
        ("rules",): ("a rule", WrittenRule),
        ("rejection_limit",): ("a rejection limit", WrittenLimit),
        ("rejection_limit", "schemas"): ("the bounds of a schema", WrittenBounds),
    }
    around = tuple(each for each in loc[:-1] if isinstance(each, str))[:2]
    where, model = models.get(around, ("a rule file", RuleFile))
    return where, list(model.model_fields)


def shared_keys(loc: Loc) -> tuple[str, Sequence[str]]:
    """As `known_keys`, for a file of shared rules."""
    if len(loc) == 1:
        return "a file of shared rules", list(SharedRules.model_fields)
    return known_keys(loc)
