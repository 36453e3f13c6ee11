"""YAML text to nodes, with PyYAML's safe loader; its errors in our words.

Anchors, aliases and tags are refused, and nesting is bounded: nothing of a small file gets large.
"""

from __future__ import annotations

import re
from typing import Final

import yaml

from ingestor.documents.manner import Manner
from ingestor.errors import IngestError

MAX_DEPTH: Final = 20
# Ends of lines to YAML 1.1 alone: it drops them from text, and nobody sees them.
_RARE_LINE_ENDS = re.compile("[\x85\u2028\u2029]")


def composed(name: str, text: str, manner: Manner) -> yaml.Node | None:
    """The root of a YAML text; None where it holds nothing but comments.

    Raises:
        IngestError: The manner's: it is no YAML, or holds what could make a small file large; the
            message names the line.
    """
    if (rare := _RARE_LINE_ENDS.search(text)) is not None:
        raise _strange(name, text, rare.start(), manner)
    try:
        loader = _Loader(text)
        loader.noun = manner.noun
        return loader.get_single_node()
    except yaml.reader.ReaderError as error:
        raise _strange(name, text, error.position, manner) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = 1 if mark is None else mark.line + 1
        raise manner.error(
            f"{manner.noun} {name}, line {line}: {error.problem}",
            hint=f"text that YAML would take for something else needs quotes; {manner.hint}",
        ) from error


def _strange(name: str, text: str, at: int, manner: Manner) -> IngestError:
    line = text.count("\n", 0, at) + 1
    return manner.error(
        f"{manner.noun} {name}, line {line}: the character U+{ord(text[at]):04X} is not allowed",
        hint=manner.hint,
    )


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader up to the nodes, without what makes a small file large."""

    depth = 0
    noun = "file"

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call] # as stubbed
        if isinstance(event, yaml.AliasEvent):
            raise self._refused(event, f"an alias (*{event.anchor})")
        if (anchor := getattr(event, "anchor", None)) is not None:
            raise self._refused(event, f"an anchor (&{anchor})")
        if (tag := getattr(event, "tag", None)) is not None:
            raise self._refused(event, f"a tag ({tag})")
        if self.depth >= MAX_DEPTH:
            raise self._refused(event, f"something nested more than {MAX_DEPTH} deep")
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def _refused(self, event: yaml.Event, what: str) -> yaml.MarkedYAMLError:
        mark = event.start_mark
        assert isinstance(mark, yaml.Mark)  # the other sort is libyaml's
        return yaml.MarkedYAMLError(
            problem=f"{what} is not taken in a {self.noun}", problem_mark=mark
        )
