"""A YAML file as plain values that remember where and how they were written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from ingestor.documents.manner import Manner
from ingestor.documents.nodes import composed
from ingestor.documents.places import Fault, Loc
from ingestor.documents.written import Written, written

MAX_BYTES: Final = 256 * 1024
"""Of options' symbols it takes 0.7 s, of commas 6 s; long lists have files of their own."""


@dataclass(frozen=True, slots=True)
class Document:
    """A file before anybody asks what its keys mean.

    Attributes:
        name: What messages call the file, its path.
        values: Dicts and lists of `Written`; None where a key has no value.
        lines: Line of each value, from 1; of a key's value the line of the key.
        empty: Keys without a value.
        faults: What is wrong whatever the keys mean.
    """

    name: str
    manner: Manner
    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[Loc, int] = field(default_factory=dict)
    empty: list[Loc] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def line(self, loc: Loc) -> int:
        """The line of a place, else of what surrounds it."""
        while loc not in self.lines and loc:
            loc = loc[:-1]
        return self.lines.get(loc, 1)


def read_document(path: Path, manner: Manner) -> Document:
    """The one mapping that a YAML file holds.

    Raises:
        IngestError: The manner's: it cannot be read, is too large, or is no YAML; the message names
            file and line.
    """
    return parse_document(read_bytes(path, manner), str(path), manner)


def read_bytes(path: Path, manner: Manner) -> bytes:
    """What a file holds; of one that is too large, more than `parse_document` takes.

    Raises:
        IngestError: The manner's: it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the name
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise manner.error(
            f"{manner.noun} {path} cannot be read: {why}", hint="check the path"
        ) from error


def parse_document(raw: bytes, name: str, manner: Manner) -> Document:
    """As `read_document`, from a file's bytes."""
    node = composed(name, _text(raw, name, manner), manner)
    if not isinstance(node, yaml.MappingNode):
        found = "nothing" if node is None else f"a {_sort(node)}"
        raise manner.error(
            f"{manner.noun} {name} must hold keys with values, found {found}", hint=manner.hint
        )
    document = Document(name, manner)
    document.lines[()] = node.start_mark.line + 1
    document.values.update(_mapping(document, node, ()))
    return document


def _text(raw: bytes, name: str, manner: Manner) -> str:
    if len(raw) > MAX_BYTES:
        raise manner.error(
            f"{manner.noun} {name} is larger than {MAX_BYTES // 1024} KiB",
            hint=manner.shorten or manner.hint,
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise manner.error(f"{manner.noun} {name} is no UTF-8 text", hint=manner.hint) from error


def _value(document: Document, node: yaml.Node, loc: Loc) -> Any:
    if isinstance(node, yaml.MappingNode):
        return _mapping(document, node, loc)
    if isinstance(node, yaml.SequenceNode):
        return list(_items(document, node, loc))
    return written(node)


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
