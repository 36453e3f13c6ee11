"""Every check of a table has its sentence."""

from __future__ import annotations

import pytest

from ingestor.model import TABLES, Table, table_of
from ingestor.model.reasons import reason_of
from ingestor.validate.storable import storable_checks, unread_checks
from ingestor.vocabulary import Schema


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_check_names_its_column_in_a_sentence(table: Table) -> None:
    for check in (*unread_checks(table), *storable_checks(table)):
        assert check.rule.reason.startswith(f"{check.column} ")
        assert "{" not in check.rule.reason


@pytest.mark.parametrize(
    ("column", "noun"),
    [
        ("price", "price"),
        ("ts_recv", "time"),
        ("side", "single character"),
        ("size", "whole number that BIGINT can hold"),
    ],
)
def test_what_could_not_be_read_is_told_by_what_it_should_be(column: str, noun: str) -> None:
    reason = reason_of(f"{column}.unread", table_of(Schema.TRADES)[column])
    assert reason == f"{column} cannot be made of what was delivered, which is no {noun}"


def test_an_unread_instrument_is_told_to_be_no_symbol() -> None:
    """Text has symbols in place of ids; who reads numbers is told of numbers as well."""
    reason = reason_of("instrument_id.unread", table_of(Schema.TRADES)["instrument_id"])
    assert "which is no symbol (printable UTF-8)" in reason
    assert "where the mapping reads a number, no whole number that BIGINT can hold" in reason
