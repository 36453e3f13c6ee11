"""The check pass finds what is in a file, and refuses what is not whole."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import suppress

import numpy as np
import pytest

from ingestor.errors import CorruptPayload, UnlikeRequest
from ingestor.model import STORED, table_of
from ingestor.simulator.market import (
    DAY,
    INSTRUMENTS,
    MONDAY,
    UNDEFINED_TIME,
    WIDTHS,
    Instrument,
    make_bars,
    make_trades,
)
from ingestor.sources.survey import survey
from ingestor.sources.tally import Window
from ingestor.vocabulary import Schema
from tests.markets import market_week

WEEK = {"end": MONDAY + 7 * DAY}


def check_contents(found, records: np.ndarray, index: str) -> None:
    """Holds a survey against the plain definition of each number."""
    times = records[index][records[index] != UNDEFINED_TIME]
    events = records["ts_event"][records[index] != UNDEFINED_TIME]
    assert found.records == len(records)
    assert (found.index_min, found.index_max) == (times.min(), times.max())
    assert (found.event_min, found.event_max) == (events.min(), events.max())
    assert found.ordered == bool((times[1:] >= times[:-1]).all())
    assert found.instruments == tuple(sorted(set(records["instrument_id"].tolist())))
    assert found.publishers == tuple(sorted(set(records["publisher_id"].tolist())))
    assert found.event_days == tuple(sorted(set((events // DAY).tolist())))
    assert found.index_days == dict(sorted(Counter((times // DAY).tolist()).items()))


@pytest.mark.parametrize("name", ["a.dbn", "a.dbn.zst"])
def test_a_week_of_trades_is_counted_by_day(written, name):
    records = make_trades(200_000, days=5)
    found = survey(written(records, name, **WEEK))
    check_contents(found.contents, records, "ts_recv")
    assert list(found.contents.index_days) == [MONDAY // DAY + day for day in range(5)]


@pytest.mark.parametrize("schema", WIDTHS)
def test_bars_are_counted_by_day(written, schema):
    opra = [Instrument("AAPL", 7, publisher) for publisher in (20, 22, 23, 27)]
    records = make_bars(3_000, schema, instruments=[*INSTRUMENTS, *opra])
    found = survey(written(records, schema=schema, end=MONDAY + 4_000 * DAY))
    check_contents(found.contents, records, "ts_event")


@pytest.mark.parametrize("schema", [Schema.TBBO, Schema.STATISTICS, Schema.DEFINITION])
def test_quotes_statistics_and_definitions_are_counted_by_the_day_of_receipt(written, schema):
    """A snapshot of definitions bears midnight, and its event is of the day before."""
    records = market_week(schema)
    found = survey(written(records, schema=schema, **WEEK))
    check_contents(found.contents, records, "ts_recv")
    assert list(found.contents.index_days) == [MONDAY // DAY + day for day in range(5)]
    before = int(schema is Schema.DEFINITION)
    assert found.contents.event_days == tuple(day - before for day in found.contents.index_days)


def test_undefined_index_times_count_and_nothing_else(written):
    records = make_trades(10_000, undefined=100)
    found = survey(written(records))
    check_contents(found.contents, records, "ts_recv")
    assert found.undefined == 100


def test_a_file_of_undefined_index_times_alone_has_no_bounds(written):
    records = make_trades(3, undefined=3)
    found = survey(written(records)).contents
    assert (found.records, found.index_min, found.event_min, found.ordered) == (3, None, None, True)
    assert not found.event_days
    assert not found.index_days


def test_an_undefined_event_time_names_no_day(written):
    records = make_trades(100)
    records["ts_event"][50] = UNDEFINED_TIME
    found = survey(written(records)).contents
    assert found.event_max == records["ts_event"][records["ts_event"] != UNDEFINED_TIME].max()
    assert len(found.event_days) == 1


def test_disorder_is_seen_within_an_array_and_between_two(written):
    records = make_trades(70_000)
    for at in (10, 65_535):
        swapped = records.copy()
        swapped["ts_recv"][at], swapped["ts_recv"][at + 1] = MONDAY + DAY - 1, MONDAY + DAY - 2
        found = survey(written(swapped)).contents
        assert not found.ordered
        check_contents(found, swapped, "ts_recv")


def test_days_in_any_order_are_counted(written):
    records = make_trades(150_000, days=5)
    np.random.default_rng(1).shuffle(records)
    check_contents(survey(written(records, **WEEK)).contents, records, "ts_recv")


def test_ids_far_apart_are_found(written):
    records = make_trades(1_000)
    records["instrument_id"] = np.random.default_rng(1).integers(0, 2**32, 1_000, np.uint32)
    check_contents(survey(written(records)).contents, records, "ts_recv")


def test_an_empty_file_holds_nothing(written):
    found = survey(written(make_trades(0)))
    assert (found.contents.records, found.index_range) == (0, None)


def test_a_window_counts_its_own_records_and_checks_all(written):
    records = make_trades(50_000, days=3, undefined=9)
    path = written(records, **WEEK)
    second = Window(MONDAY + DAY, MONDAY + 2 * DAY, last=False)
    inside = (records["ts_recv"] >= second.start) & (records["ts_recv"] < second.end)
    check_contents(survey(path, second).contents, records[inside], "ts_recv")
    last = Window(second.start, second.end, last=True)
    assert survey(path, last).contents.records == inside.sum() + 9


@pytest.mark.parametrize("stray", [MONDAY - 1, MONDAY + DAY])
def test_a_record_outside_the_files_own_range_is_refused(written, stray):
    records = make_trades(10)
    records["ts_recv"][3] = stray
    with pytest.raises(UnlikeRequest, match="its metadata allows"):
        survey(written(records))


def test_a_record_on_an_end_within_a_day_is_the_last_of_a_split_file(written):
    records = make_trades(10)
    survey(written(records, end=int(records["ts_recv"][-1])))
    with pytest.raises(UnlikeRequest):
        survey(written(records, end=int(records["ts_recv"][-1]) - 1))


def test_sha256_and_size_are_those_of_the_file(written):
    from hashlib import sha256

    path = written(make_trades(1_000))
    found = survey(path)
    content = path.read_bytes()
    assert (found.sha256, found.size) == (sha256(content).hexdigest(), len(content))


def test_compression_is_told_by_content_not_by_name(written):
    records = make_trades(100)
    path = written(records)
    renamed = path.rename(path.with_name("plain.dbn"))
    assert survey(renamed).contents.records == 100


@pytest.mark.parametrize("version", [1, 2, 3])
def test_every_version_is_read(written, version):
    records = make_trades(100)
    check_contents(survey(written(records, version=version)).contents, records, "ts_recv")


def test_mixed_records_are_refused_by_place_and_type(written):
    bars = make_bars(6).tobytes()
    with pytest.raises(CorruptPayload, match=r"record 10 of .* has rtype 33 \(ohlcv-1m\)"):
        survey(written(make_trades(10), tail=bars))


def test_records_of_another_schema_throughout_are_refused(written):
    with pytest.raises(CorruptPayload, match=r"record 0 of .* has rtype 33"):
        survey(written(make_bars(6), schema="ohlcv-1h"))


def test_each_cut_of_a_plain_file_but_on_a_border_is_refused(written):
    path = written(make_trades(20), name="a.dbn")
    whole = path.read_bytes()
    head = len(whole) - 20 * 48
    for cut in range(head, len(whole)):
        path.write_bytes(whole[:cut])
        if (cut - head) % 48:
            with pytest.raises(CorruptPayload, match="ends inside record"):
                survey(path)
        else:
            assert survey(path).contents.records == (cut - head) // 48


def test_each_cut_of_a_compressed_file_is_refused(written):
    """More than 1,000 cut points: every byte."""
    path = written(make_trades(60))
    whole = path.read_bytes()
    assert len(whole) > 1_000
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        with pytest.raises(CorruptPayload):
            survey(path)


def test_a_cut_between_frames_and_within_a_record_is_refused(written):
    path = written(make_trades(100), frames=7)
    whole = path.read_bytes()
    borders = [at for at in range(1, len(whole)) if whole[at : at + 4] == b"\x28\xb5\x2f\xfd"]
    assert len(borders) == 6
    for border in borders:
        path.write_bytes(whole[:border])
        with pytest.raises(CorruptPayload, match="ends inside"):
            survey(path)


def test_a_flipped_bit_in_a_compressed_file_is_refused(written):
    chance = random.Random(1)
    path = written(make_trades(200))
    whole = path.read_bytes()
    sound = survey(path).contents
    for _ in range(300):
        damaged = bytearray(whole)
        damaged[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        with suppress(CorruptPayload):
            assert survey(path).contents == sound


@pytest.mark.corpus
def test_every_file_of_the_corpus_counts_as_the_client_counts(corpus):
    import databento

    files = [(kind, path) for kind in STORED for path in sorted(corpus.glob(f"*/*.{kind}.dbn.zst"))]
    assert len(files) >= 45
    for kind, path in files:
        records = databento.DBNStore.from_file(path).to_ndarray()
        found = survey(path)
        check_contents(found.contents, records, table_of(kind).index_column)
        assert found.header.intervals


@pytest.mark.corpus
def test_every_other_file_of_the_corpus_is_refused_by_name(corpus):
    others = [p for p in sorted(corpus.glob("*/*.dbn.zst")) if p.name.split(".")[1] not in STORED]
    assert len(others) >= 15
    for path in others:
        with pytest.raises(UnlikeRequest, match=f"holds {path.name.split('.')[1]} records"):
            survey(path)
