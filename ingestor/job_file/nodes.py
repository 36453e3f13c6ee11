"""YAML text to nodes, with PyYAML's safe loader; its errors in our words.

Anchors, aliases and tags are refused, and nesting is bounded: nothing of a small file gets large.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import yaml

from ingestor.errors import BadJob

HINT: Final = "docs/reference/job-files.md says what it may hold"
MAX_DEPTH: Final = 20
# Ends of lines to YAML 1.1 alone: it drops them from text, and nobody sees them.
_RARE_LINE_ENDS = re.compile("[\x85\u2028\u2029]")


def composed(path: Path, text: str) -> yaml.Node | None:
    """The root of a YAML text; None where it holds nothing but comments.

    Raises:
        BadJob: It is no YAML, or holds what could make a small file large; the message names the
            line.
    """
    if (rare := _RARE_LINE_ENDS.search(text)) is not None:
        raise _strange(path, text, rare.start())
    try:
        loader = _Loader(text)
        return loader.get_single_node()
    except yaml.reader.ReaderError as error:
        raise _strange(path, text, error.position) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = 1 if mark is None else mark.line + 1
        raise BadJob(
            f"job file {path}, line {line}: {error.problem}",
            hint=f"text that YAML would take for something else needs quotes; {HINT}",
        ) from error


def _strange(path: Path, text: str, at: int) -> BadJob:
    line = text.count("\n", 0, at) + 1
    return BadJob(
        f"job file {path}, line {line}: the character U+{ord(text[at]):04X} is not allowed",
        hint=HINT,
    )


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader up to the nodes, without what makes a small file large."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call] # as stubbed
        if isinstance(event, yaml.AliasEvent):
            raise _refused(event, f"an alias (*{event.anchor})")
        if (anchor := getattr(event, "anchor", None)) is not None:
            raise _refused(event, f"an anchor (&{anchor})")
        if (tag := getattr(event, "tag", None)) is not None:
            raise _refused(event, f"a tag ({tag})")
        if self.depth >= MAX_DEPTH:
            raise _refused(event, f"something nested more than {MAX_DEPTH} deep")
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _refused(event: yaml.Event, what: str) -> yaml.MarkedYAMLError:
    mark = event.start_mark
    assert isinstance(mark, yaml.Mark)  # the other sort is libyaml's
    return yaml.MarkedYAMLError(problem=f"{what} is not taken in a job file", problem_mark=mark)
