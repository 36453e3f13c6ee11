"""The words of the language: what may be written at all, checked before anything is parsed.

Python's parser is only shown what passes here: no attribute, no assignment, no prefix of a string,
no keyword but five, nothing nested so deep that the parser's own stack would matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from keyword import kwlist
from typing import Final

from ingestor.validate.expression.fault import ExpressionFault, quoted

MOST_CHARACTERS: Final = 2_000
MOST_NESTED: Final = 50

KEYWORDS: Final = frozenset({"and", "or", "not", "in", "is"})

_TOKEN = re.compile(
    r"(?P<blank>[ \t\r\n]+)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<number>[0-9]+(?:_[0-9]+)*(?:\.[0-9]+(?:_[0-9]+)*)?)"
    r"|(?P<text>\"[^\"\\\x00-\x1f\x7f]*\"|'[^'\\\x00-\x1f\x7f]*')"
    r"|(?P<foreign>\*\*|//|<<|>>|<>|&&|\|\|)"
    r"|(?P<sign><=|>=|==|!=|[-<>+*&()\[\]{},])"
)
_INSTEAD: Final = {
    "=": "write == to compare",
    "&&": "write and",
    "||": "write or",
    "!": "write not, or != to compare",
    "<>": "write !=",
    "/": "there is no division; multiply the other side by a whole number",
    "//": "there is no division; multiply the other side by a whole number",
    ".": "a number is written 0.5, and a column's name has no point",
    "\\": "there is no backslash, not even in text",
    "#": "there are no comments here; YAML's stand outside the expression",
    "None": "write `is null`",
    "True": "write a comparison",
    "False": "write a comparison",
}
_NOTHING: Final = "rules compare columns, no more"
_CLOSING: Final = {"(": ")", "[": "]", "{": "}"}
_PREFIXES: Final = frozenset({"-", "+", "not"})


@dataclass(frozen=True, slots=True)
class Token:
    """One word of the text; `place` is its 0-based first character."""

    sort: str
    text: str
    place: int

    @property
    def end(self) -> int:
        return self.place + len(self.text)


def tokens_of(text: str) -> list[Token]:
    """The words of an expression, blanks left out.

    Raises:
        ExpressionFault: It is empty, too long, nested too deep, or holds what is not of this
            language.
    """
    if len(text) > MOST_CHARACTERS:
        what = f"it has {len(text)} characters; at most {MOST_CHARACTERS} are allowed"
        raise ExpressionFault(what, MOST_CHARACTERS + 1)
    found = [each for each in _scanned(text) if each.sort != "blank"]
    if not found:
        raise ExpressionFault("it is empty; write a comparison, such as price > 0", 1)
    for token, following in pairwise(found):
        _check_neighbours(token, following)
    _check_nesting(found)
    return found


def _scanned(text: str) -> Iterator[Token]:
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise ExpressionFault(_unknown(text[place]), place + 1)
        token = Token(str(match.lastgroup), match.group(), place)
        if token.sort == "foreign" or _is_foreign_word(token):
            raise _foreign(token)
        yield token
        place = token.end


def _is_foreign_word(token: Token) -> bool:
    if token.sort != "name" or token.text in KEYWORDS:
        return False
    return token.text in kwlist or token.text.lower() in KEYWORDS


def _foreign(token: Token) -> ExpressionFault:
    word = token.text.lower()
    instead = f"write {word}" if word in KEYWORDS else _INSTEAD.get(token.text, _NOTHING)
    return ExpressionFault(f"{quoted(token.text)} has no meaning here; {instead}", token.place + 1)


def _unknown(character: str) -> str:
    if character in "\"'":
        return "text that begins here is not closed on its line, or holds a backslash"
    shown = quoted(character) if character.isprintable() else f"character {ord(character):#x}"
    return f"{shown} has no meaning here; {_INSTEAD.get(character, 'it may stand in text only')}"


def _check_neighbours(token: Token, following: Token) -> None:
    """Refuses what Python would read as one word, or join: ``f"x"``, ``0x1``, ``"K" "S"``."""
    if token.sort == following.sort == "text":
        raise ExpressionFault("two texts in a row; put a comma between them", following.place + 1)
    if token.end != following.place or {token.sort, following.sort} <= {"sign", "text"}:
        return
    if token.sort in {"name", "number"} and following.sort in {"name", "number", "text"}:
        both = quoted(token.text + following.text)
        what = f"{both} is no word; numbers are written 1000 or 0.5, and text has no prefix"
        raise ExpressionFault(what, token.place + 1)


def _check_nesting(tokens: list[Token]) -> None:
    opened: list[Token] = []
    prefixes = 0
    for token in tokens:
        prefixes = prefixes + 1 if token.text in _PREFIXES else 0
        if token.text in _CLOSING:
            opened.append(token)
        elif token.text in _CLOSING.values():
            _close(opened, token)
        if max(len(opened), prefixes) > MOST_NESTED:
            raise too_deep(token.place)
    if opened:
        raise ExpressionFault(f"{quoted(opened[-1].text)} is never closed", opened[-1].place + 1)


def _close(opened: list[Token], token: Token) -> None:
    if not opened or _CLOSING[opened[-1].text] != token.text:
        raise ExpressionFault(f"{quoted(token.text)} closes nothing", token.place + 1)
    opened.pop()


def too_deep(place: int) -> ExpressionFault:
    """The fault of an expression nested deeper than `MOST_NESTED`, at a 0-based place."""
    what = f"it is nested too deep; {MOST_NESTED} levels are allowed: split it into several rules"
    return ExpressionFault(what, place + 1)
