"""A folder of DBN files, served."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestor.dbn import index_field
from ingestor.errors import BadSettings
from ingestor.simulator.archive import Selection
from ingestor.simulator.dbn_writer import write_dbn
from ingestor.simulator.folder import FolderArchive
from ingestor.simulator.made_archive import SERVED
from ingestor.simulator.market import DAY, INSTRUMENTS, MONDAY, make_bars, mappings, trades
from tests.markets import market_week

END = MONDAY + 2 * DAY
GLBX = {"dataset": "GLBX.MDP3", "start": MONDAY, "end": END}


@pytest.fixture
def folder(tmp_path):
    """Two days of trades, one file for each instrument, and bars in another format."""
    for instrument in INSTRUMENTS:
        records = trades([instrument], MONDAY, END, seed=3, per_day=200)
        named = mappings([instrument], MONDAY, END)
        write_dbn(
            tmp_path / f"{instrument.symbol}.dbn.zst", "trades", records, symbols=list(named),
            mappings=named, frames=3, **GLBX,
        )  # fmt: skip
    (tmp_path / "more").mkdir()
    write_dbn(tmp_path / "more" / "bars.dbn", "ohlcv-1m", make_bars(50), compress=False, **GLBX)
    return tmp_path


def made(archive, selection):
    parts = list(archive.slices(selection))
    return np.concatenate(parts) if parts else np.empty(0)


def test_datasets_schemas_and_ranges_are_the_files_own(folder):
    archive = FolderArchive(folder)
    assert archive.datasets() == ["GLBX.MDP3"]
    assert archive.schemas("GLBX.MDP3") == ["ohlcv-1m", "trades"]
    assert archive.available("GLBX.MDP3", "trades") == (MONDAY, END)


def test_several_files_are_one_stream_by_time(folder):
    archive = FolderArchive(folder)
    whole = made(archive, Selection("GLBX.MDP3", "trades", MONDAY, END, None))
    expected = trades(INSTRUMENTS, MONDAY, END, seed=3, per_day=200)
    assert (whole["ts_recv"] == expected["ts_recv"]).all()
    assert sorted(map(bytes, whole)) == sorted(map(bytes, expected))


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sets(st.sampled_from(INSTRUMENTS), min_size=1),
    st.integers(0, 2 * DAY - 1),
    st.integers(1, 2 * DAY),
)
def test_symbols_and_bounds_choose_among_the_files_records(folder, chosen, start, length):
    archive = FolderArchive(folder)
    begin, end = MONDAY + start, min(END, MONDAY + start + length)
    symbols = [each.symbol for each in chosen]
    first, past = begin // DAY, -(-end // DAY)
    resolution = archive.book("GLBX.MDP3").resolve(symbols, "raw_symbol", first, past)
    wanted = Selection("GLBX.MDP3", "trades", begin, end, resolution.selected)
    found = made(archive, wanted)
    everything = trades(list(chosen), MONDAY, END, seed=3, per_day=200)
    inside = (everything["ts_recv"] >= begin) & (everything["ts_recv"] < end)
    assert sorted(map(bytes, found)) == sorted(map(bytes, everything[inside]))
    assert archive.count(wanted) == inside.sum()


def test_ids_of_a_file_without_mappings_resolve_by_number(folder):
    book = FolderArchive(folder).book("GLBX.MDP3")
    ids = [str(each.instrument_id) for each in INSTRUMENTS]
    assert book.resolve(ids, "instrument_id", MONDAY // DAY, END // DAY).not_found == ()


def test_a_family_s_file_resolves_its_parent_and_its_members(tmp_path):
    named = mappings(INSTRUMENTS[:1], MONDAY, END)
    write_dbn(
        tmp_path / "es.dbn", "trades", trades(INSTRUMENTS[:1], MONDAY, END, seed=0, per_day=5),
        symbols=["ES.FUT"], stype_in="parent", mappings=named, compress=False, **GLBX,
    )  # fmt: skip
    book = FolderArchive(tmp_path).book("GLBX.MDP3")
    days = (MONDAY // DAY, END // DAY)
    assert list(book.resolve(["ES.FUT"], "parent", *days).mappings()) == ["ESM4"]
    assert book.resolve(["ESM4"], "raw_symbol", *days).complete


@pytest.mark.parametrize("schema", [*SERVED, "mbp-1"])
def test_a_file_of_any_schema_is_served_as_it_is(tmp_path, schema):
    records = market_week("tbbo" if schema == "mbp-1" else schema)
    end = MONDAY + 7 * DAY
    named = mappings(INSTRUMENTS, MONDAY, end)
    write_dbn(
        tmp_path / "a.dbn.zst", schema, records, symbols=list(named), mappings=named,
        dataset="GLBX.MDP3", start=MONDAY, end=end,
    )  # fmt: skip
    archive = FolderArchive(tmp_path)
    found = archive.book("GLBX.MDP3").resolve(["ESM4"], "raw_symbol", MONDAY // DAY, end // DAY)
    one = Selection("GLBX.MDP3", schema, MONDAY, MONDAY + DAY, found.selected)
    mine = records[records["instrument_id"] == INSTRUMENTS[0].instrument_id]
    first_day = mine[mine[index_field(schema)] < MONDAY + DAY]
    assert made(archive, one).tobytes() == first_day.tobytes()
    assert archive.count(one) == len(first_day) > 0
    whole = made(archive, Selection("GLBX.MDP3", schema, MONDAY, end, None))
    assert whole.tobytes() == records.tobytes()


@pytest.mark.parametrize("version", [1, 2, 3])
def test_files_of_every_version_are_served_in_it(tmp_path, version):
    write_dbn(tmp_path / "a.dbn", "ohlcv-1m", make_bars(9), compress=False, version=version, **GLBX)
    assert FolderArchive(tmp_path).version("GLBX.MDP3", "ohlcv-1m") == version


def test_one_schema_in_two_versions_is_refused(tmp_path):
    for version in (2, 3):
        write_dbn(tmp_path / f"{version}.dbn", "ohlcv-1m", make_bars(9), version=version, **GLBX)
    with pytest.raises(BadSettings, match=r"versions \[2, 3\]"):
        FolderArchive(tmp_path)


def test_a_file_that_was_asked_for_without_an_end_ends_with_its_last_day(tmp_path):
    write_dbn(
        tmp_path / "a.dbn", "ohlcv-1h", make_bars(9, "ohlcv-1h"),
        dataset="GLBX.MDP3", start=MONDAY, end=None,
    )  # fmt: skip
    assert FolderArchive(tmp_path).available("GLBX.MDP3", "ohlcv-1h") == (MONDAY, MONDAY + DAY)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no dbn at all",
        b"DBN\x03\xff\xff\x00\x00",
        b"\x28\xb5\x2f\xfd",
        b"\x28\xb5\x2f\xfd" * 9,
    ],
)
def test_what_is_no_dbn_is_refused_by_name(tmp_path, content):
    (tmp_path / "odd.dbn").write_bytes(content)
    with pytest.raises(BadSettings, match=r"odd\.dbn"):
        FolderArchive(tmp_path)


def test_a_live_recording_is_refused(tmp_path):
    write_dbn(tmp_path / "live.dbn", None, make_bars(3), stype_in=None, **GLBX)
    with pytest.raises(BadSettings, match="live recording"):
        FolderArchive(tmp_path)
