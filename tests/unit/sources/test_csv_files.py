"""The source csv-files: what it plans, what it refuses, what it fetches and reads."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestor.errors import BadJob, BadRules, CorruptPayload, UnlikeRequest
from ingestor.job import JobPlan
from ingestor.model import table_of
from ingestor.origins import open_sources
from ingestor.settings import Settings
from ingestor.simulator.market import DAY, MONDAY, make_bars, make_trades
from ingestor.sources.csv_files import CsvFiles
from ingestor.sources.source import Ask, Source
from ingestor.transform import numbering_of
from ingestor.transform.ordinals import key_columns
from ingestor.transform.symbols import id_of
from ingestor.vocabulary import Priority, Schema
from tests.claims import claims_of, only_claim, read
from tests.csvs import DATASET, spellings_in, table_rows, write_csv, write_mappings
from tests.vaults import vault_at

ACME = {"dataset": "ACME.BARS", "schemas": (Schema.OHLCV_1D,)}
MADE = {"dataset": DATASET, "schemas": (Schema.TRADES,)}
HEADER = ["Date", "Ticker", "Open", "High", "Low", "Close", "Volume"]


@pytest.fixture
def source() -> CsvFiles:
    return CsvFiles(None, None, spellings_in())


def plan_of(source: CsvFiles, path: Path, **ask) -> JobPlan:
    return source.plan(Ask("t", Priority.NORMAL, path=path, **(ACME | ask)))


def chunks_of(plan: JobPlan):
    return [chunk for request in plan.requests for chunk in request.chunks]


def bars(symbol: str, *days: int) -> list[list[str]]:
    return [HEADER, *[[f"2024-03-{day:02}", symbol, "2", "3", "1", "2", "9"] for day in days]]


def test_it_is_an_installed_source(tmp_path):
    found = open_sources(Settings.model_validate({"home": tmp_path}), vault_at(tmp_path))
    made = found.named("csv-files")
    assert isinstance(made, CsvFiles)
    assert isinstance(made, Source)
    assert (made.realm, made.reads_files) == (None, True)
    assert made.mapping_folder("ACME.BARS") == "csv-files/ACME.BARS"


class TestPlan:
    def test_a_file_is_one_chunk_over_the_days_of_its_records(self, source, tmp_path):
        path = write_csv(tmp_path / "a.csv", bars("X", 11, 14))
        [request] = plan_of(source, path).requests
        [chunk] = request.chunks
        assert (request.dataset, request.schema) == ("ACME.BARS", Schema.OHLCV_1D)
        assert (request.symbols, request.stype_in) == ((), "raw_symbol")
        assert (chunk.start, chunk.end) == (MONDAY, MONDAY + 4 * DAY)
        assert chunk.contents.records == 2
        assert chunk.contents.instruments == (id_of(b"X"),)
        assert chunk.contents.publishers == (60_001,)
        assert chunk.partial == "nothing in the file says which days and symbols it should hold"

    def test_files_of_a_folder_are_found_by_their_names(self, source, tmp_path):
        for at, suffix in enumerate([".csv", ".csv.gz", ".csv.zst", ".parquet"]):
            write_csv(tmp_path / "sub" / f"x-{at}{suffix}", bars(f"S{at}", 11))
        (tmp_path / "readme.txt").write_text("no CSV")
        (tmp_path / ".x.csv").write_text("no CSV")
        found = [Path(chunk.payload.uri).name for chunk in chunks_of(plan_of(source, tmp_path))]
        assert found == ["x-0.csv", "x-1.csv.gz", "x-2.csv.zst", "x-3.parquet"]

    @pytest.mark.parametrize(
        ("ask", "said"),
        [
            ({"dataset": None}, "--dataset"),
            ({"schemas": ()}, "--schema"),
            ({"schemas": (Schema.OHLCV_1D, Schema.TRADES)}, "--schema"),
            ({"symbols": ("X",)}, "--symbols"),
            ({"start": MONDAY + DAY, "end": MONDAY}, "--end"),
        ],
    )
    def test_an_ask_that_leaves_open_what_files_are_is_refused(self, source, tmp_path, ask, said):
        path = write_csv(tmp_path / "a.csv", bars("X", 11))
        with pytest.raises(BadJob) as error:
            plan_of(source, path, **ask)
        assert said in error.value.message + error.value.hint

    def test_a_dataset_without_a_mapping_file_is_refused_by_the_file_that_is_missing(
        self, source, tmp_path
    ):
        path = write_csv(tmp_path / "a.csv", bars("X", 11))
        with pytest.raises(BadRules, match=r"csv-files/NO\.BODY/ohlcv-1d\.yaml"):
            plan_of(source, path, dataset="NO.BODY")

    def test_a_column_that_the_mapping_reads_and_the_header_lacks_is_named(self, source, tmp_path):
        header, *rows = bars("X", 11)
        path = write_csv(tmp_path / "a.csv", [["Day", *header[1:-1], "volume"], *rows])
        with pytest.raises(CorruptPayload) as error:
            plan_of(source, path)
        assert "has no column Date, Volume" in error.value.message
        assert "Day, Ticker, Open" in error.value.message
        assert "ACME.BARS" in error.value.hint

    def test_a_header_alone_is_left_out_with_a_note(self, source, tmp_path):
        write_csv(tmp_path / "a.csv", [HEADER])
        write_csv(tmp_path / "b.csv", bars("X", 11))
        plan = plan_of(source, tmp_path)
        assert plan.chunk_count == 1
        assert plan.notes == ("left out, a header and no records: a.csv",)
        assert plan_of(source, tmp_path / "a.csv").chunk_count == 0

    def test_times_that_cannot_be_read_are_told_before_anything_is_loaded(self, source, tmp_path):
        path = write_csv(tmp_path / "a.csv", [HEADER, ["11.03.2024", "X", "2", "3", "1", "2", "9"]])
        plan = plan_of(source, path)
        assert plan.notes == (
            "a.csv: ts_event cannot be read in 1 of 1 records; they will be quarantined",
        )
        [chunk] = chunks_of(plan)
        assert (chunk.start, chunk.end, chunk.last) == (0, DAY, True)
        _, records = read(source, only_claim(plan))
        assert records["Date"].tolist() == [b"11.03.2024"]

    def test_one_file_per_symbol_needs_no_other(self, source, tmp_path):
        for at in range(5):
            write_csv(tmp_path / f"S{at}.csv", bars(f"S{at}", 11, 12, 13))
        assert all(chunk.predecessors == () for chunk in chunks_of(plan_of(source, tmp_path)))

    def test_a_part_alone_goes_on_from_the_parts_beside_it(self, source, tmp_path):
        for at, days in enumerate([(11, 12), (12, 13), (13, 14)]):
            write_csv(tmp_path / f"part-{at}.csv", bars("X", *days))
        write_csv(tmp_path / "minutes.csv", bars("X", 12, 13))
        [chunk] = chunks_of(plan_of(source, tmp_path / "part-1.csv"))
        assert [Path(ref.uri).name for ref in chunk.predecessors] == ["part-0.csv"]

    def test_a_copy_is_said_to_be_one(self, source, tmp_path):
        for name in ("a.csv", "b.csv"):
            write_csv(tmp_path / name, bars("X", 11, 12))
        plan = plan_of(source, tmp_path)
        assert plan.notes == ("b.csv is a copy of a.csv: it will be found stored",)
        assert all(chunk.predecessors == () for chunk in chunks_of(plan))

    def test_a_copy_in_the_vault_keeps_the_end_of_its_name(self, tmp_path):
        vault = vault_at(tmp_path / "home")
        source = CsvFiles(None, vault, spellings_in())
        path = write_csv(tmp_path / "a.csv.gz", bars("X", 11))
        [chunk] = chunks_of(plan_of(source, path, to_vault=True))
        path.unlink()
        digest = chunk.payload.sha256
        assert chunk.payload.uri == f"vault:payloads/{digest[:2]}/{digest}.csv.gz"
        assert source.fetch(only_claim(plan_of_kept(source, chunk))).contents.records == 1


def plan_of_kept(source: CsvFiles, chunk) -> JobPlan:
    """The plan of a chunk whose file is gone."""
    from ingestor.job import RequestPlan

    request = RequestPlan(
        "ACME.BARS", Schema.OHLCV_1D, "raw_symbol", (), chunk.start, chunk.end, (chunk,)
    )
    return JobPlan("k", "t", source.name, Priority.NORMAL, {}, (request,))


class TestFetch:
    def test_symbols_are_named_for_the_days_of_the_slice(self, source, tmp_path):
        rows = [*bars("X", 11, 13), *bars("Y", 12)[1:]]
        path = write_csv(tmp_path / "a.csv", rows)
        first, second = claims_of(plan_of(source, path, chunk_days=2))
        payload = source.fetch(first)
        assert payload.own_ids
        assert {(e.symbol, int(e.target), e.start, e.end) for e in payload.symbology} == {
            ("X", id_of(b"X"), "2024-03-11", "2024-03-13"),
            ("Y", id_of(b"Y"), "2024-03-11", "2024-03-13"),
        }
        [only] = source.fetch(second).symbology
        assert (only.symbol, only.start, only.end) == ("X", "2024-03-13", "2024-03-14")

    def test_two_symbols_of_one_id_are_refused_with_a_way_out(self, tmp_path):
        mappings = write_mappings(tmp_path / "mappings")
        mapping = mappings / "csv-files" / DATASET / "trades.yaml"
        taken = id_of(b"NQM4")
        ids = f"op: symbol_id, field: Papier, ids: {{ESM4: {taken}}}"
        mapping.write_text(mapping.read_text().replace("op: symbol_id, field: Papier", ids))
        source = CsvFiles(None, None, spellings_in(mappings))
        path = write_csv(tmp_path / "a.csv", table_rows(Schema.TRADES, make_trades(50)))
        with pytest.raises(UnlikeRequest) as error:
            plan_of(source, path, **MADE)
        assert f"instrument id {taken}" in error.value.message
        assert {"'ESM4'", "'NQM4'"} <= set(error.value.message.replace(":", " ").split())
        assert "ids:" in error.value.hint

    def test_another_mapping_than_at_submission_is_no_silent_loss(self, tmp_path):
        mappings = write_mappings(tmp_path / "mappings")
        source = CsvFiles(None, None, spellings_in(mappings))
        path = write_csv(tmp_path / "a.csv", table_rows(Schema.TRADES, make_trades(50)))
        claim = only_claim(plan_of(source, path, **MADE))
        mapping = mappings / "csv-files" / DATASET / "trades.yaml"
        mapping.write_text(mapping.read_text().replace("Europe/Berlin", "Pacific/Auckland"))
        with pytest.raises(UnlikeRequest) as error:
            source.fetch(claim)
        assert "the mapping of trades of BERLIN.MADE changed" in error.value.message
        assert "hdi replay" in error.value.hint

    def test_a_payload_is_planned_again_whole_by_the_mapping_of_now(self, tmp_path):
        """Over the days of its slices and those that it has now, with all their predecessors."""
        mappings = write_mappings(tmp_path / "mappings")
        source = CsvFiles(None, None, spellings_in(mappings))
        path = write_csv(tmp_path / "a.csv", table_rows(Schema.TRADES, make_trades(50)))
        claims = claims_of(plan_of(source, path, **MADE, chunk_days=1))
        assert all(each.cut_by == source.cut_by(each) for each in claims)
        mapping = mappings / "csv-files" / DATASET / "trades.yaml"
        mapping.write_text(mapping.read_text().replace("Europe/Berlin", "America/Los_Angeles"))
        [plan] = chunks_of(plan_of(source, path, **MADE))
        whole = source.replan(claims)
        assert whole.cut_by == source.cut_by(claims[0]) != claims[0].cut_by
        assert (whole.start, whole.last) == (min(plan.start, claims[0].start), True)
        assert whole.end == max(plan.end, claims[-1].end)
        assert whole.contents == plan.contents
        assert (whole.payload, whole.partial) == (plan.payload, plan.partial)

    def test_a_line_that_is_no_record_of_the_columns_is_read_as_nothing(self, source, tmp_path):
        path = tmp_path / "a.csv"
        lines = [",".join(row).encode() for row in bars("X", 11, 12)]
        path.write_bytes(b"\n".join([*lines, b"2024-03-12,X,2", b"2024-03-12,\xff,2,3,1,2,9"]))
        payload, records = read(source, only_claim(plan_of(source, path)))
        assert payload.contents.records == 4
        assert records["Date"].tolist() == [b"2024-03-11", b"2024-03-12", b"", b""]
        assert source.raw(records)[2:] == [
            lines[0] + b"\n2024-03-12,X,2\n", lines[0] + b"\n2024-03-12,\xff,2,3,1,2,9\n"
        ]  # fmt: skip

    def test_a_column_more_than_the_mapping_reads_is_carried_along(self, source, tmp_path):
        rows = [[*row, more] for row, more in zip(bars("X", 11), ["Note", 'a "b"\nc'], strict=True)]
        path = write_csv(tmp_path / "a.csv", rows)
        _, records = read(source, only_claim(plan_of(source, path)))
        assert records["Note"].tolist() == [b'a "b"\nc']
        [(_, again)] = list(source.decode(source.raw(records), Schema.OHLCV_1D))
        assert again["Note"].tolist() == [b'a "b"\nc']

    def test_a_line_behind_an_open_quote_is_loaded_and_the_quarantined_one_decoded(
        self, source, tmp_path
    ):
        path = tmp_path / "a.csv"
        lines = [",".join(row).encode() for row in bars("X", *range(11, 15))]
        path.write_bytes(b"\n".join([*lines[:2], b'2024-03-12,"X,2', *lines[2:], b'"X",Y']))
        _, records = read(source, only_claim(plan_of(source, path)))
        assert records["Date"].tolist() == [
            b"2024-03-11", b"", b"2024-03-12", b"2024-03-13", b"2024-03-14", b""
        ]  # fmt: skip
        raw = source.raw(records)
        [(_, again)] = list(source.decode([*raw, raw[1]], Schema.OHLCV_1D))
        assert again["Date"].tolist() == [*records["Date"].tolist(), b""]
        assert source.raw(again) == [*raw, raw[1]]

    def test_lines_that_together_were_one_record_are_decoded_one_by_one(self, source):
        header = ",".join(HEADER)
        halves = [f'{header}\n2024-03-11,"X\n', f'{header}\nY",2,3,1,2,9\n']
        [(_, found)] = list(source.decode([each.encode() for each in halves], Schema.OHLCV_1D))
        assert found["Date"].tolist() == [b"", b""]
        assert source.raw(found) == [each.encode() for each in halves]

    def test_one_long_cell_makes_few_records_as_wide(self, source, tmp_path):
        rows = [[*row, "x"] for row in bars("X", *range(11, 31)) * 1_000 if row != HEADER]
        rows[7_000][-1] = "y" * 16_000
        path = write_csv(tmp_path / "a.csv", [[*HEADER, "Note"], *rows])
        claim = only_claim(plan_of(source, path))
        found = list(source.batches(source.fetch(claim), claim, 65_536))
        assert sum(records.nbytes for records, _ in found) < 1 << 26
        assert np.array_equal(np.concatenate([at for _, at in found]), np.arange(20_000))
        read = [note for records, _ in found for note in records["Note"].tolist()]
        assert [note.decode() for note in read] == [row[-1] for row in rows]
        raw = [each for records, _ in found for each in source.raw(records)]
        assert [each.decode().splitlines()[1] for each in raw] == [",".join(row) for row in rows]

    @pytest.mark.parametrize("count", [1, 40, 10_000])
    def test_smaller_arrays_end_inside_no_microsecond(self, source, tmp_path, monkeypatch, count):
        mappings = spellings_in(write_mappings(tmp_path / "mappings"))
        source = CsvFiles(None, None, mappings)
        path = write_csv(tmp_path / "a.csv", table_rows(Schema.TRADES, make_trades(600)))
        claim = only_claim(plan_of(source, path, **MADE))
        _, whole = read(source, claim)
        monkeypatch.setattr("ingestor.sources.csv_batches._MOST_BYTES", 1)
        monkeypatch.setattr("ingestor.sources.csv_stream._PIECE", 500)
        found = [records for records, _ in source.batches(source.fetch(claim), claim, count)]
        spelling = mappings(f"csv-files/{DATASET}", Schema.TRADES)
        times = [spelling.columns(each, ("ts_recv",))["ts_recv"] // 1_000 for each in found]
        assert len(found) > 1
        assert all(before[-1] != after[0] for before, after in pairwise(times))
        assert [each for records in found for each in source.raw(records)] == source.raw(whole)

    def test_what_quarantine_holds_of_two_layouts_is_decoded_by_each_header(self, source, tmp_path):
        first = write_csv(tmp_path / "a.csv", bars("X", 11))
        one = read(source, only_claim(plan_of(source, first)))
        turned = [list(reversed(row)) for row in bars("Y", 12)]
        path = write_csv(tmp_path / "b.csv", turned, delimiter=";")
        two = read(source, only_claim(plan_of(source, path)))
        raw = [*source.raw(two[1]), *source.raw(one[1]), *source.raw(two[1])]
        found = [(at.tolist(), r["Ticker"].tolist()) for at, r in source.decode(raw, "ohlcv-1d")]
        assert found == [([0, 2], [b"Y", b"Y"]), ([1], [b"X"])]
        with pytest.raises(CorruptPayload):
            list(source.decode([raw[0] + b"more;lines\n"], Schema.OHLCV_1D))


def ordinals_of(source: CsvFiles, plan: JobPlan) -> Counter[tuple[object, ...]]:
    """Every record of a plan with the ordinal that a worker gives it, whatever the order."""
    table = table_of(Schema.TRADES)
    mapping = spellings_in()("csv-files/KRONOS.TRADES", Schema.TRADES)
    found: Counter[tuple[object, ...]] = Counter()
    for claim in reversed(claims_of(plan)):
        payload = source.fetch(claim)
        before = source.preceding(payload, claim)
        parts = list(source.batches(payload, claim, 3))
        columns = [mapping.columns(records) for records, _ in parts]
        names = columns[0]
        whole = {name: np.concatenate([each[name] for each in columns]) for name in names}
        numbering = numbering_of(
            table,
            ordered=payload.contents.ordered,
            before=None if before is None else mapping.columns(before),
            everything=(whole, np.concatenate([at for _, at in parts])),
        )
        for each, (_, at) in zip(columns, parts, strict=True):
            keys = [values.tolist() for values in key_columns(table, each).values()]
            sides = each["side"].tolist()
            found.update(zip(*keys, sides, numbering.ordinals(each, at).tolist(), strict=True))
    return found


_TRADES = st.tuples(st.sampled_from([0, 0, 1, 5]), st.sampled_from("AB"))
"""Milliseconds since the one before, and a symbol."""


@settings(max_examples=60, deadline=None)
@given(
    st.lists(_TRADES, min_size=2, max_size=30),
    st.lists(st.integers(1, 29), min_size=1, max_size=4, unique=True),
    st.booleans(),
)  # fmt: skip
def test_parts_cut_anywhere_number_their_trades_as_the_whole_does(drawn, cuts, symbol_wise):
    source = CsvFiles(None, None, spellings_in())
    asked = {"dataset": "KRONOS.TRADES", "schemas": (Schema.TRADES,)}
    header = ["time_ms", "contract", "px", "qty", "aggressor", "seq"]
    time, rows = 1_710_162_600_000, []
    for step, symbol in drawn:
        time += step
        rows.append([str(time), symbol, "5", "1", "S" if len(rows) % 2 else "B", "0"])
    edges = [0, *sorted(cuts), None]
    parts = [rows[low:past] for low, past in pairwise(edges)]
    if symbol_wise:
        parts = [[row for row in rows if row[1] == symbol] for symbol in "AB"]
    with TemporaryDirectory() as name:
        whole = write_csv(Path(name) / "whole.csv", [header, *rows])
        for at, part in enumerate(parts):
            write_csv(Path(name) / "parts" / f"p{at}.csv", [header, *part])
        expected = ordinals_of(source, plan_of(source, whole, **asked))
        assert ordinals_of(source, plan_of(source, Path(name) / "parts", **asked)) == expected


def test_bars_of_another_width_are_the_days_of_their_zone(tmp_path):
    source = CsvFiles(None, None, spellings_in(write_mappings(tmp_path / "mappings")))
    rows = table_rows(Schema.OHLCV_1H, make_bars(30, Schema.OHLCV_1H))
    path = write_csv(tmp_path / "a.csv", rows, delimiter=";")
    plan = plan_of(source, path, dataset=DATASET, schemas=(Schema.OHLCV_1H,))
    assert all(chunk.start % DAY == 0 for chunk in chunks_of(plan))
    assert only_claim(plan).start == MONDAY
