"""A scalar of YAML as the text that was written.

YAML guesses: ``NO`` becomes false, ``012`` ten, ``2024-02-30`` an error without a line. Here every
scalar stays text; what other readers of YAML would make of it is told beside.
"""

from __future__ import annotations

import re
from typing import Self

import yaml

_TAG = "tag:yaml.org,2002:"
_TEXT = frozenset({f"{_TAG}str", f"{_TAG}timestamp"})
_READ_AS = {
    f"{_TAG}bool": "a truth value",
    f"{_TAG}int": "a number",
    f"{_TAG}float": "a number",
    f"{_TAG}null": "nothing",
}
# PyYAML reads 1e5 as text, YAML 1.2 reads it as a number.
_EXPONENT = re.compile(r"[-+]?[0-9]+[eE][-+]?[0-9]+")


class Written(str):
    """A scalar as it was written.

    Attributes:
        read_as: What YAML may make of it instead of text; empty for text.
    """

    __slots__ = ("read_as",)
    read_as: str

    def __new__(cls, text: str, read_as: str = "") -> Self:
        made = super().__new__(cls, text)
        made.read_as = read_as
        return made


def written(node: yaml.Node) -> Written:
    """The text of a scalar node."""
    plain = getattr(node, "style", None) is None
    if plain and node.start_mark.line != node.end_mark.line:
        return Written(node.value, "text over several lines, joined")
    if plain and _EXPONENT.fullmatch(node.value):
        return Written(node.value, "a number")
    if node.tag in _TEXT:
        return Written(node.value)
    return Written(node.value, _READ_AS.get(node.tag, "something special"))
