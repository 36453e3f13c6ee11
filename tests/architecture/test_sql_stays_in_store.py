"""SQL is written in the store and in the queries, nowhere else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOMES = (ROOT / "ingestor" / "store", ROOT / "ingestor" / "query")

OBJECT = (
    r"(?:(?:temp|temporary|unlogged|unique|or\s+replace|materialized)\s+)*"
    r"(?:table|index|view|schema|database|role|user|extension|function|type|sequence|trigger)"
)
STATEMENT = re.compile(
    rf"""\s*(?:
        select\s+(?:distinct\s+)?[\w."*{{}}]+(?:\s+as\s+\w+)?(?:\s*,.*?)?\s+from\s
      | select\s+(?:[\w.]+\(|\d|\$\d|exists\b)
      | insert\s+into\s | update\s+[\w."{{}}]+\s+(?:as\s+)?(?:\w+\s+)?set\s | delete\s+from\s
      | with\s+(?:recursive\s+)?\w+\s+as\s+(?:materialized\s+)?\(
      | create\s+{OBJECT}\b | drop\s+{OBJECT}\b | alter\s+(?:system|{OBJECT})\b
      | truncate\s+(?:table\s+)?[\w."{{}}]+\s*$
      | copy\s+[\w."({{}}].*\b(?:from|to)\s+(?:stdin|stdout)\b
      | (?:grant|revoke)\s+.*\b(?:to|from)\s+[\w"{{]+\s*;?\s*$
    )""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)


def strings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and text of every string but the docstrings; an f-string's fields read ``{}``."""
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            skipped.add(id(node.value))
        elif isinstance(node, ast.JoinedStr):
            skipped.update(id(part) for part in node.values)
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
        elif isinstance(node, ast.JoinedStr):
            parts = (p.value if isinstance(p, ast.Constant) else "{}" for p in node.values)
            yield node.lineno, "".join(str(part) for part in parts)


def sources() -> list[Path]:
    files = [*ROOT.glob("ingestor/**/*.py"), *ROOT.glob("workers/**/*.py")]
    return [file for file in files if not any(file.is_relative_to(home) for home in HOMES)]


def test_no_sql_outside_store_and_query() -> None:
    """Other rooms call a function that says what they want; identifiers and values stay checked."""
    found = [
        f"{file.relative_to(ROOT)}:{line}: {' '.join(text.split())[:60]}"
        for file in sources()
        for line, text in strings(ast.parse(file.read_text(encoding="utf-8")))
        if STATEMENT.match(text)
    ]

    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "select 1",
        "SELECT a, b FROM t",
        " insert into t values ($1)",
        "update ingest.chunks k set state = 1",
        "delete from t",
        "with c as (select 1) select * from c",
        "create unlogged table t (a int)",
        "drop schema if exists x cascade",
        "copy t (a) from stdin",
        "grant select on all tables in schema ingest to hdi_reader",
        "create database {}",
        "select distinct a as b, c.d from {}",
        "select * from t",
    ],
)
def test_the_search_sees_sql(text: str) -> None:
    """A search that finds nothing must be able to find something."""
    assert STATEMENT.match(text)


@pytest.mark.parametrize(
    "text",
    [
        "Select the worker.",
        "update",
        "Update the lock with scripts/lock",
        "With a file as the source",
        "Create the tables first: hdi db migrate",
        "select one of the schemas from the list.",
        "copy the files to the vault",
    ],
)
def test_the_search_passes_over_prose(text: str) -> None:
    """Messages may begin with the same words."""
    assert not STATEMENT.match(text)
