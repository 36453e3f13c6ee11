"""The functions of the language: each takes one value."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from ingestor.model.kind import NANOSECONDS
from ingestor.validate.expression.fault import Unfit, quoted
from ingestor.validate.expression.units import ONE, SPANS, Unit
from ingestor.validate.expression.values import Constant, Magnitude, Value

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EPOCH: Final = dt.date(1970, 1, 1).toordinal()
_SIGNED: Final = frozenset({Unit.PRICE, Unit.NUMBER, Unit.DURATION, Unit.PLAIN})


def magnitude(of: Value) -> Value:
    """``abs(value)``, of the same unit."""
    if of.unit not in _SIGNED:
        raise Unfit(f"abs() takes a price, a number or a duration; found {of.unit}")
    if isinstance(of, Constant):
        return Constant(of.unit, abs(int(of.value)))
    return Magnitude(of.unit, of)


def span(name: str, of: Value) -> Value:
    """``seconds(0.5)`` as a duration."""
    if not isinstance(of, Constant) or of.unit is not Unit.PLAIN:
        raise Unfit(f"{name}() takes a number as it is written; found {of.unit}")
    nanoseconds, rest = divmod(int(of.value) * SPANS[name], ONE)
    if rest:
        raise Unfit("a duration is a whole number of nanoseconds")
    return Constant(Unit.DURATION, nanoseconds)


def midnight(of: Value) -> Value:
    """``date("2024-03-11")``: the moment at which that day begins in UTC."""
    if not isinstance(of, Constant) or not isinstance(of.value, bytes):
        raise Unfit(f'date() takes a day in quotes, as date("2024-03-11"); found {of.unit}')
    text = of.value.decode()
    day = _day(text)
    if day is None:
        raise Unfit(f'{quoted(text)} is no day; write it as date("2024-03-11")')
    return Constant(Unit.TIME, (day.toordinal() - _EPOCH) * 86_400 * NANOSECONDS)


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


FUNCTIONS: Final[Mapping[str, Callable[[Value], Value]]] = {
    "abs": magnitude,
    **{name: partial(span, name) for name in SPANS},
    "date": midnight,
}
"""Name → its value; raises Unfit where the argument is none that it takes."""
