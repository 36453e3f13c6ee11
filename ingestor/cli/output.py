"""What commands print: answers on stdout, everything else on stderr.

On a terminal a table is drawn, elsewhere it is tab-separated lines with a header, which other
programs cut and sort. NO_COLOR is obeyed, by rich itself.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import IO, Any, Literal

import click


def on_terminal(stream: IO[str] | None = None) -> bool:
    """Whether a person reads it: stdout unless another stream is given."""
    return (stream or sys.stdout).isatty()


def tell(line: str) -> None:
    """A line for people, on stderr."""
    click.echo(line, err=True)


def as_json(value: Any) -> bytes:
    """One line of JSON; exact decimals become strings, for a float would change them."""
    import orjson

    return orjson.dumps(value, default=plain)


def plain(value: object) -> str:
    """A value as text; of a decimal all digits, where str() may say ``1E-9``."""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def print_json(value: Any) -> None:
    """One JSON object on a line of its own, at once: a reader of NDJSON waits for it."""
    click.echo(as_json(value).decode())


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()
) -> None:
    """A table on stdout.

    Args:
        columns: Headings.
        rows: Cells in their order; None is shown as a dash on a terminal, as nothing elsewhere.
        right: Columns of numbers; on a terminal their ints are grouped, 1,234,567.
    """
    if not on_terminal():
        click.echo("\t".join(columns))
        for row in rows:
            click.echo("\t".join(_cell(value, "") for value in row))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for column in columns:
        justify: Literal["left", "right"] = "right" if column in right else "left"
        table.add_column(column, justify=justify, overflow="fold", no_wrap=column in right)
    grouped = [column in right for column in columns]
    for row in rows:
        table.add_row(*(_escaped(_shown(v, g)) for v, g in zip(row, grouped, strict=True)))
    Console(soft_wrap=False, highlight=False).print(table)


def print_facts(facts: Iterable[tuple[str, str]]) -> None:
    """Aligned lines of a name and what is to be said of it."""
    lines = list(facts)
    width = max((len(name) for name, _ in lines), default=0)
    for name, said in lines:
        click.echo(f"{name:<{width}}  {said}".rstrip())


def _cell(value: object, nothing: str) -> str:
    if value is None:
        return nothing
    # A tab or a line's end inside a cell would shift every cell behind it.
    return " ".join(str(value).split("\t")).replace("\n", " ")


def _shown(value: object, grouped: bool) -> str:
    return counted(value) if grouped and isinstance(value, int) else _cell(value, "–")


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def counted(number: int) -> str:
    """1234567 → ``1,234,567``."""
    return f"{number:,}"


def plural(number: int, noun: str) -> str:
    """``1 chunk``, ``2 chunks``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """Seconds as people say them: ``0.8 s``, ``42 s``, ``3 min 5 s``, ``3 d 4 h``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for unit, small, per in (("d", "h", 86_400), ("h", "min", 3600), ("min", "s", 60)):
        if whole >= per:
            rest = whole % per // {"h": 3600, "min": 60, "s": 1}[small]
            return f"{whole // per} {unit} {rest} {small}"
    return f"{whole} s"


def one_line(text: str) -> str:
    """Text of a payload or a file: ends of lines, and what could move a cursor, are escaped."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )
