"""The page on the data model says what the Tables say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ingestor.errors import Usage
from ingestor.model import TABLES, Table, table_of
from ingestor.model.reference import filled, null_meaning
from ingestor.vocabulary import Schema

PAGE = Path(__file__).parents[3] / "docs" / "data-model.md"


def test_the_page_is_up_to_date() -> None:
    """Write it anew with `python -m ingestor.model.reference docs/data-model.md`."""
    text = PAGE.read_text(encoding="utf-8")

    assert filled(text) == text


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_has_its_line(table: Table) -> None:
    """Nanoseconds and the ledger's columns too."""
    [section] = [each for each in PAGE.read_text(encoding="utf-8").split("\n### ")
                 if f"`{table.name}`" in each.partition("\n")[0]]  # fmt: skip

    assert set(re.findall(r"^\| `(\w+)` \| [A-Z]", section, re.MULTILINE)) == {
        column.name for column in table.columns
    }


def test_null_is_told_by_the_value_of_the_wire() -> None:
    """Number, text, character, the time beside, never."""
    trades, definitions = table_of(Schema.TRADES), table_of(Schema.DEFINITION)

    assert null_meaning(trades["size"]) == "undefined on the wire: 4294967295"
    assert null_meaning(definitions["asset"]) == "empty on the wire"
    assert null_meaning(trades["side"]) == "NUL on the wire"
    assert null_meaning(definitions["expiration_ns"]) == "`expiration` is NULL"
    assert null_meaning(trades["sequence"]) == "never"
    assert null_meaning(trades["ts_recv"]) == (
        "never; a record with 18446744073709551615 is quarantined"
    )


def test_a_page_without_marks_is_refused() -> None:
    """Nothing is written where the tables' place is not known."""
    with pytest.raises(Usage, match="tables"):
        filled("# Data model\n")
