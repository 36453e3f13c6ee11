"""Named SQL: every block is found, told by a sentence where it needs one, and used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import ingestor.store
from ingestor.store.queries import queries

ROOM = Path(ingestor.store.__file__).parent
FILES = sorted(path.stem for path in (ROOM / "sql").glob("*.sql"))


@pytest.mark.parametrize("file", FILES)
def test_every_block_has_a_name_of_its_own(file: str) -> None:
    """Two of one name would hide each other."""
    text = (ROOM / "sql" / f"{file}.sql").read_text()
    names = re.findall(r"^-- (\w+) --$", text, re.MULTILINE)
    assert sorted(names) == sorted(queries(file))


@pytest.mark.parametrize("file", FILES)
def test_no_block_is_empty(file: str) -> None:
    """A name without a query is a slip."""
    for name, body in queries(file).items():
        code = [line for line in body.splitlines() if not line.startswith("--")]
        assert "".join(code).strip(), name


@pytest.mark.parametrize("file", FILES)
def test_parameters_are_numbered_without_a_gap(file: str) -> None:
    """$1 … $n: PostgreSQL cannot tell the type of one that is left out.

    What reads `matching` is the tail of the block that makes it, and goes on with its numbers.
    """
    blocks = queries(file)
    for name, block in blocks.items():
        tail = re.search(r"\bmatching\b", block) and "refused" in blocks
        body = f"{blocks['refused']}\n{block}" if tail else block
        code = "\n".join(line for line in body.splitlines() if not line.startswith("--"))
        used = {int(number) for number in re.findall(r"\$(\d+)", code)}
        assert used == set(range(1, len(used) + 1)), name


@pytest.mark.parametrize("file", FILES)
def test_every_block_is_used(file: str) -> None:
    """Somewhere in the store, by name."""
    code = "\n".join(path.read_text() for path in ROOM.rglob("*.py"))
    unused = [name for name in queries(file) if f'"{name}"' not in code]
    assert unused == []


def test_an_unknown_file_is_an_error() -> None:
    """At import, not at the first query."""
    with pytest.raises(FileNotFoundError):
        queries("nothing")
