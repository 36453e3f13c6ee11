"""The header of a DBN file: what it says, and what is refused for it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ingestor import dbn
from ingestor.dbn import Header
from ingestor.errors import CorruptPayload, UnlikeRequest
from ingestor.job import SymbolInterval
from ingestor.model import STORED
from ingestor.simulator.market import DAY, MONDAY, make_trades
from ingestor.sources.dbn_stream import read_header, read_schema
from ingestor.vocabulary import Schema

NOWHERE = Path("x.dbn")
TUESDAY, WEDNESDAY, THURSDAY = (date(2024, 3, day) for day in (12, 13, 14))


def header(**fields) -> dbn.DbnHeader:
    told = {"dataset": "GLBX.MDP3", "schema": "trades", "start": MONDAY, "end": MONDAY + DAY}
    return dbn.decode_header(Header(**(told | fields)).encode(), NOWHERE)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_every_version_says_the_same(version):
    found = header(version=version, symbols=["ESM4"], limit=7, partial=["A"], not_found=["B"])
    assert (found.version, found.dataset, found.schema) == (version, "GLBX.MDP3", Schema.TRADES)
    assert (found.start, found.end, found.limit) == (MONDAY, MONDAY + DAY, 7)
    assert (found.symbols, found.partial, found.not_found) == (("ESM4",), ("A",), ("B",))
    assert (found.stype_in, found.stype_out) == ("raw_symbol", "instrument_id")


def test_an_open_end_is_none():
    assert header(end=None).end is None


def test_mixed_symbol_types_are_no_symbol_type():
    assert header(stype_in=None).stype_in == ""


def test_the_digest_is_that_of_the_metadata():
    assert header().digest == header().digest
    assert header().digest != header(symbols=["ESM4"]).digest


SIZES = {
    **dict.fromkeys(["ohlcv-1s", "ohlcv-1m", "ohlcv-1h", "ohlcv-1d"], (56, 56, 56)),
    "trades": (48, 48, 48),
    "tbbo": (80, 80, 80),
    "mbp-1": (80, 80, 80),
    "mbo": (56, 56, 56),
    "statistics": (64, 64, 80),
    "definition": (360, 400, 520),
}
"""Bytes of a record in DBN 1, 2 and 3, by Databento's documents."""


@pytest.mark.parametrize("schema", Schema)
@pytest.mark.parametrize("version", [1, 2, 3])
def test_layouts_are_little_endian_and_packed(schema, version):
    layout = dbn.layout(schema, version)
    assert layout["instrument_id"].str == "<u4"
    assert sum(layout[name].itemsize for name in layout.names) == layout.itemsize
    if schema in SIZES:
        assert layout.itemsize == SIZES[schema][version - 1]


@pytest.mark.parametrize(
    ("schema", "rtype"),
    [
        ("trades", 0), ("tbbo", 1), ("mbp-1", 1), ("ohlcv-1s", 32), ("ohlcv-1m", 33),
        ("ohlcv-1h", 34), ("ohlcv-1d", 35), ("definition", 19), ("statistics", 24),
    ],
)  # fmt: skip
def test_each_schema_has_one_record_type(schema, rtype):
    assert dbn.rtype(Schema(schema)) == rtype


def test_adjacent_intervals_of_one_target_are_one_and_empty_targets_are_none():
    intervals = [
        (TUESDAY, WEDNESDAY, "5"),
        (WEDNESDAY, THURSDAY, "5"),
        (THURSDAY, date(2024, 3, 15), ""),
        (date(2024, 3, 15), date(2024, 3, 16), "5"),
    ]
    found = header(symbols=["ESM4"], mappings={"ESM4": intervals}).intervals
    assert found == (
        SymbolInterval("raw_symbol", "ESM4", "instrument_id", "5", "2024-03-12", "2024-03-14"),
        SymbolInterval("raw_symbol", "ESM4", "instrument_id", "5", "2024-03-15", "2024-03-16"),
    )


def test_a_reused_id_stays_two_intervals():
    intervals = [(TUESDAY, WEDNESDAY, "5"), (WEDNESDAY, THURSDAY, "6")]
    found = header(symbols=["ESM4"], mappings={"ESM4": intervals}).intervals
    assert [interval.target for interval in found] == ["5", "6"]


def test_members_of_a_parent_are_raw_symbols():
    mappings = {"ESM4": [(TUESDAY, THURSDAY, "5")]}
    found = header(stype_in="parent", symbols=["ES.FUT"], mappings=mappings).intervals
    assert found[0].stype_in == "raw_symbol"


def test_a_continuous_symbol_keeps_its_type():
    mappings = {"ES.c.0": [(TUESDAY, THURSDAY, "5")]}
    found = header(stype_in="continuous", symbols=["ES.c.0"], mappings=mappings).intervals
    assert found[0].stype_in == "continuous"


def test_a_live_recording_is_refused():
    with pytest.raises(CorruptPayload, match="live recording of mixed records"):
        header(schema=None)


def test_ts_out_is_refused():
    with pytest.raises(CorruptPayload, match="ts_out"):
        header(ts_out=True)


@pytest.mark.parametrize("schema", [each for each in Schema if each not in STORED])
def test_a_schema_that_is_not_stored_is_named_with_those_that_are(schema):
    with pytest.raises(UnlikeRequest, match=rf"holds {schema} records; HDI stores ohlcv-1s, "):
        header(schema=schema)


def test_the_schema_alone_can_be_read_of_any_file(written):
    path = written(make_trades(0), schema="mbo")
    assert read_schema(path) == "mbo"


@pytest.mark.parametrize("content", [b"", b"D", b"DBZ\x03rest", b"PK\x03\x04", b"ts,price\n1,2\n"])
def test_what_is_no_dbn_is_refused(tmp_path, content):
    path = tmp_path / "a.dbn"
    path.write_bytes(content)
    with pytest.raises(CorruptPayload, match="is no DBN file"):
        read_header(path)


@pytest.mark.parametrize("version", [0, 4, 255])
def test_an_unknown_version_is_refused(tmp_path, version):
    path = tmp_path / "a.dbn"
    path.write_bytes(b"DBN" + bytes([version]) + bytes(100))
    with pytest.raises(CorruptPayload, match=f"version {version}; versions 1, 2 and 3"):
        read_header(path)


def test_every_cut_within_the_metadata_is_refused(written):
    path = written(make_trades(0), name="a.dbn")
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        with pytest.raises(CorruptPayload, match=r"no DBN file|ends inside its metadata"):
            read_header(path)


def test_metadata_of_the_wrong_length_is_refused(tmp_path):
    head = bytearray(header_bytes())
    head[4:8] = (30).to_bytes(4, "little")
    path = tmp_path / "a.dbn"
    path.write_bytes(head)
    with pytest.raises(CorruptPayload, match="cannot be decoded"):
        read_header(path)


def header_bytes() -> bytes:
    return Header(dataset="X.Y", schema="trades", start=0, end=DAY).encode()
