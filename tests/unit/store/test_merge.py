"""The merge statement, as it is built from a Table."""

from __future__ import annotations

import re

import pytest

from ingestor.model import TABLES, Table
from ingestor.store.merge import STAGE, merge_statement, probe_statement, stage_statement

each_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)


def compared(table: Table) -> tuple[set[str], set[str]]:
    """Columns on both sides of IS DISTINCT FROM."""
    found = re.search(r"\(([^()]*)\) IS DISTINCT FROM \(([^()]*)\)", merge_statement(table))
    assert found is not None
    ours, theirs = ({name.strip()[2:] for name in side.split(",")} for side in found.groups())
    return ours, theirs


@each_table
def test_rows_are_compared_by_every_value_but_the_chunk(table: Table) -> None:
    """With chunk_id among them every row would be corrected."""
    wanted = {column.name for column in table.columns} - {*table.key, "chunk_id"}
    assert compared(table) == (wanted, wanted)


@each_table
def test_a_correction_sets_every_value_and_the_chunk(table: Table) -> None:
    """No column stays as it was."""
    found = re.search(r"SET (.*) FROM|SET (.*)\n", merge_statement(table))
    assert found is not None
    names = set(re.findall(r"(\w+) = ", found.group(0)))
    assert names == {column.name for column in table.columns} - set(table.key)


@each_table
def test_new_rows_go_in_in_the_order_of_the_key(table: Table) -> None:
    """Concurrent writers cannot deadlock on it."""
    assert f"ORDER BY {', '.join(table.key)}" in merge_statement(table)


@each_table
def test_every_look_at_the_table_names_its_time(table: Table) -> None:
    """Else each merge would open every hypertable chunk there is."""
    bounds = f"{table.time_column} BETWEEN $2 AND $3"
    assert merge_statement(table).count(bounds) == 2
    assert probe_statement(table).count(bounds) == 1


@each_table
def test_the_stage_is_gone_at_commit_and_has_no_index(table: Table) -> None:
    """LIKE without INCLUDING brings no key."""
    assert stage_statement(table) == (
        f"CREATE TEMP TABLE {STAGE} (LIKE public.{table.name}) ON COMMIT DROP"
    )
