"""The provider's JSON answers, checked as they come: one of another form is no KeyError later.

`read` turns a wrong form into SourceUnavailable. The request is not what is wrong; a proxy's page
passes, and a change of the API ends the attempts with a message that names the field.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)

from ingestor.days import EPOCH
from ingestor.errors import SourceRefused, SourceUnavailable
from ingestor.job import SymbolInterval
from ingestor.manifest import DayCondition

T = TypeVar("T")

_MOMENT: Final = re.compile(r"([\dT:-]{10,19})(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_NS: Final = 1_000_000_000
_STRICT: Final = ConfigDict(frozen=True, strict=True, hide_input_in_errors=True)


def _date(text: str) -> str:
    dt.date.fromisoformat(text)
    if len(text) != 10:
        raise ValueError("is no date")
    return text


def _nanoseconds(text: object) -> int:
    """UTC nanoseconds of ``2020-12-28`` or ``2020-12-28T00:00:00.000000000Z``."""
    if not isinstance(text, str):
        raise ValueError("is no time")
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise ValueError("is no time")
    whole, fraction, offset = found.groups(default="")
    moment = dt.datetime.fromisoformat(whole + offset)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    since = moment - dt.datetime(EPOCH.year, EPOCH.month, EPOCH.day, tzinfo=dt.UTC)
    return (since.days * 86_400 + since.seconds) * _NS + int(fraction.ljust(9, "0"))


Date = Annotated[str, AfterValidator(_date)]
Moment = Annotated[int, BeforeValidator(_nanoseconds)]
"""ISO 8601 in the answer, UTC nanoseconds in the model."""

Usd = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]


class _Answer(BaseModel):
    """Fields that are not known here are ignored: the API may add some."""

    model_config = _STRICT


class Condition(_Answer):
    """One day of a dataset."""

    date: Date
    condition: Annotated[str, Field(min_length=1)]
    last_modified_date: Date | None = None

    @property
    def day(self) -> DayCondition:
        modified = self.last_modified_date
        return DayCondition(
            day=dt.date.fromisoformat(self.date),
            condition=self.condition,
            modified=dt.date.fromisoformat(modified) if modified else None,
        )


class _Range(_Answer):
    start: Moment
    end: Moment


class _DatasetRange(_Range):
    per_schema: dict[str, _Range] = Field(default={}, alias="schema")


class UnitPrices(_Answer):
    """US dollars per gigabyte of each schema in one mode of delivery."""

    mode: str
    unit_prices: dict[str, Usd]


class Publisher(_Answer):
    """A venue as one dataset carries it."""

    publisher_id: Count
    dataset: str
    venue: str
    description: str = ""


class _Target(_Answer):
    d0: Date
    d1: Date
    s: str


class _Resolution(_Answer):
    result: dict[str, list[_Target]]
    partial: list[str] = []
    not_found: list[str] = []


@dataclass(frozen=True, slots=True)
class AvailableRange:
    """What the account may ask for of a dataset: UTC nanoseconds, the end exclusive.

    Attributes:
        per_schema: Empty where the provider does not tell them apart.
    """

    dataset: str
    start: int
    end: int
    per_schema: Mapping[str, tuple[int, int]]

    def of(self, schema: str) -> tuple[int, int]:
        """Start and end of one schema.

        Raises:
            SourceRefused: The dataset does not have it.
        """
        if not self.per_schema:
            return self.start, self.end
        if schema not in self.per_schema:
            raise SourceRefused(
                f"{self.dataset} has no schema {schema}; it has {', '.join(self.per_schema)}"
            )
        return self.per_schema[schema]


@dataclass(frozen=True, slots=True)
class Resolved:
    """What symbols meant on which days.

    Attributes:
        intervals: As the provider told them; days without a target are left out.
        partial: Symbols without a target on some of the days.
        not_found: Symbols without a target on all of them.
    """

    intervals: tuple[SymbolInterval, ...]
    partial: tuple[str, ...]
    not_found: tuple[str, ...]


_LIST: Final = ConfigDict(strict=True, hide_input_in_errors=True)
# Strict: a count of "3" or True is none.
NAMES: Final = TypeAdapter(list[str], config=_LIST)
USD: Final = TypeAdapter(Usd, config=_LIST)
COUNT: Final = TypeAdapter(Count, config=_LIST)
CONDITIONS: Final = TypeAdapter(list[Condition])
UNIT_PRICES: Final = TypeAdapter(list[UnitPrices])
PUBLISHERS: Final = TypeAdapter(list[Publisher])
_DATASET_RANGE: Final = TypeAdapter(_DatasetRange)
_RESOLUTION: Final = TypeAdapter(_Resolution)


def available_range(dataset: str, answer: object, call: str) -> AvailableRange:
    """Of ``metadata.get_dataset_range``."""
    found = read(_DATASET_RANGE, answer, call)
    schemas = {name: (each.start, each.end) for name, each in found.per_schema.items()}
    return AvailableRange(dataset, found.start, found.end, schemas)


def resolution(stype_in: str, stype_out: str, answer: object, call: str) -> Resolved:
    """Of ``symbology.resolve``. An empty target, or none at all, is a symbol that was not found."""
    found = read(_RESOLUTION, answer, call)
    intervals = tuple(
        SymbolInterval(stype_in, symbol, stype_out, each.s, each.d0, each.d1)
        for symbol, targets in found.result.items()
        for each in targets
        if each.s
    )
    known = {each.symbol for each in intervals}
    missing = {*found.not_found, *found.result} - known
    holed = {symbol for symbol, targets in found.result.items() if not all(t.s for t in targets)}
    partial = (holed | {*found.partial}) - missing
    return Resolved(intervals, tuple(sorted(partial)), tuple(sorted(missing)))


def read(form: TypeAdapter[T], answer: object, call: str) -> T:
    """`answer` as the form that `call` answers in.

    Raises:
        SourceUnavailable: It has another one.
    """
    try:
        return form.validate_python(answer)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise SourceUnavailable(
            f"{call} was answered in an unknown form: {place[:80]}: {first['msg']}",
            hint="check HDI_DATABENTO_GATEWAY; a newer hist-data-ingestor may know the form",
        ) from error


def together(parts: Iterable[Resolved]) -> Resolved:
    """The answers for several groups of symbols as one."""
    every = list(parts)
    return Resolved(
        tuple(each for part in every for each in part.intervals),
        tuple(sorted(name for part in every for name in part.partial)),
        tuple(sorted(name for part in every for name in part.not_found)),
    )
