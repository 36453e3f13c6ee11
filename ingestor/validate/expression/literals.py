"""Numbers and text as they are written → exact constants of the unit that is asked for."""

from __future__ import annotations

from typing import Final

from ingestor.validate.expression.fault import Unfit, quoted
from ingestor.validate.expression.units import ONE, Unit
from ingestor.validate.expression.values import Constant

DECIMALS: Final = 9


def number(text: str) -> Constant:
    """A number without a unit, exactly.

    Raises:
        Unfit: It has more than nine decimals.
    """
    whole, _, decimals = text.replace("_", "").partition(".")
    if len(decimals) > DECIMALS:
        raise Unfit(
            f"{quoted(text)} has {len(decimals)} decimals; prices have {DECIMALS}, and so may "
            f"numbers"
        )
    return Constant(Unit.PLAIN, int(whole) * ONE + int(decimals.ljust(DECIMALS, "0")))


def written(constant: Constant) -> str:
    """A number without a unit as people write it."""
    value = int(constant.value)
    whole, rest = divmod(abs(value), ONE)
    decimals = f".{rest:0{DECIMALS}}".rstrip("0") if rest else ""
    return f"{'-' if value < 0 else ''}{whole}{decimals}"


def fitted(constant: Constant, unit: Unit) -> Constant:
    """A number or a text as a value of `unit`, where it can be one; else as it is.

    Raises:
        Unfit: It has a fraction where whole numbers stand, or is no single character.
    """
    if constant.unit is Unit.PLAIN and unit is Unit.PRICE:
        return Constant(unit, constant.value)
    if constant.unit is Unit.PLAIN and unit is Unit.NUMBER:
        return Constant(unit, _whole(constant))
    if constant.unit is Unit.TEXT and unit is Unit.CHARACTER:
        return Constant(unit, _character(constant))
    return constant


def _whole(constant: Constant) -> int:
    whole, rest = divmod(int(constant.value), ONE)
    if rest:
        raise Unfit(f"{quoted(written(constant))} has a fraction; only whole numbers stand here")
    return whole


def floor(constant: Constant) -> Constant:
    """The largest whole number that is not above a number without a unit."""
    return Constant(Unit.NUMBER, int(constant.value) // ONE)


def is_whole(constant: Constant) -> bool:
    """Whether a number without a unit has no fraction."""
    return int(constant.value) % ONE == 0


def _character(constant: Constant) -> int:
    assert isinstance(constant.value, bytes)
    if len(constant.value) == 1:
        return constant.value[0]
    shown = quoted(f'"{constant.value.decode()}"')
    raise Unfit(f"{shown} is not one character of ASCII, which is what the column holds")
