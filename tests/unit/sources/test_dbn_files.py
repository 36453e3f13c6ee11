"""The source dbn-files: what it plans, what it refuses, what it fetches and reads."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ingestor.errors import BadJob, CorruptPayload, PayloadMissing, Usage
from ingestor.settings import Settings
from ingestor.simulator.market import DAY, MONDAY, make_bars, make_trades
from ingestor.sources.dbn_files import DbnFiles
from ingestor.sources.installed import Sources
from ingestor.sources.source import Source
from ingestor.vocabulary import Schema
from tests.claims import claims_of, only_claim, read
from tests.vaults import files, vault_at

SOURCE = DbnFiles()
WEEK = {"end": MONDAY + 7 * DAY}


def chunks_of(plan):
    return [chunk for request in plan.requests for chunk in request.chunks]


def spellings(folder, schema):
    raise AssertionError("DBN says itself what its fields are")


def test_it_is_an_installed_source(tmp_path):
    vault = vault_at(tmp_path)
    settings = Settings.model_validate({"home": tmp_path})
    made = Sources(settings, vault, spellings).named("dbn-files")
    assert isinstance(made, DbnFiles)
    assert isinstance(SOURCE, Source)
    assert (SOURCE.name, SOURCE.mapping_folder("GLBX.MDP3")) == ("dbn-files", "databento")


class TestPlan:
    def test_a_file_is_one_chunk_over_its_own_range(self, written, plan):
        path = written(make_trades(100))
        made = plan(path)
        [request] = made.requests
        [chunk] = request.chunks
        assert (request.dataset, request.schema) == ("GLBX.MDP3", Schema.TRADES)
        assert (request.symbols, request.stype_in) == (("ESM4",), "raw_symbol")
        assert (chunk.start, chunk.end) == (request.start, request.end) == (MONDAY, MONDAY + DAY)
        assert chunk.payload.uri == str(path)
        assert (chunk.contents.records, chunk.predecessors, chunk.partial) == (100, (), "")
        assert made.notes == ()

    def test_a_folder_is_read_in_natural_order_with_all_below(self, written, plan, tmp_path):
        for day, name in enumerate(["x-1.dbn", "x-2.dbn.zst", "sub/x-3.dbn", "x-10.dbn"]):
            bounds = {"start": MONDAY + day * DAY, "end": MONDAY + (day + 1) * DAY}
            written(make_trades(10, start=MONDAY + day * DAY), name, **bounds)
        (tmp_path / "notes.txt").write_text("no DBN")
        (tmp_path / ".hidden.dbn").write_text("no DBN")
        names = [chunk.payload.uri.rsplit("/", 1)[1] for chunk in chunks_of(plan(tmp_path))]
        assert names == ["x-3.dbn", "x-1.dbn", "x-2.dbn.zst", "x-10.dbn"]

    def test_files_are_grouped_by_what_was_asked_for(self, written, plan, tmp_path):
        written(make_trades(10), "a.dbn")
        written(make_trades(10), "b.dbn", symbols=["NQM4"])
        written(make_bars(10), "c.dbn", schema="ohlcv-1m")
        found = [(r.schema, r.symbols, len(r.chunks)) for r in plan(tmp_path).requests]
        assert found == [
            ("trades", ("ESM4",), 1),
            ("trades", ("NQM4",), 1),
            ("ohlcv-1m", ("ESM4",), 1),
        ]

    def test_chunk_days_cut_a_file(self, written, plan):
        path = written(make_trades(1_500, days=5), **WEEK)
        chunks = chunks_of(plan(path, chunk_days=2))
        assert [chunk.contents.records for chunk in chunks] == [600, 600, 300]
        assert (chunks[0].start, chunks[-1].end) == (MONDAY, MONDAY + 7 * DAY)

    def test_start_and_end_leave_days_out_without_making_it_partial(self, written, plan):
        path = written(make_trades(1_500, days=5), **WEEK)
        [chunk] = chunks_of(plan(path, start=MONDAY + DAY, end=MONDAY + 3 * DAY))
        assert (chunk.start, chunk.end, chunk.partial) == (MONDAY + DAY, MONDAY + 3 * DAY, "")
        assert chunk.contents.records == 600

    def test_a_file_outside_start_and_end_is_left_out_and_noted(self, written, plan, tmp_path):
        written(make_trades(10), "a.dbn")
        made = plan(tmp_path, start=MONDAY + DAY)
        assert made.chunk_count == 0
        assert made.notes == ("left out, nothing between 2024-03-12 and the end: a.dbn",)

    def test_a_file_without_records_is_one_empty_chunk(self, written, plan):
        [chunk] = chunks_of(plan(written(make_trades(0))))
        assert (chunk.contents.records, chunk.start, chunk.end) == (0, MONDAY, MONDAY + DAY)

    @pytest.mark.parametrize(
        ("metadata", "reason"),
        [
            ({"limit": 100}, "limit 100 in the metadata"),
            ({"end": None}, "no end in the metadata"),
            ({"end": MONDAY + DAY - 1}, "bounds are no whole days"),
            ({"limit": 9, "end": None}, "limit 9 in the metadata; no end in the metadata"),
        ],
    )
    def test_metadata_that_proves_no_coverage_is_told(self, written, plan, metadata, reason):
        [chunk] = chunks_of(plan(written(make_trades(5), **metadata)))
        assert chunk.partial == reason

    def test_the_spec_says_what_was_asked_in_json(self, written, plan):
        path = written(make_trades(10))
        spec = plan(path, start=MONDAY, chunk_days=3).spec
        assert json.loads(json.dumps(spec)) == {
            "source": "dbn-files",
            "path": str(path),
            "datasets": ["GLBX.MDP3"],
            "schemas": ["trades"],
            "start": "2024-03-11",
            "end": None,
            "chunk_days": 3,
            "force": False,
            "accept_removals": False,
            "files": 1,
        }

    def test_symbols_that_did_not_resolve_are_noted(self, written, plan):
        made = plan(written(make_trades(1), not_found=["ESZ9", "NQZ9"]))
        assert made.notes == ("the provider found no instrument for ESZ9, NQZ9",)


class TestKey:
    def test_the_same_files_give_the_same_job(self, written, plan, tmp_path):
        written(make_trades(10))
        assert plan(tmp_path).key == plan(tmp_path).key == plan(tmp_path / "a.dbn.zst").key

    def test_other_bytes_days_or_cuts_give_another(self, written, plan, tmp_path):
        written(make_trades(10, days=2), **WEEK)
        keys = {
            plan(tmp_path).key,
            plan(tmp_path, chunk_days=1).key,
            plan(tmp_path, start=MONDAY + DAY).key,
        }
        written(make_trades(10, days=2, seed=1), **WEEK)
        assert len(keys | {plan(tmp_path).key}) == 4

    def test_force_gives_another_each_time(self, written, plan, tmp_path):
        written(make_trades(10))
        assert len({plan(tmp_path, force=True).key for _ in range(3)}) == 3


class TestRefusals:
    def test_a_path_that_is_not_there(self, plan, tmp_path):
        with pytest.raises(Usage, match="there is no "):
            plan(tmp_path / "absent")

    def test_no_path(self, plan):
        with pytest.raises(BadJob, match="no files were named"):
            plan(None)

    def test_a_folder_without_dbn_files(self, plan, tmp_path):
        (tmp_path / "a.csv").write_text("x")
        with pytest.raises(BadJob, match=r"no \.dbn or \.dbn\.zst files in"):
            plan(tmp_path)

    def test_a_file_that_may_not_be_read(self, written, plan, monkeypatch):
        path = written(make_trades(1))

        def refuse(self, *_, **__):
            raise PermissionError(13, "Permission denied", str(self))

        monkeypatch.setattr(Path, "open", refuse)
        with pytest.raises(BadJob, match="may not be read"):
            plan(path)

    def test_a_name_that_is_not_utf8(self, written, plan, tmp_path):
        path = written(make_trades(1))
        os.rename(path, os.fsencode(tmp_path) + b"/\xff.dbn.zst")  # noqa: PTH104
        with pytest.raises(BadJob, match="is not UTF-8"):
            plan(tmp_path)

    def test_symbols(self, written, plan):
        with pytest.raises(BadJob, match="--symbols cannot choose"):
            plan(written(make_trades(1)), symbols=("ESM4",))

    def test_an_end_that_is_not_after_the_start(self, written, plan):
        with pytest.raises(BadJob, match="is not after"):
            plan(written(make_trades(1)), start=MONDAY, end=MONDAY)

    def test_no_days_per_chunk(self, written, plan):
        with pytest.raises(BadJob, match="--chunk-days is 0"):
            plan(written(make_trades(1)), chunk_days=0)

    def test_another_dataset(self, written, plan, tmp_path):
        written(make_trades(1))
        with pytest.raises(BadJob, match=r"holds GLBX\.MDP3; --dataset says XNAS\.ITCH"):
            plan(tmp_path, dataset="XNAS.ITCH")

    def test_a_file_of_another_schema(self, written, plan):
        with pytest.raises(BadJob, match="holds trades; ohlcv-1m was asked for"):
            plan(written(make_trades(1)), schemas=(Schema.OHLCV_1M,))

    def test_a_folder_with_a_schema_that_is_not_stored(self, written, plan, tmp_path):
        written(make_trades(1), "a.dbn")
        written(make_trades(1), "b.dbn", schema="mbo")
        with pytest.raises(BadJob, match=r"b\.dbn holds mbo records") as refused:
            plan(tmp_path)
        assert "--schema" in refused.value.hint

    def test_the_same_folder_with_a_schema_leaves_the_other_out(self, written, plan, tmp_path):
        written(make_trades(1), "a.dbn")
        written(make_trades(1), "b.dbn", schema="mbo")
        made = plan(tmp_path, schemas=(Schema.TRADES,))
        assert made.notes == ("left out 1 files of other schemas: 1 of mbo",)
        assert made.chunk_count == 1

    def test_a_damaged_file_is_named_and_nothing_is_planned(self, written, plan, tmp_path):
        for name in ("a.dbn.zst", "b.dbn.zst", "c.dbn.zst"):
            written(make_trades(50), name)
        damaged = tmp_path / "b.dbn.zst"
        damaged.write_bytes(damaged.read_bytes()[:-9])
        with pytest.raises(CorruptPayload, match=r"b\.dbn\.zst ends inside"):
            plan(tmp_path)


class TestManifest:
    def manifest(self, folder, **changed):
        from hashlib import sha256

        entries = [
            {
                "filename": path.name,
                "size": path.stat().st_size,
                "hash": f"sha256:{sha256(path.read_bytes()).hexdigest()}",
            }
            | changed
            for path in sorted(folder.glob("*.dbn*"))
        ]
        (folder / "manifest.json").write_text(json.dumps({"job_id": "x", "files": entries}))

    def test_files_as_listed_pass(self, written, plan, tmp_path):
        written(make_trades(10))
        self.manifest(tmp_path)
        assert plan(tmp_path).notes == ()

    def test_a_plain_file_cut_on_any_record_border_is_refused(self, written, plan, tmp_path):
        path = written(make_trades(40), "a.dbn")
        self.manifest(tmp_path)
        whole = path.read_bytes()
        for records in range(40):
            path.write_bytes(whole[: len(whole) - (40 - records) * 48])
            with pytest.raises(CorruptPayload, match=r"manifest\.json says"):
                plan(tmp_path)

    def test_another_hash_is_refused(self, written, plan, tmp_path):
        written(make_trades(10))
        self.manifest(tmp_path, hash="sha256:" + "0" * 64)
        with pytest.raises(CorruptPayload, match=r"has sha256 .* says 0000"):
            plan(tmp_path)

    def test_a_listed_file_that_is_not_there_is_noted(self, written, plan, tmp_path):
        written(make_trades(10), "a.dbn")
        path = written(make_trades(10), "b.dbn")
        self.manifest(tmp_path)
        path.unlink()
        assert plan(tmp_path).notes == (f"{tmp_path}: its manifest also lists b.dbn, not here",)

    @pytest.mark.parametrize("content", ["", "[]", '{"files": 1}', '{"files": [{"filename": 1}]}'])
    def test_a_manifest_of_something_else_is_noted(self, written, plan, tmp_path, content):
        written(make_trades(10))
        (tmp_path / "manifest.json").write_text(content)
        assert "is no Databento manifest" in plan(tmp_path).notes[0]


class TestCopies:
    @pytest.fixture
    def vault(self, tmp_path):
        return vault_at(tmp_path, tmp_path / "vault")

    def test_payloads_are_copied_once_under_their_hash(self, written, plan, vault, tmp_path):
        path = written(make_trades(1_000, days=3), **WEEK)
        chunks = chunks_of(plan(path, vault, to_vault=True, chunk_days=1))
        sha256 = chunks[0].payload.sha256
        kept = f"payloads/{sha256[:2]}/{sha256}.dbn.zst"
        assert [chunk.payload.uri for chunk in chunks] == [f"vault:{kept}"] * 3
        assert (tmp_path / "vault" / kept).read_bytes() == path.read_bytes()
        assert files(tmp_path / "vault") == {kept, "vault.json"}

    def test_a_file_that_was_not_to_be_copied_leaves_the_vault_alone(
        self, written, plan, vault, tmp_path
    ):
        path = written(make_trades(10))
        [chunk] = chunks_of(plan(path, vault))
        assert chunk.payload.uri == str(path)
        assert not (tmp_path / "vault").exists()

    def test_a_file_outside_start_and_end_is_not_copied(self, written, plan, vault, tmp_path):
        plan(written(make_trades(10)), vault, to_vault=True, start=MONDAY + DAY)
        assert not (tmp_path / "vault").exists()

    def test_a_job_reads_its_copy_when_the_file_is_gone(self, written, plan, vault):
        records = make_trades(100)
        path = written(records)
        claim = only_claim(plan(path, vault, to_vault=True))
        path.unlink()
        assert (read(DbnFiles(None, vault), claim)[1] == records).all()

    def test_predecessors_are_copied_too(self, written, plan, vault, tmp_path):
        records = make_trades(4)
        records["ts_recv"] = MONDAY + 5
        first = written(records[:2], "p1.dbn")
        path = written(records[2:], "p2.dbn")
        claim = only_claim(plan(path, vault, to_vault=True))
        assert claim.predecessors[0].uri.startswith("vault:payloads/")
        first.unlink()
        source = DbnFiles(None, vault)
        assert (source.preceding(source.fetch(claim), claim) == records[:2]).all()

    def test_a_copy_that_is_gone_or_changed_is_told(self, written, plan, vault):
        claim = only_claim(plan(written(make_trades(100), "a.dbn"), vault, to_vault=True))
        path = vault.path(claim.payload)
        whole = path.read_bytes()
        path.write_bytes(whole[:-48] + whole[-96:-48])
        with pytest.raises(CorruptPayload, match="changed since the vault took it in"):
            DbnFiles(None, vault).fetch(claim)
        path.unlink()
        with pytest.raises(PayloadMissing, match="cannot see"):
            DbnFiles(None, vault).fetch(claim)

    def test_without_a_vault_copies_are_neither_made_nor_read(self, written, plan, vault):
        path = written(make_trades(10))
        with pytest.raises(BadJob, match="there is no vault"):
            plan(path, to_vault=True)
        claim = only_claim(plan(path, vault, to_vault=True))
        with pytest.raises(PayloadMissing, match="is kept in a vault"):
            SOURCE.fetch(claim)


class TestFetch:
    def claim(self, written, plan, records=None, **metadata):
        return only_claim(
            plan(written(make_trades(100) if records is None else records, **metadata))
        )

    def test_a_missing_file_names_host_and_path(self, written, plan):
        claim = self.claim(written, plan)
        Path(claim.payload.uri).unlink()
        with pytest.raises(PayloadMissing) as missing:
            SOURCE.fetch(claim)
        assert missing.value.message.startswith(
            f"{socket.gethostname()} cannot see {claim.payload.uri}"
        )
        assert "--copy-to-vault" in missing.value.hint

    def test_a_file_of_another_size_changed(self, written, plan):
        claim = self.claim(written, plan)
        written(make_trades(101))
        with pytest.raises(CorruptPayload, match="changed since it was submitted"):
            SOURCE.fetch(claim)

    def test_a_file_of_the_same_size_and_other_bytes_changed(self, written, plan):
        claim = only_claim(plan(written(make_trades(100), "a.dbn")))
        written(make_trades(100, seed=1), "a.dbn")
        with pytest.raises(CorruptPayload, match="changed since it was submitted: sha256"):
            SOURCE.fetch(claim)

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            ({"dataset": "XNAS.ITCH"}, "is trades of XNAS.ITCH"),
            ({"schema": Schema.OHLCV_1S}, "is ohlcv-1s of GLBX.MDP3"),
            ({"expected": 99}, "holds 100 records of chunk 0; 99 were planned"),
        ],
    )
    def test_a_payload_unlike_its_claim_is_refused(self, written, plan, change, told):
        claim = replace(self.claim(written, plan), **change)
        with pytest.raises(CorruptPayload, match=told):
            SOURCE.fetch(claim)

    def test_a_payload_brings_its_symbols(self, written, plan):
        from ingestor.simulator.market import INSTRUMENTS, mappings

        told = mappings(INSTRUMENTS, MONDAY, MONDAY + DAY)
        claim = self.claim(written, plan, mappings=told, symbols=list(told))
        found = {(i.symbol, i.target) for i in SOURCE.fetch(claim).symbology}
        assert found == {(i.symbol, str(i.instrument_id)) for i in INSTRUMENTS}

    def test_a_predecessor_that_changed_is_refused(self, written, plan):
        records = make_trades(4)
        records["ts_recv"] = MONDAY + 5
        written(records[:2], "p1.dbn")
        claim = only_claim(plan(written(records[2:], "p2.dbn")))
        written(make_trades(2, seed=3), "p1.dbn")
        with pytest.raises(CorruptPayload, match=r"p1\.dbn changed"):
            SOURCE.fetch(claim)

    def test_a_file_that_changes_while_it_is_read_is_refused_at_the_end(self, written, plan):
        claim = only_claim(plan(written(make_trades(100), "a.dbn")))
        payload = SOURCE.fetch(claim)
        written(make_trades(100, seed=1), "a.dbn")
        with pytest.raises(CorruptPayload, match="changed since"):
            list(SOURCE.batches(payload, claim, 10))


class TestBatches:
    @pytest.mark.parametrize("undefined", [0, 5])
    def test_the_slices_of_a_file_hold_every_record_once(self, written, plan, undefined):
        records = make_trades(5_000, days=5, undefined=undefined)
        claims = claims_of(plan(written(records, **WEEK), chunk_days=1))
        places = []
        for claim in claims:
            payload = SOURCE.fetch(claim)
            for found, positions in SOURCE.batches(payload, claim, 100):
                assert (found == records[positions.astype(np.int64)]).all()
                places += positions.tolist()
        assert len(claims) == 5
        assert sorted(places) == list(range(5_000))

    def test_reading_stops_after_the_slice_where_the_file_is_in_order(self, written, plan):
        """The hash still covers the rest."""
        claims = claims_of(plan(written(make_trades(20_000, days=5), **WEEK), chunk_days=1))
        assert len(read(SOURCE, claims[0])[1]) == claims[0].expected

    def test_records_keep_the_layout_of_the_file(self, written, plan):
        claim = only_claim(plan(written(make_bars(9), schema="ohlcv-1m", version=1)))
        payload, records = read(SOURCE, claim)
        assert records.dtype == payload.layout
        assert records.tobytes() == make_bars(9).tobytes()
