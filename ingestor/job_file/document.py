"""A YAML file as plain values that remember where and how they were written.

YAML guesses: ``NO`` becomes false, ``012`` ten, ``2024-02-30`` an error without a line. Here every
scalar stays the text that was written; what other readers of YAML would make of it is told beside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import yaml

from ingestor.errors import BadJob
from ingestor.job_file.nodes import HINT, composed

MAX_BYTES: Final = 256 * 1024
"""Of options' symbols it takes 0.7 s, of commas 6 s; long lists have files of their own."""

Loc = tuple[str | int, ...]
"""Keys and numbers of items that lead to a value."""

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


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong at a place of the file."""

    loc: Loc
    what: str


@dataclass(frozen=True, slots=True)
class Document:
    """A job file before anybody asks what its keys mean.

    Attributes:
        values: Dicts and lists of `Written`; None where a key has no value.
        lines: Line of each value, from 1; of a key's value the line of the key.
        empty: Keys without a value.
        faults: What is wrong whatever the keys mean.
    """

    path: Path
    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[Loc, int] = field(default_factory=dict)
    empty: list[Loc] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def line(self, loc: Loc) -> int:
        """The line of a place, else of what surrounds it."""
        while loc not in self.lines and loc:
            loc = loc[:-1]
        return self.lines.get(loc, 1)


def read_document(path: Path) -> Document:
    """The one mapping that a YAML file holds.

    Raises:
        BadJob: It cannot be read, is too large, or is no YAML; the message names file and line.
    """
    node = composed(path, _text(path))
    if not isinstance(node, yaml.MappingNode):
        found = "nothing" if node is None else f"a {_sort(node)}"
        raise BadJob(f"job file {path} must hold keys with values, found {found}", hint=HINT)
    document = Document(path)
    document.lines[()] = node.start_mark.line + 1
    document.values.update(_mapping(document, node, ()))
    return document


def _text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise BadJob(
                f"job file {path} is larger than {MAX_BYTES // 1024} KiB",
                hint="put the symbols in a file of their own and name it with symbols_file",
            )
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadJob(f"job file {path} is no UTF-8 text", hint=HINT) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the name
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise BadJob(f"job file {path} cannot be read: {why}", hint="check the path") from error


def _value(document: Document, node: yaml.Node, loc: Loc) -> Any:
    if isinstance(node, yaml.MappingNode):
        return _mapping(document, node, loc)
    if isinstance(node, yaml.SequenceNode):
        return list(_items(document, node, loc))
    return _written(node)


def _items(document: Document, node: yaml.SequenceNode, loc: Loc) -> Iterator[Any]:
    for number, item in enumerate(node.value):
        document.lines[*loc, number] = item.start_mark.line + 1
        yield _value(document, item, (*loc, number))


def _mapping(document: Document, node: yaml.MappingNode, loc: Loc) -> Mapping[str, Any]:
    values: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            document.faults.append(Fault(loc, f"a key is text, found a {_sort(key_node)}"))
            continue
        key = str(key_node.value)
        if key in values:
            first = document.lines[*loc, key]
            document.faults.append(Fault((*loc, key), f"is there twice, lines {first} and {line}"))
            continue
        document.lines[*loc, key] = line
        value = _value(document, value_node, (*loc, key))
        if isinstance(value, Written) and value.read_as == "nothing":
            document.empty.append((*loc, key))
            value = None
        values[key] = value
    return values


def _sort(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return "mapping"
    return "list" if isinstance(node, yaml.SequenceNode) else "single value"


def _written(node: yaml.Node) -> Written:
    plain = getattr(node, "style", None) is None
    if plain and node.start_mark.line != node.end_mark.line:
        return Written(node.value, "text over several lines, joined")
    if plain and _EXPONENT.fullmatch(node.value):
        return Written(node.value, "a number")
    if node.tag in _TEXT:
        return Written(node.value)
    return Written(node.value, _READ_AS.get(node.tag, "something special"))
