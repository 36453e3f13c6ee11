"""Misbehaviour that the gateway can be told of; `fault_specs` reads it.

Each fault names the method it hits, how often, and which requests; `FAULTS` lists the kinds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Literal, get_args

from pydantic import ConfigDict, Field

_STREAM: Final = "timeseries.get_range"
_STRICT: Final = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Which requests a fault hits; what is None matches all.

    Attributes:
        symbol: One of the symbols requested.
        start: How the request's start (or start_date) begins, such as ``2024-03-12``.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    dataset: str | None = None
    schema: str | None = None
    symbol: str | None = None
    start: str | None = None

    def __call__(self, fields: Mapping[str, str]) -> bool:
        start = fields.get("start") or fields.get("start_date") or ""
        return (
            self.dataset in (None, fields.get("dataset"))
            and self.schema in (None, fields.get("schema"))
            and (self.symbol is None or self.symbol in fields.get("symbols", "").split(","))
            and start.startswith(self.start or "")
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What all faults have.

    Attributes:
        method: ``family.method``, or ``*`` for every one.
        count: How many requests it hits; None for all from now on.
        skip: How many matching requests it lets pass before.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT
    method: str = _STREAM
    count: Annotated[int, Field(ge=1)] | None = 1
    skip: Annotated[int, Field(ge=0)] = 0
    match: Match = Match()

    @property
    def name(self) -> str:
        """Its kind."""
        return str(getattr(self, "kind", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusFault(Fault):
    """An error status. `body`: problem (case and message), plain, list, html or empty.

    Attributes:
        retry_after: Seconds for a Retry-After header; None for no header.
        retry_as: Whether the header holds them or the date they lead to.
    """

    kind: Literal["status"] = "status"
    status: Annotated[int, Field(ge=400, le=599)] = 503
    body: Literal["problem", "plain", "list", "html", "empty"] = "problem"
    case: str = "simulated_fault"
    message: str = "A simulated fault."
    retry_after: Annotated[float, Field(ge=0)] | None = None
    retry_as: Literal["seconds", "date"] = "seconds"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetFault(Fault):
    """The connection is reset before anything is answered."""

    kind: Literal["reset"] = "reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowFault(Fault):
    """Nothing for `delay_s` seconds, then the answer, `bytes_per_s` if that is given."""

    kind: Literal["slow"] = "slow"
    delay_s: Annotated[float, Field(ge=0)] = 0
    bytes_per_s: Annotated[int, Field(ge=1)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CutFault(Fault):
    """The body ends after `at` bytes of what is sent (from its end where negative).

    Attributes:
        how: ``clean``: a chunked body that ends as it should; ``chunked``: a chunked body without
            its last chunk; ``length``: fewer bytes than Content-Length says; ``eof``: neither
            length nor chunks, the connection just closes.
    """

    kind: Literal["cut"] = "cut"
    at: int = 1_000
    how: Literal["clean", "chunked", "length", "eof"] = "clean"


@dataclass(frozen=True, slots=True, kw_only=True)
class CutRecordsFault(Fault):
    """A sound zstd frame of a sound DBN stream that ends after `records` records."""

    kind: Literal["cut_records"] = "cut_records"
    records: Annotated[int, Field(ge=0)] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingRecordsFault(Fault):
    """The last `records` records are left out; all else is sound."""

    kind: Literal["missing_records"] = "missing_records"
    records: Annotated[int, Field(ge=1)] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CorruptFault(Fault):
    """One bit of the byte at `at` (from the end where negative) is flipped."""

    kind: Literal["corrupt"] = "corrupt"
    at: int = -20


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyFault(Fault):
    """200 and not a byte of body."""

    kind: Literal["empty"] = "empty"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongCountFault(Fault):
    """``metadata.get_record_count`` answers `add` records too many, or too few if negative."""

    kind: Literal["wrong_count"] = "wrong_count"
    method: str = "metadata.get_record_count"
    add: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialFault(Fault):
    """Status 206: `symbols`, or the last one requested, do not resolve."""

    kind: Literal["partial"] = "partial"
    symbols: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MislabelledFault(Fault):
    """The payload of another dataset (in name only) or schema (records too) than asked for."""

    kind: Literal["mislabelled"] = "mislabelled"
    dataset: str | None = None
    schema: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotYetFault(Fault):
    """422: the range's start, or end, is after the available end."""

    kind: Literal["not_yet"] = "not_yet"
    bound: Literal["start", "end"] = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningFault(Fault):
    """An X-Warning header; each warning is ``Type: text``."""

    kind: Literal["warning"] = "warning"
    warnings: tuple[str, ...] = ("BentoWarning: A simulated warning.",)


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedFault(Fault):
    """A day has other records from now on, counted and streamed; hits no single request.

    Attributes:
        seed: The day's own seed.
        per_day: The day's own number of trades; None for the same.
        last_modified_date: What its condition says from now on; None for today.
    """

    kind: Literal["corrected"] = "corrected"
    dataset: str
    day: dt.date
    seed: int = 1
    per_day: Annotated[int, Field(ge=0)] | None = None
    last_modified_date: dt.date | None = None


AnyFault = Annotated[
    StatusFault
    | ResetFault
    | SlowFault
    | CutFault
    | CutRecordsFault
    | MissingRecordsFault
    | CorruptFault
    | EmptyFault
    | WrongCountFault
    | PartialFault
    | MislabelledFault
    | NotYetFault
    | WarningFault
    | CorrectedFault,
    Field(discriminator="kind"),
]
FAULTS: Final[Mapping[str, type[Fault]]] = {
    each.__dataclass_fields__["kind"].default: each for each in get_args(get_args(AnyFault)[0])
}
"""Kind → its class."""
