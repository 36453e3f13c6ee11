"""Rows put in order by numpy are in the order that the server has."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.model import TABLES, Table
from ingestor.query.gathered import in_order
from ingestor.query.selection import order_of


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@given(seed=st.integers(0, 2**32), count=st.integers(0, 60), few=st.integers(1, 5000))
def test_rows_come_in_order(table: Table, seed: int, count: int, few: int) -> None:
    """The index timestamp to the nanosecond, other times to the microsecond; alike ones stay."""
    rng = np.random.default_rng(seed)
    names = [name for name in order_of(table) if table[name].nanos_of is None]
    columns = {
        name: rng.integers(0, few, count).astype(table[name].kind.frame) for name in names
    } | {"place": np.arange(count)}
    times = {name for name in names[1:] if table[name].kind.sql == "TIMESTAMPTZ"}
    keys = [
        [int(columns[name][at]) // (1000 if name in times else 1) for name in names] + [at]
        for at in range(count)
    ]

    assert in_order(columns, table)["place"].tolist() == [key[-1] for key in sorted(keys)]
