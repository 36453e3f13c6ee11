"""What a time looks like in text: ISO 8601, or a format of ``strptime``, as a pattern of shapes.

A *shape* is the text with a 0 in place of each digit: `2024-03-11` has the shape `0000-00-00`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_OFFSET: Final = r"(?:(?P<utc>Z)|(?P<sign>[+-])(?P<zh>00)(?::?(?P<zm>00))?)"
_ISO: Final = (
    r"(?P<Y>0000)(?P<dash>-?)(?P<m>00)(?P=dash)(?P<d>00)"
    r"(?:[T ](?P<H>00)(?P<colon>:?)(?P<M>00)(?:(?P=colon)(?P<S>00)(?:[.,](?P<f>0{1,9}))?)?"
    rf"(?: ?{_OFFSET})?)?"
)
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_FULL = "|".join(_MONTHS)
_SHORT = "|".join(name[:3] for name in _MONTHS)
_DIGITS: Final = {"Y": 4, "y": 2, "m": 2, "d": 2, "H": 2, "I": 2, "M": 2, "S": 2, "j": 3, "f": 9}
_WORDS: Final = {
    "b": f"(?P<b>{_SHORT})",
    "B": f"(?P<B>{_FULL})",
    "p": "(?P<p>AM|PM)",
    "z": _OFFSET,
    "%": "%",
}
_FIXED = frozenset("Yyj")
DIRECTIVES: Final = (*_DIGITS, *_WORDS)
_ALLOWED: Final = ", ".join(f"%{each}" for each in DIRECTIVES)
_DAYS: Final = ({"m", "d"}, {"b", "d"}, {"B", "d"}, {"j"})
_PLAIN = re.compile(r"[ -/:-~]+")
_TOKEN = re.compile(r"%(.?)|[^%]+", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Form:
    """How times are written.

    Attributes:
        pattern: Of a whole shape; its groups are named as directives are, and `utc`, `sign`, `zh`
            and `zm` of an offset.
    """

    pattern: re.Pattern[str]


def month_of(name: str) -> int:
    """1 for January or Jan, in any case."""
    return [each[:3].lower() for each in _MONTHS].index(name[:3].lower()) + 1


@lru_cache
def compile_format(text: str | None) -> Form:
    """The form of a format; of ISO 8601 for None.

    Raises:
        ValueError: It holds another directive than those we know, or one twice, or says no day.
    """
    if text is None:
        return Form(re.compile(_ISO))
    parts = list(_TOKEN.finditer(text))
    names = [each[1] for each in parts if each[0].startswith("%") and each[1] != "%"]
    _check(text, names)
    return Form(re.compile("".join(_patterns(parts)), re.IGNORECASE))


def _patterns(parts: list[re.Match[str]]) -> Iterator[str]:
    for part, after in zip(parts, [*parts[1:], None], strict=True):
        name = part[1] if part[0].startswith("%") else None
        if name is None:
            yield re.escape(part[0])
        elif name in _WORDS:
            yield _WORDS[name]
        else:
            follows = after is not None and after[0].startswith("%") and after[1] in _DIGITS
            yield _digits(name, alone=not follows)


def _digits(name: str, *, alone: bool) -> str:
    """One digit will do, as for ``strptime``, where no other may follow at once."""
    width = _DIGITS[name]
    exact = name in _FIXED or (not alone and name != "f")
    return f"(?P<{name}>0{{{width}}})" if exact else f"(?P<{name}>0{{1,{width}}})"


def _check(text: str, names: list[str]) -> None:
    if not _PLAIN.fullmatch(text):
        raise ValueError(f"{text[:60]!r} holds a digit, or what is no ASCII")
    for name in names:
        if name not in _DIGITS and name not in _WORDS:
            raise ValueError(f"%{name} of {text[:60]!r} is not known; there are {_ALLOWED}")
        if names.count(name) > 1:
            raise ValueError(f"{text[:60]!r} holds %{name} twice")
    given = set(names)
    if not given & {"Y", "y"} or not any(each <= given for each in _DAYS):
        raise ValueError(
            f"{text[:60]!r} says no day: it needs a year (%Y, %y), and month and day (%m or %b, "
            "%d) or %j; a time of day alone needs date_field, and its format tells of both"
        )
    _check_once(text, given)


def _check_once(text: str, given: set[str]) -> None:
    if ("I" in given) != ("p" in given) or {"H", "I"} <= given:
        raise ValueError(f"{text[:60]!r}: %I goes with %p, and without %H")
    if sum(each in given for each in ("m", "b", "B", "j")) > 1 or {"Y", "y"} <= given:
        raise ValueError(f"{text[:60]!r} says the year or the month twice")
