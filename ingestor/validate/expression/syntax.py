"""Text → Python's syntax tree of it, and back from a node to the text that it was."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from ingestor.validate.expression.fault import ExpressionFault, quoted
from ingestor.validate.expression.lexicon import Token, tokens_of, too_deep


@dataclass(frozen=True, slots=True)
class Source:
    """An expression as it was parsed.

    Attributes:
        line: The text on one line, without the blanks before it.
        lead: How many characters were before it.
    """

    line: str
    lead: int

    def text(self, node: ast.expr) -> str:
        """What was written, without the parentheses around it."""
        # The tree counts bytes of UTF-8.
        return self.line.encode()[node.col_offset : node.end_col_offset].decode()

    def fault(self, node: ast.expr, what: str) -> ExpressionFault:
        before = self.line.encode()[: node.col_offset].decode()
        return ExpressionFault(what, self.lead + len(before) + 1)

    def too_deep(self, node: ast.expr) -> ExpressionFault:
        return too_deep(self.fault(node, "").column - 1)


def parsed(text: str) -> tuple[ast.expr, Source]:
    """The tree of an expression; it is only looked at, never compiled.

    Raises:
        ExpressionFault: It is no expression.
    """
    tokens = tokens_of(text)
    source = _source(text, tokens)
    try:
        return ast.parse(source.line, mode="eval").body, source
    except SyntaxError as exc:
        # Python says 0 where the text ends too early.
        place = source.lead + exc.offset - 1 if exc.offset else len(text)
        raise _unreadable(tokens, place) from exc
    except UnicodeEncodeError as exc:
        raise ExpressionFault("text holds half a character", source.lead + exc.start + 1) from exc
    except (RecursionError, MemoryError) as exc:
        raise too_deep(source.lead) from exc


def _source(text: str, tokens: list[Token]) -> Source:
    """Each token where it was, line ends taken for blanks."""
    lead = tokens[0].place
    line, end = "", lead
    for token in tokens:
        line += " " * (token.place - end) + token.text
        end = token.end
    return Source(line, lead)


def _unreadable(tokens: list[Token], place: int) -> ExpressionFault:
    after = next((each for each in tokens if each.end > place), None)
    if after is None:
        what = "it ends too early; a column or a value is missing"
        return ExpressionFault(what, tokens[-1].end + 1)
    what = "an operator, a value or a comma is missing or too much"
    return ExpressionFault(f"cannot be read from {quoted(after.text)} on; {what}", after.place + 1)
