"""Rows as a server sends them, decoded: every Kind, null and extreme; other shapes are refused."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from ingestor.errors import Terminal
from ingestor.model import TABLES, Table, table_of
from ingestor.query.columns import RowLayout
from ingestor.vocabulary import Schema
from tests.records import inverse_of

EPOCH_US = 946_684_800_000_000
INFINITY = 2**63 - 1
UNDEFINED = 2**64 - 1


def layout_of(schema: Schema, *names: str) -> RowLayout:
    return RowLayout.of(table_of(schema), names, inverse_of(schema).widths)


def sent(layout: RowLayout, *values: list[Any]) -> bytes:
    """Rows of these values, one list per expression, as a server sends them."""
    rows = np.zeros(len(values[0]), layout.dtype)
    rows["count"] = len(values)
    for at, each in enumerate(values):
        rows[f"length{at}"] = layout.dtype[f"value{at}"].itemsize
        rows[f"value{at}"] = each
    return rows.tobytes()


def test_a_timestamp_is_its_microsecond_and_the_nanoseconds_below() -> None:
    """Before 2000 and past 2262, where signed nanoseconds end."""
    layout = layout_of(Schema.TRADES, "ts_event")
    raw = sent(layout, [-EPOCH_US, 0, (2**64 - 2) // 1000 - EPOCH_US], [999, 0, (2**64 - 2) % 1000])
    assert layout.decode(raw)["ts_event"].tolist() == [999, EPOCH_US * 1000, 2**64 - 2]


def test_infinity_stands_for_an_undefined_timestamp() -> None:
    """No TIMESTAMPTZ of ours is infinite."""
    layout = layout_of(Schema.STATISTICS, "ts_ref")
    assert layout.decode(sent(layout, [INFINITY, -EPOCH_US], [0, 7]))["ts_ref"].tolist() == [
        UNDEFINED, 7,
    ]  # fmt: skip


def test_bars_have_no_nanoseconds() -> None:
    """Their times are whole seconds."""
    layout = layout_of(Schema.OHLCV_1D, "ts_event")
    assert layout.decode(sent(layout, [0]))["ts_event"].tolist() == [EPOCH_US * 1000]


@pytest.mark.parametrize(
    ("schema", "name", "values", "meant"),
    [
        (Schema.TRADES, "price", [-(2**63) + 1, -1, 2**63 - 1], [-(2**63) + 1, -1, 2**63 - 1]),
        (Schema.TRADES, "size", [0, 2**32 - 1], [0, 2**32 - 1]),
        (Schema.TRADES, "action", [0, ord("T")], [0, ord("T")]),
        (Schema.TRADES, "flags", [0, 255], [0, 255]),
        (Schema.OHLCV_1D, "trade_count", [-1, 2**63 - 1], [UNDEFINED, 2**63 - 1]),
        (Schema.STATISTICS, "quantity", [-(2**63), 2**63 - 1], [-(2**63), 2**63 - 1]),
        (Schema.DEFINITION, "raw_instrument_id", [-(2**63), -1, 2**63 - 1],
         [0, 2**63 - 1, 2**64 - 1]),
        (Schema.DEFINITION, "contract_multiplier_unit", [-128, 127], [-128, 127]),
        (Schema.DEFINITION, "currency", [b"", b"USD", b"ABCD"], [b"", b"USD", b"ABCD"]),
    ],
)  # fmt: skip
def test_values_come_back_in_wire_integers(
    schema: Schema, name: str, values: list[Any], meant: list[Any]
) -> None:
    """As the standard frame has them: its dtype, its sentinels."""
    layout = layout_of(schema, name)
    found = layout.decode(sent(layout, values))[name]
    assert found.tolist() == meant
    assert found.dtype.kind == np.dtype(table_of(schema)[name].kind.frame).kind


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_expression_is_of_one_width_and_never_null(table: Table) -> None:
    """A nullable column is always given its sentinel, by the server."""
    widths = dict.fromkeys((column.name for column in table.columns), 8)
    for column in table.frame_columns:
        layout = RowLayout.of(table, [column.name], widths)
        assert "coalesce(" in layout.select or not column.nullable, column.name
        assert set(re.findall(r"\bt\.(\w+)", layout.select)) <= {
            column.name, f"{column.name}_ns",
        }  # fmt: skip


def test_a_text_wider_than_its_field_is_refused() -> None:
    """The row would shift all that follow it; no wire record can hold it."""
    layout = layout_of(Schema.DEFINITION, "currency")
    raw = bytearray(sent(layout, [b"USD"]))
    raw[2:6] = (5).to_bytes(4, "big")
    with pytest.raises(Terminal, match=r"definitions_data.currency holds a value of 5 bytes; 4"):
        layout.decode(raw)
