"""A vendor's file as it comes: compressed or not, CSV or Parquet, its header proper or not."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
from decimal import Decimal

import pyarrow as pa
import pytest
import zstandard
from pyarrow import parquet

from ingestor.errors import CorruptPayload
from ingestor.sources.csv_records import layout_of, records_of, widths_of
from ingestor.sources.csv_stream import CsvStream
from ingestor.sources.csv_walk import MOST_RECORD

EXACT = pa.decimal128(38, 9)


def read(path) -> list[dict[str, str]]:
    found = []
    with CsvStream(path) as stream:
        for rows in stream.rows():
            for records in records_of(
                rows, stream.header, layout_of(stream.header, widths_of(rows))
            ):
                found += [
                    {name: record[name].decode() for name in stream.header.names}
                    for record in records
                ]
        assert stream.seal() == (
            hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size
        )  # fmt: skip
    return found


def refusal(path) -> str:
    with pytest.raises(CorruptPayload) as error:
        read(path)
    return error.value.message


@pytest.fixture
def file(tmp_path):
    def write(content: bytes, name: str = "a.csv"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1,2\n3,4\n",
        b"\xef\xbb\xbfa,b\r\n1,2\r\n3,4",
        b"\n\na,b\n1,2\n\n3,4\n\n\n",
        b'"a", b \n"1",2\n3,"4"',
        b"a;b\n1;2\n3;4\n",
        b"a\tb\n1\t2\n3\t4\n",
        b"a|b\n1|2\n3|4\n",
    ],
)
def test_spellings_of_one_table_are_read_alike(file, content):
    assert read(file(content)) == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]


def test_the_first_bytes_tell_how_it_is_compressed_not_the_name(file):
    content = b"a,b\n1,2\n" * 3
    zipped = zstandard.ZstdCompressor().compress(content)
    expected = read(file(content))
    assert len(expected) == 5
    assert read(file(gzip.compress(content[:8]) + gzip.compress(content[8:]))) == expected
    assert read(file(zipped, "a.csv")) == expected


def test_a_cut_or_damaged_compressed_file_is_refused(file):
    whole = gzip.compress(b"a,b\n" + b"1,2\n" * 1_000)
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 8
    for content in (whole[:-9], whole[:15], bytes(flipped)):
        assert "damaged" in refusal(file(content))
    cut = zstandard.ZstdCompressor(write_checksum=True).compress(b"a,b\n1,2\n")[:-3]
    assert "ends inside a zstd frame" in refusal(file(cut))


def test_the_delimiter_is_the_one_that_makes_the_most_columns(file):
    path = file(b'"last, first";time|zone;x\n1;2;3\n')
    assert list(read(path)[0]) == ["last, first", "time|zone", "x"]


def test_a_column_without_a_name_is_called_by_its_place(file):
    assert read(file(b",a,\n1,2,3\n")) == [{"column 1": "1", "a": "2", "column 3": "3"}]


def test_a_header_alone_is_a_file_without_records(file):
    assert read(file(b"a,b")) == []
    assert read(file(b"a,b\r\n\r\n")) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n\r\n", "has no header"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"a,b,a\n1,2,3\n", "names a twice"),
        (b"a, a\n1,2\n", "names a twice"),
        (b"a,\xe9\n1,2\n", "is no UTF-8: it holds 0xe9"),
        ("a,b\n1,2\n".encode("utf-16"), "is no UTF-8"),
        (b"a,b\0\n1,2\n", "is no line of names"),
        (b'"a"b,c\n1,2\n', "is no line of names"),
        (b'"a,b\n1,2\n', "has no header"),
    ],
)
def test_a_header_that_does_not_name_each_column_once_is_refused(file, content, said):
    assert said in refusal(file(content))


def test_a_quote_that_is_never_closed_costs_its_line(file):
    rows = read(file(b'a,b\n1,2\n\n3,"4\n5,6\n7,8'))
    assert [row["a"] for row in rows] == ["1", "", "5", "7"]
    assert [row["b"] for row in rows] == ["2", "", "6", "8"]


@pytest.mark.parametrize("piece", [100, 1 << 22])
def test_a_quote_that_is_closed_beyond_all_bounds_costs_its_line(file, monkeypatch, piece):
    monkeypatch.setattr("ingestor.sources.csv_stream._PIECE", piece)
    content = b"a,b\n" + b'3,"' + b"x,y\n" * MOST_RECORD + b'"\n4,5\n'
    found = [(row["a"], row["b"]) for row in read(file(content))]
    assert found == [("", ""), *[("x", "y")] * (MOST_RECORD - 1), ("", ""), ("4", "5")]


def test_a_line_beyond_all_bounds_is_refused_before_it_fills_the_memory(file):
    content = b"a,b\n" + b"1,2\n" * 10 + b"3,%s\n4,5\n"
    long = b"xyz" * MOST_RECORD
    for each in (long, b'"%s"' % long, b'"%s' % long):
        assert "line 12 has more than 16,384 bytes" in refusal(file(content % each))


@pytest.mark.parametrize("lines", [3, 10_000])
def test_line_ends_of_cr_alone_are_named(file, lines):
    assert "ends its lines with CR alone" in refusal(file(b"a,b\r" + b"1,2\r" * lines))


def test_a_long_line_among_short_ones_costs_no_array_of_that_width(file):
    path = file(b"a,b\n" + b"1,2\n" * 20_000 + b'3,"' + b"x" * 16_000 + b'"\n' + b"1,2\n")
    with CsvStream(path) as stream:
        for rows in stream.rows():
            for records in records_of(
                rows, stream.header, layout_of(stream.header, widths_of(rows))
            ):
                assert records.nbytes <= 1 << 26


def test_records_go_on_over_the_pieces_that_are_read_at_once(file, monkeypatch):
    monkeypatch.setattr("ingestor.sources.csv_stream._PIECE", 7)
    content = b"name,b\n" + b"".join(b'"%d\n""",%d\r\n' % (at, at) for at in range(50))
    assert read(file(content)) == [{"name": f'{at}\n"', "b": str(at)} for at in range(50)]


def parquet_of(path, columns: dict[str, pa.Array]):
    parquet.write_table(pa.table(columns), path, row_group_size=2)
    return path


def test_cells_of_parquet_are_spelled_as_a_careful_vendor_would(tmp_path):
    at = dt.datetime(2024, 3, 11, 13, 30, 0, 123_000, tzinfo=dt.UTC)
    path = parquet_of(
        tmp_path / "a.parquet",
        {
            "float": pa.array([0.1, 1e-7, None, 1e20], pa.float64()),
            "single": pa.array([12.34, 12.0, 1e-5, None], pa.float32()),
            "exact": pa.array([*map(Decimal, ("1E-9", "-2.5")), None, Decimal(7)], EXACT),
            "whole": pa.array([1, None, -3, 2**62], pa.int64()),
            "aware": pa.array([at, None, at, at], pa.timestamp("ms", "America/New_York")),
            "naive": pa.array([at.replace(tzinfo=None)] * 4, pa.timestamp("ns")),
            "day": pa.array([at.date(), None, at.date(), at.date()], pa.date32()),
            "text": pa.array(["x", 'a,"b"', None, "é\nü"]),
            "word": pa.array(["B", "S", "B", None]).dictionary_encode(),
            "list": pa.array([[1], None, [], [2, 3]]),
        },
    )  # fmt: skip
    rows = read(path)
    assert [list(row.values()) for row in rows] == [
        ["0.1", "12.34", "0.000000001", "1", "2024-03-11T13:30:00.123Z",
         "2024-03-11T13:30:00.123000000", "2024-03-11", "x", "B", ""],
        ["0.0000001", "12", "-2.500000000", "", "", "2024-03-11T13:30:00.123000000", "",
         'a,"b"', "S", ""],
        ["", "0.00001", "", "-3", "2024-03-11T13:30:00.123Z", "2024-03-11T13:30:00.123000000",
         "2024-03-11", "", "B", ""],
        ["100000000000000000000", "", "7.000000000", str(2**62), "2024-03-11T13:30:00.123Z",
         "2024-03-11T13:30:00.123000000", "2024-03-11", "é\nü", "", ""],
    ]  # fmt: skip


def test_a_damaged_parquet_file_is_refused_and_one_without_rows_has_none(tmp_path, file):
    path = parquet_of(tmp_path / "a.parquet", {"a": pa.array(["x" * 50, "y"] * 20)})
    whole = path.read_bytes()
    assert "cannot be read as Parquet" in refusal(file(whole[:-10], "b.parquet"))
    assert "cannot be read as Parquet" in refusal(file(b"PAR1", "c.parquet"))
    empty = parquet_of(tmp_path / "d.parquet", {"a": pa.array([], pa.string())})
    assert read(empty) == []


def test_parquet_columns_that_nobody_reads_refuse_no_file(tmp_path):
    path = parquet_of(
        tmp_path / "a.parquet",
        {
            "blob": pa.array([b"\xff" * 50_000, b"\0", None]),
            "b": pa.array([1, 2, 3]),
            "list": pa.array([[1], None, []]),
            "a": pa.array(["x", "y", "z"]),
        },
    )
    with CsvStream(path, {"a", "b"}) as stream:
        assert stream.header.names == ("b", "a")
        assert sum(map(len, stream.rows())) == 3
    with CsvStream(path, {"a", "c"}) as stream:
        assert stream.header.names == ("blob", "b", "list", "a")


def test_bytes_that_are_no_utf8_cost_their_record_of_a_parquet_file(tmp_path):
    values = [b"x", b"\xff,", "é".encode(), None]
    for kind in (pa.binary(), pa.large_binary()):
        columns = {"a": pa.array(values, kind), "b": pa.array([1, 2, 3, 4])}
        rows = read(parquet_of(tmp_path / "a.parquet", columns))
        assert [tuple(row.values()) for row in rows] == [
            ("x", "1"), ("", ""), ("é", "3"), ("", "4")
        ]  # fmt: skip
    coded = {"a": pa.array(values).dictionary_encode(), "b": pa.array([b"12", b"\xfe1"] * 2)}
    rows = read(parquet_of(tmp_path / "b.parquet", coded))
    assert [tuple(row.values()) for row in rows] == [("x", "12"), ("", ""), ("é", "12"), ("", "")]
