"""One record as a Pydantic model, derived from its Table: OhlcvMsg, TradeMsg, TbboMsg and so on.

They type what a query returns and explain what could not be stored. No record passes through them
on its way into a table (`docs/decisions/0009-record-models.md`). Importing this loads Pydantic.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Context, Decimal
from functools import cache
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    create_model,
)
from pydantic_core import PydanticCustomError

from ingestor.model import TABLES, Column, Table
from ingestor.model.kind import PRICE

_BITS: Final = {"i1": (-(2**7), 2**7 - 1), "i2": (-(2**15), 2**15 - 1),
                "i4": (-(2**31), 2**31 - 1), "i8": (-(2**63), 2**63 - 1),
                "u1": (0, 2**8 - 1), "u2": (0, 2**16 - 1), "u4": (0, 2**32 - 1),
                "u8": (0, 2**64 - 1)}  # fmt: skip
_NANO: Final = Decimal("1e-9")
# 19 digits hold any price; the context of whoever calls may hold fewer.
_EXACT: Final = Context(prec=40)
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|\+00:00)")
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SECOND: Final = dt.timedelta(seconds=1)

_NAMED: Final = {table.record: table for table in TABLES}
__all__ = ["record_model", *sorted(_NAMED)]  # noqa: PLE0604 - names of models, all text


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def record_model(table: Table) -> type[BaseModel]:
    """The model of one record of `table`; tables of one shape share theirs.

    Header fields are flat. Prices are `Decimal`, exact at 1e-9; times are nanoseconds since 1970,
    also given as ISO 8601 text with up to nine digits of a second; null is None. Fields `symbol`,
    `chunk_id` and `ordinal`, which a record has once it is stored, may be left out.
    """
    return _model(table.record, table.columns)


def __getattr__(name: str) -> type[BaseModel]:
    """`TradeMsg` and the others, each made when it is first asked for."""
    if name not in _NAMED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return record_model(_NAMED[name])


def spelled(column: Column, value: Any) -> Any:
    """A value of the standard frame as the model takes it; None for the column's sentinel.

    Text and characters stay bytes: which of them are text is the model's to say.
    """
    plain = value.item() if hasattr(value, "item") else value
    if column.nullable and plain == column.null:
        return None
    if column.kind is PRICE:
        return Decimal(plain).scaleb(-9, _EXACT)
    return bytes([plain]) if column.kind.name == "character" else plain


@cache
def _model(name: str, columns: tuple[Column, ...]) -> type[BaseModel]:
    fields: dict[str, Any] = {c.name: (_type(c), _field(c)) for c in columns if c.in_frame}
    fields["symbol"] = (
        str | None,
        Field(None, description="What the record was asked for by, or its raw symbol."),
    )
    fields |= {c.name: (_type(c) | None, _field(c, None)) for c in columns if c.ledger}
    return create_model(name, __base__=_Record, __module__=__name__, **fields)


def _field(column: Column, default: Any = ...) -> Any:
    return Field(default, description=column.doc)


def _type(column: Column) -> Any:
    kind = column.kind
    if kind.sql == "TEXT":
        made: Any = _character() if kind.name == "character" else _text(column)
    elif kind is PRICE:
        made = _price(column)
    else:
        made = _integer(column)
    return made | None if column.nullable else made


def bounds(column: Column) -> tuple[int, int]:
    """Lowest and highest frame value that is neither null nor undefined, both inclusive."""
    kind = column.kind
    low, high = _BITS[kind.frame]
    low = low if kind.lowest is None else kind.lowest
    high = high if kind.highest is None else kind.highest
    sentinels = (column.null, column.required)
    return low + (low in sentinels), high - (high in sentinels)


def _integer(column: Column) -> Any:
    low, high = bounds(column)
    step = None if column.kind.step == 1 else column.kind.step
    limits = Field(ge=low, le=high, multiple_of=step, strict=True)
    if column.kind.sql == "TIMESTAMPTZ":
        return Annotated[int, limits, _TIME]
    return Annotated[int, limits]


def _price(column: Column) -> Any:
    low, high = (Decimal(each).scaleb(-9, _EXACT) for each in bounds(column))
    return Annotated[
        Decimal, BeforeValidator(_no_float), Field(ge=low, le=high), AfterValidator(_at_nano)
    ]


def _text(column: Column) -> Any:
    # Empty text is null where there is null, so it is no value.
    return Annotated[str, Field(min_length=1 if column.nullable else 0), AfterValidator(_no_nul)]


def _character() -> Any:
    return Annotated[str, Field(min_length=1, max_length=1), AfterValidator(_ascii)]


def _nanoseconds(value: object) -> object:
    """ISO 8601 text as nanoseconds since 1970; anything else as it is."""
    if not isinstance(value, str):
        return value
    try:
        if (found := _ISO.fullmatch(value)) is None:
            raise ValueError
        whole = dt.datetime.fromisoformat(f"{found[1]}T{found[2]}+00:00")
    except ValueError:
        raise PydanticCustomError(
            "time_text", "Input should be a UTC time like 2024-03-11T09:30:00.000000001Z"
        ) from None
    return (whole - _EPOCH) // _SECOND * 10**9 + int((found[3] or "").ljust(9, "0"))


_TIME: Final = BeforeValidator(_nanoseconds, json_schema_input_type=int | str)


def _no_float(value: object) -> object:
    if isinstance(value, float | bool):
        raise PydanticCustomError("price_float", "Input should be a decimal, not a float")
    return value


def _at_nano(value: Decimal) -> Decimal:
    if value != value.quantize(_NANO, context=_EXACT):
        raise PydanticCustomError("price_digits", "Input should have nine decimals at most")
    return value


def _no_nul(value: str) -> str:
    if "\0" in value:
        raise PydanticCustomError("text_nul", "Input should hold no NUL")
    return value


def _ascii(value: str) -> str:
    if not "\0" < value <= "\x7f":
        raise PydanticCustomError("character_range", "Input should be one ASCII character, no NUL")
    return value
