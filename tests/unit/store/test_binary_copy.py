"""The COPY encoder, taken apart again by a reader that knows only the manual's format."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.model import TABLES, Table, table_of
from ingestor.model.frame import Frame
from ingestor.store.binary_copy import HEADER, TRAILER, columns_of, encode
from ingestor.vocabulary import Schema

TRADES = table_of(Schema.TRADES)
STATISTICS = table_of(Schema.STATISTICS)
DEFINITIONS = table_of(Schema.DEFINITION)
I64, U64 = 2**63, 2**64


def read(rows: bytes) -> Iterator[list[bytes | None]]:
    """Fields of each row: a count, then (length, value) each, −1 for a null."""
    at = 0
    while at < len(rows):
        (count,) = struct.unpack_from(">h", rows, at)
        at += 2
        fields: list[bytes | None] = []
        for _ in range(count):
            (length,) = struct.unpack_from(">i", rows, at)
            at += 4
            fields.append(None if length < 0 else rows[at : at + length])
            at += max(length, 0)
        yield fields


def frame(table: Table, count: int, **given: Any) -> Frame:
    """Zeros, and text where a column is text, but for the columns given."""
    columns: dict[str, Any] = {
        c.name: np.full(count, b"1m") if c.kind.frame.startswith("S")
        else np.zeros(count, c.kind.frame)
        for c in table.frame_columns
    }  # fmt: skip
    for name, values in given.items():
        text = table[name].kind.frame.startswith("S")
        columns[name] = np.array(values, None if text else columns[name].dtype)
    return Frame(
        table, columns, np.zeros(count, "V1"), np.arange(count, dtype=np.uint64),
        np.arange(count, dtype=np.int16),
    )  # fmt: skip


def field(table: Table, name: str, values: list[Any]) -> list[bytes | None]:
    """What becomes of one column's values."""
    at = columns_of(table).index(name)
    content = bytes(encode(frame(table, len(values), **{name: values}), chunk_id=7))
    return [row[at] for row in read(content)]


def numeric(value: bytes | None) -> Decimal:
    """NUMERIC's wire form, read as the manual says: base 10,000 digits and a weight."""
    assert value is not None
    count, weight, sign, _ = struct.unpack_from(">hhHh", value)
    digits = struct.unpack_from(f">{count}h", value, 8)
    total = sum(
        (Decimal(digit) * Decimal(10_000) ** (weight - at) for at, digit in enumerate(digits)),
        Decimal(0),
    )
    return -total if sign == 0x4000 else total


@given(st.lists(st.integers(1 - I64, I64 - 2), min_size=1, max_size=20))
def test_a_price_is_exact(prices: list[int]) -> None:
    """Every int64 at 1e-9, but −2^63 and the sentinel, without rounding."""
    found = [numeric(value) for value in field(TRADES, "price", prices)]
    assert found == [Decimal(price).scaleb(-9) for price in prices]


def test_a_price_is_sent_with_nine_decimals() -> None:
    """So that 1.50 and 1.500000000 look alike whoever wrote them."""
    [value] = field(TRADES, "price", [10**9])
    assert struct.unpack_from(">hhHh", value or b"")[3] == 9


@given(st.lists(st.integers(0, U64 - 2), min_size=1, max_size=20))
def test_a_time_is_microseconds_since_2000_floored(times: list[int]) -> None:
    """Over all of u64: past 2^63 too."""
    found = [struct.unpack(">q", value or b"")[0] for value in field(TRADES, "ts_event", times)]
    assert found == [time // 1000 - 946_684_800_000_000 for time in times]


@given(st.lists(st.integers(0, U64 - 2), min_size=1, max_size=20))
def test_what_a_time_loses_is_kept_beside_it(times: list[int]) -> None:
    """The 0–999 ns below the microsecond."""
    at = columns_of(TRADES).index("ts_event_ns")
    content = bytes(encode(frame(TRADES, len(times), ts_event=times), chunk_id=7))
    found = [struct.unpack(">h", row[at] or b"")[0] for row in read(content)]
    assert found == [time % 1000 for time in times]


@pytest.mark.parametrize(
    ("values", "nulls"),
    [([1, 2], [False, False]), ([1, 2**32 - 1], [False, True]), ([2**32 - 1] * 2, [True, True])],
    ids=["none", "mixed", "all"],
)
def test_a_sentinel_is_null_and_nothing_else_is(values: list[int], nulls: list[bool]) -> None:
    """None of a batch, some of it, all of it."""
    assert [value is None for value in field(TRADES, "size", values)] == nulls


def test_a_sentinel_of_a_column_that_is_never_null_is_a_value() -> None:
    """2^32−1 is an instrument id like any other."""
    [value] = field(TRADES, "instrument_id", [2**32 - 1])
    assert struct.unpack(">q", value or b"") == (2**32 - 1,)


@given(st.lists(st.integers(0, U64 - 1), min_size=1, max_size=20))
def test_an_unsigned_number_of_64_bits_is_exact(numbers: list[int]) -> None:
    """Past 2^63, where BIGINT ends; without decimals."""
    found = field(DEFINITIONS, "raw_instrument_id", numbers)

    assert [numeric(value) for value in found] == [Decimal(number) for number in numbers]
    assert {struct.unpack_from(">hhHh", value or b"")[2:] for value in found} == {(0, 0)}


@given(st.lists(st.integers(-I64, I64 - 2), min_size=1, max_size=20))
def test_a_signed_number_of_64_bits_is_exact(numbers: list[int]) -> None:
    """Over all of BIGINT but the sentinel."""
    found = field(STATISTICS, "quantity", [*numbers, I64 - 1])

    assert [struct.unpack(">q", value or b"")[0] for value in found[:-1]] == numbers
    assert found[-1] is None


def test_a_signed_byte_keeps_its_sign() -> None:
    """127 is undefined, −128 is a number."""
    first, second, undefined = field(DEFINITIONS, "contract_multiplier_unit", [-128, 126, 127])

    assert [struct.unpack(">h", value or b"")[0] for value in (first, second)] == [-128, 126]
    assert undefined is None


@pytest.mark.parametrize("mixed", [True, False])
def test_an_undefined_time_is_null_with_its_nanoseconds(mixed: bool) -> None:
    """Both columns, in a batch of undefined times and among others; 1970 is a time."""
    times = [U64 - 1, *([0, U64 - 2] if mixed else [U64 - 1])]
    names = columns_of(STATISTICS)
    content = bytes(encode(frame(STATISTICS, len(times), ts_ref=times), chunk_id=7))
    rows = [(row[names.index("ts_ref")], row[names.index("ts_ref_ns")]) for row in read(content)]

    assert [(time is None, nanos is None) for time, nanos in rows] == [
        (time == U64 - 1, time == U64 - 1) for time in times
    ]
    if mixed:
        assert [nanos for _, nanos in rows[1:]] == [struct.pack(">h", n) for n in (0, 614)]


@pytest.mark.parametrize(
    "texts",
    [[b"", b"A" * 71, b" A ", "é".encode()], [b"", b""], [b"A" * 71, b"B" * 71]],
    ids=["mixed", "all empty", "all full"],
)
def test_empty_text_is_null_where_there_is_null_and_no_blank_is_lost(texts: list[bytes]) -> None:
    """Full-length and empty ones, together and alone."""
    assert field(DEFINITIONS, "raw_symbol", texts) == [text or None for text in texts]


def test_a_byte_that_is_nul_is_no_character() -> None:
    """A blank is one."""
    assert field(DEFINITIONS, "match_algorithm", [0, 0x20, 0x46]) == [None, b" ", b"F"]


def test_every_row_has_every_column() -> None:
    """In DDL order, chunk_id and ordinal included."""
    content = bytes(encode(frame(TRADES, 3), chunk_id=7))
    assert [len(row) for row in read(content)] == [len(TRADES.columns)] * 3


def test_every_row_names_its_chunk_and_its_ordinal() -> None:
    """What the loader adds to the record."""
    names = columns_of(TRADES)
    rows = list(read(bytes(encode(frame(TRADES, 3), chunk_id=7))))
    chunk, ordinal = names.index("chunk_id"), names.index("ordinal")
    assert [(row[chunk], row[ordinal]) for row in rows] == [
        (struct.pack(">i", 7), struct.pack(">h", n)) for n in range(3)
    ]


def test_text_ends_where_it_ends() -> None:
    """A short text is sent at its own length, not at the widest one of its batch."""
    table = table_of(Schema.OHLCV_1M)
    made = frame(table, 2)
    made.columns["data_source"] = np.array([b"databento", b"csv"])  # type: ignore[index]
    at = columns_of(table).index("data_source")
    rows = read(bytes(encode(made, chunk_id=7)))
    assert [row[at] for row in rows] == [b"databento", b"csv"]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_batch_without_records_has_no_bytes(table: Table) -> None:
    """What is left of a batch all of whose records were rejected."""
    assert bytes(encode(frame(table, 0), chunk_id=7)) == b""


def test_header_and_trailer_are_postgresql_s() -> None:
    """Signature, flags and extension length; a field count of −1."""
    assert (b"PGCOPY\n\xff\r\n\x00" + bytes(8), b"\xff\xff") == (HEADER, TRAILER)
