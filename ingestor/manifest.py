"""What was fetched: the request, and the manifest kept beside its payload in the vault.

A payload is found again by the key of its request, so both are frozen, and spelled the same by
every worker.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from typing import Annotated, Any, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ingestor.errors import CorruptPayload
from ingestor.job import PayloadRef, SymbolInterval
from ingestor.vocabulary import Realm

MANIFEST_VERSION = 1

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class PayloadRequest(_Frozen):
    """What a payload answers.

    Attributes:
        symbols: Sorted and distinct; ``("ALL_SYMBOLS",)`` for every one.
        start: Index timestamp, UTC nanoseconds, inclusive; `end` is exclusive.
        anew: Empty, or the id of the job that was told to fetch again what may be held already.
    """

    source: str
    realm: Realm
    dataset: str
    schema_name: str
    stype_in: str
    symbols: tuple[str, ...]
    start: int
    end: int
    anew: str = ""

    @field_validator("symbols", mode="after")
    @classmethod
    def _canonical(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(set(symbols)))

    @property
    def key(self) -> str:
        """Hex digest that names the request, the same for any order of symbols."""
        return hashlib.sha256(
            orjson.dumps(self.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
        ).hexdigest()

    def usual(self) -> Self:
        """The same request as a job would ask it that is not told to fetch anew."""
        return self.model_copy(update={"anew": ""})


class DayCondition(_Frozen):
    """What the provider says of one day of a dataset.

    Attributes:
        condition: available, degraded, pending, missing, or a word it may add.
        modified: Day on which the provider last changed it; None where it does not tell.
    """

    day: dt.date
    condition: str
    modified: dt.date | None = None

    @property
    def held(self) -> bool:
        """Whether the provider has the day, well or degraded: only then can it be covered."""
        return self.condition in ("available", "degraded")


class Interval(_Frozen):
    """A `SymbolInterval` as JSON."""

    stype_in: str
    symbol: str
    stype_out: str
    target: str
    start: str
    end: str


class Manifest(_Frozen):
    """Stands beside a payload in the vault and says what it is.

    Attributes:
        records: As the provider's count said, and the payload held.
        conditions: Of the request's days, as the provider told them when it was fetched.
        symbology: Intervals that the payload names, or that were resolved for it.
        partial: Symbols that did not resolve on some day; `not_found` on none.
        warnings: What the provider said beside the payload.
        client: Name and version of the client that fetched it.
    """

    version: int = MANIFEST_VERSION
    request: PayloadRequest
    sha256: Sha256
    size: int = Field(ge=0)
    records: int = Field(ge=0)
    fetched_at: dt.datetime
    client: str
    conditions: tuple[DayCondition, ...] = ()
    symbology: tuple[Interval, ...] = ()
    partial: tuple[str, ...] = ()
    not_found: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def as_json(self) -> bytes:
        return orjson.dumps(self.model_dump(mode="json"), option=orjson.OPT_INDENT_2)

    @classmethod
    def parse(cls, content: bytes, place: str) -> Self:
        """The manifest in `content`, found at `place`.

        Raises:
            CorruptPayload: It is none, or of a version that this HDI does not know.
        """
        try:
            found = cls.model_validate_json(content)
        except ValidationError as error:
            raise CorruptPayload(
                f"{place} is no manifest: {error.error_count()} fields are wrong",
                hint="remove it; the payload is then fetched again",
            ) from error
        if found.version != MANIFEST_VERSION:
            raise CorruptPayload(
                f"{place} is a manifest of version {found.version}; {MANIFEST_VERSION} is known",
                hint="update hist-data-ingestor",
            )
        return found

    @property
    def intervals(self) -> tuple[SymbolInterval, ...]:
        return tuple(SymbolInterval(**each.model_dump()) for each in self.symbology)

    def ref(self, uri: str) -> PayloadRef:
        return PayloadRef(uri, self.sha256, self.size)


def as_intervals(found: Iterable[SymbolInterval]) -> tuple[Interval, ...]:
    """Symbol intervals as a manifest spells them."""
    return tuple(Interval(**_fields(each)) for each in found)


def _fields(each: SymbolInterval) -> dict[str, Any]:
    return {name: getattr(each, name) for name in each.__slots__}
