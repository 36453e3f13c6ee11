"""What is written reads back through the provider's own client, byte for byte."""

from __future__ import annotations

import databento
import numpy as np
import pytest
import zstandard

from ingestor.dbn import Header
from ingestor.simulator.dbn_writer import compress_frames, encode_dbn, write_dbn
from ingestor.simulator.market import DAY, INSTRUMENTS, MONDAY, make_bars, make_trades, mappings

METADATA = {"dataset": "GLBX.MDP3", "start": MONDAY, "end": MONDAY + DAY}


@pytest.mark.parametrize("name", ["a.dbn", "a.dbn.zst"])
@pytest.mark.parametrize("version", [1, 2, 3])
def test_the_client_reads_the_records_that_were_written(tmp_path, version, name):
    records = make_trades(1_000)
    path = write_dbn(
        tmp_path / name, "trades", records, compress=name.endswith("zst"), version=version,
        **METADATA,
    )  # fmt: skip
    assert databento.DBNStore.from_file(path).to_ndarray().tobytes() == records.tobytes()


def test_the_client_reads_the_metadata_that_was_written(tmp_path):
    told = mappings(INSTRUMENTS, MONDAY, MONDAY + DAY)
    path = write_dbn(
        tmp_path / "a.dbn.zst", "ohlcv-1h", make_bars(5), symbols=list(told), mappings=told,
        limit=5, **METADATA,
    )  # fmt: skip
    store = databento.DBNStore.from_file(path)
    assert (store.dataset, store.schema, store.limit) == ("GLBX.MDP3", "ohlcv-1h", 5)
    assert store.symbols == [each.symbol for each in INSTRUMENTS]
    assert store.mappings["ESM4"][0]["symbol"] == "17077"


def test_frames_end_with_a_checksum_and_name_no_size():
    """As Databento's own files."""
    whole = compress_frames(b"x" * 1_000)
    told = zstandard.get_frame_parameters(whole)
    assert told.has_checksum
    assert told.content_size == zstandard.CONTENTSIZE_UNKNOWN


def test_ts_out_makes_each_record_eight_bytes_longer():
    header = Header(schema="trades", ts_out=True, **METADATA)
    plain = Header(schema="trades", **METADATA)
    records = make_trades(10)
    longer = len(encode_dbn(header, records)) - len(encode_dbn(plain, records))
    assert longer == 80
    assert encode_dbn(header, records)[len(header.encode())] == 56 // 4


def test_a_tail_is_appended_as_it_is():
    header = Header(schema="trades", **METADATA)
    assert encode_dbn(header, np.empty(0), tail=b"tail").endswith(b"tail")
