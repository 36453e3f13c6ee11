"""What every source must keep, whatever it reads. A new source adds a `SourceCase` and no test."""

from __future__ import annotations

import csv
import os
import random
import resource
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from ingestor.dbn import NEWEST
from ingestor.errors import BadRules, CorruptPayload, PayloadMissing
from ingestor.job import Claim, Contents, JobPlan
from ingestor.model import table_of
from ingestor.settings import Settings
from ingestor.simulator.dbn_writer import write_dbn
from ingestor.simulator.market import DAY, INSTRUMENTS, MONDAY, make_bars, make_trades, mappings
from ingestor.simulator.server import SimulatorOptions, running
from ingestor.sources.csv_files import CsvFiles
from ingestor.sources.databento.source import Databento
from ingestor.sources.dbn_files import DbnFiles
from ingestor.sources.source import Ask, Source, Wanted
from ingestor.vault import Vault
from ingestor.vocabulary import Priority, Schema
from tests.claims import claims_of, read
from tests.csvs import DATASET, frame_of, spellings_in, table_rows, write_csv, write_mappings
from tests.gateways import facing
from tests.markets import market_week, of_version
from tests.vaults import vault_at

pytestmark = pytest.mark.fast
UNDEFINED = 2**64 - 1
COUNTS = (1, 2, 7, 65_536)


class SourceCase(ABC):
    """One source over one payload that it can plan, fetch and have damaged.

    Attributes:
        source: The source under test.
        records: What its payload holds, in delivery order, as `decoded` spells it.
        schema: Of the records.
    """

    source: Source
    records: np.ndarray
    schema: Schema

    @abstractmethod
    def plan(self, **ask: object) -> JobPlan:
        """Plans the payload."""

    @abstractmethod
    def damage(self, change: Callable[[bytes], bytes]) -> None:
        """Changes the payload's bytes where workers read them."""

    @abstractmethod
    def remove(self) -> None:
        """Takes the payload away."""

    @property
    def index(self) -> str:
        return table_of(self.schema).index_column

    def decoded(self, records: np.ndarray) -> np.ndarray:
        """Wire records, as records whose fields are numbers: of a binary wire, the same."""
        return records


class DbnFilesCase(SourceCase):
    """Source dbn-files over one file of a week."""

    source = DbnFiles()

    def __init__(
        self, folder: Path, schema: Schema, records: np.ndarray, name: str, version: int = NEWEST
    ) -> None:
        self.schema = schema
        self.records = records
        self.path = write_dbn(
            folder / name,
            schema,
            records,
            compress=name.endswith(".zst"),
            dataset="GLBX.MDP3",
            start=MONDAY,
            end=MONDAY + 7 * DAY,
            symbols=[each.symbol for each in INSTRUMENTS],
            mappings=mappings(INSTRUMENTS, MONDAY, MONDAY + 7 * DAY),
            version=version,
        )

    def plan(self, **ask):
        return self.source.plan(Ask("conformance", Priority.NORMAL, path=self.path, **ask))

    def damage(self, change):
        self.path.write_bytes(change(self.path.read_bytes()))

    def remove(self):
        self.path.unlink()


class AdoptedCase(DbnFilesCase):
    """The same file, copied into the vault."""

    def __init__(self, folder: Path, schema: Schema, records: np.ndarray, name: str) -> None:
        super().__init__(folder, schema, records, name)
        self.vault = vault_at(folder / "home")
        self.source = DbnFiles(None, self.vault)

    def plan(self, **ask):
        made = super().plan(to_vault=True, **ask)
        self.kept = self.vault.path(made.requests[0].chunks[0].payload)
        return made

    def damage(self, change):
        self.kept.chmod(0o600)
        self.kept.write_bytes(change(self.kept.read_bytes()))

    def remove(self):
        self.path.unlink()
        self.kept.unlink()


class DatabentoCase(SourceCase):
    """Source databento before a gateway that serves the same week out of a file."""

    def __init__(self, folder: Path, schema: Schema, records: np.ndarray) -> None:
        served = folder / "served"
        served.mkdir()
        whole = DbnFilesCase(served, schema, records, "a.dbn.zst")
        self.schema, self.records = schema, records
        self._running = running(SimulatorOptions(folder=whole.path.parent, limits=False))
        settings = facing(Settings(home=folder / "home"), self._running.__enter__())
        self.source = Databento(settings, Vault.of(settings))

    def plan(self, chunk_days=None, **ask):
        wanted = (Wanted(self.schema, MONDAY, MONDAY + 7 * DAY, chunk_days),)
        symbols = tuple(each.symbol for each in INSTRUMENTS)
        asked = Ask("conformance", Priority.NORMAL, "GLBX.MDP3", wanted=wanted, symbols=symbols)
        return self.source.plan(replace(asked, **ask))

    def damage(self, change):
        raise AssertionError("what a gateway damages is fetched again")

    remove = damage

    def close(self):
        self._running.__exit__(None, None, None)


class CsvFilesCase(SourceCase):
    """Source csv-files over one file of a week, in a layout of its own."""

    def __init__(
        self, folder: Path, schema: Schema, records: np.ndarray, name: str, **style: object
    ) -> None:
        self.schema, self.records = schema, frame_of(schema, records)
        self.spellings = spellings_in(write_mappings(folder / "mappings"))
        self.source = CsvFiles(None, None, self.spellings)
        self.path = write_csv(folder / name, table_rows(schema, records), **style)

    def plan(self, **ask):
        named = {"dataset": DATASET, "schemas": (self.schema,)}
        return self.source.plan(Ask("conformance", Priority.NORMAL, path=self.path, **named, **ask))

    def damage(self, change):
        self.path.write_bytes(change(self.path.read_bytes()))

    def remove(self):
        self.path.unlink()

    def decoded(self, records):
        made = np.zeros(len(records), self.records.dtype)
        mapping = self.spellings(self.source.mapping_folder(DATASET), self.schema)
        for name, values in mapping.columns(records).items():
            made[name] = values
        return made


class AdoptedCsvCase(CsvFilesCase):
    """The same file, copied into the vault."""

    def __init__(self, folder: Path, schema: Schema, records: np.ndarray, name: str) -> None:
        super().__init__(folder, schema, records, name)
        self.vault = vault_at(folder / "home")
        self.source = CsvFiles(None, self.vault, self.spellings)

    def plan(self, **ask):
        made = super().plan(to_vault=True, **ask)
        self.kept = self.vault.path(made.requests[0].chunks[0].payload)
        return made

    def damage(self, change):
        self.kept.chmod(0o600)
        self.kept.write_bytes(change(self.kept.read_bytes()))

    def remove(self):
        self.path.unlink()
        self.kept.unlink()


def _disordered(count: int = 700) -> np.ndarray:
    records = make_trades(count, days=5)
    return records[np.argsort(np.arange(count) // 2 * 2 - np.arange(count), kind="stable")]


def _older(folder: Path, schema: Schema, version: int) -> DbnFilesCase:
    records = of_version(market_week(schema), schema, version)
    return DbnFilesCase(folder, schema, records, "a.dbn", version)


CASES: dict[str, Callable[[Path], SourceCase]] = {
    "dbn-files: trades, zstd": lambda folder: DbnFilesCase(
        folder, Schema.TRADES, make_trades(700, days=5), "a.dbn.zst"
    ),
    "dbn-files: trades, plain": lambda folder: DbnFilesCase(
        folder, Schema.TRADES, make_trades(700, days=5), "a.dbn"
    ),
    "dbn-files: undefined index times": lambda folder: DbnFilesCase(
        folder, Schema.TRADES, make_trades(700, days=5, undefined=20), "a.dbn.zst"
    ),
    "dbn-files: out of order": lambda folder: DbnFilesCase(
        folder, Schema.TRADES, _disordered(), "a.dbn.zst"
    ),
    "dbn-files: bars": lambda folder: DbnFilesCase(
        folder, Schema.OHLCV_1H, make_bars(200, Schema.OHLCV_1H), "a.dbn.zst"
    ),
    "dbn-files: tbbo": lambda folder: DbnFilesCase(
        folder, Schema.TBBO, market_week(Schema.TBBO), "a.dbn.zst"
    ),
    "dbn-files: definitions": lambda folder: DbnFilesCase(
        folder, Schema.DEFINITION, market_week(Schema.DEFINITION), "a.dbn.zst"
    ),
    "dbn-files: statistics of DBN 1": lambda folder: _older(folder, Schema.STATISTICS, 1),
    "dbn-files: definitions of DBN 1": lambda folder: _older(folder, Schema.DEFINITION, 1),
    "dbn-files: in the vault": lambda folder: AdoptedCase(
        folder, Schema.TRADES, make_trades(700, days=5), "a.dbn.zst"
    ),
    "dbn-files: nothing": lambda folder: DbnFilesCase(
        folder, Schema.TRADES, make_trades(0), "a.dbn.zst"
    ),
    "csv-files: trades": lambda folder: CsvFilesCase(
        folder, Schema.TRADES, make_trades(200, days=5), "a.csv"
    ),
    "csv-files: trades, all in quotes, tabs, gzip": lambda folder: CsvFilesCase(
        folder, Schema.TRADES, make_trades(200, days=5), "a.csv.gz",
        delimiter="\t", quoting=csv.QUOTE_ALL, lineterminator="\r\n",
    ),
    "csv-files: trades, Parquet": lambda folder: CsvFilesCase(
        folder, Schema.TRADES, make_trades(200, days=5), "a.parquet"
    ),
    "csv-files: unread index times": lambda folder: CsvFilesCase(
        folder, Schema.TRADES, make_trades(200, days=5, undefined=20), "a.csv", delimiter="|"
    ),
    "csv-files: out of order": lambda folder: CsvFilesCase(
        folder, Schema.TRADES, _disordered(200), "a.csv.zst"
    ),
    "csv-files: bars": lambda folder: CsvFilesCase(
        folder, Schema.OHLCV_1H, make_bars(200, Schema.OHLCV_1H), "a.csv", delimiter=";"
    ),
    "csv-files: in the vault": lambda folder: AdoptedCsvCase(
        folder, Schema.TRADES, make_trades(200, days=5), "a.csv.zst"
    ),
}  # fmt: skip


@pytest.fixture(params=CASES)
def case(request, tmp_path) -> SourceCase:
    return CASES[request.param](tmp_path)


FETCHED: dict[str, Callable[[Path], DatabentoCase]] = {
    "databento: trades": lambda folder: DatabentoCase(
        folder, Schema.TRADES, make_trades(700, days=5)
    ),
    "databento: bars": lambda folder: DatabentoCase(
        folder, Schema.OHLCV_1H, make_bars(200, Schema.OHLCV_1H)
    ),
    "databento: tbbo": lambda folder: DatabentoCase(folder, Schema.TBBO, market_week(Schema.TBBO)),
    "databento: statistics": lambda folder: DatabentoCase(
        folder, Schema.STATISTICS, market_week(Schema.STATISTICS)
    ),
    "databento: definitions": lambda folder: DatabentoCase(
        folder, Schema.DEFINITION, market_week(Schema.DEFINITION)
    ),
}


@pytest.fixture(params=[*CASES, *FETCHED])
def any_case(request, tmp_path) -> Iterator[SourceCase]:
    """Sources that read what is there, and those that fetch it."""
    if request.param in CASES:
        yield CASES[request.param](tmp_path)
        return
    made = FETCHED[request.param](tmp_path)
    yield made
    made.close()


def inside(case: SourceCase, claim: Claim) -> np.ndarray:
    """The records that a claim must bring, by the protocol's own words."""
    index = case.records[case.index]
    mine = (index >= claim.start) & (index < claim.end)
    return case.records[mine | ((index == UNDEFINED) & claim.last_slice)]


class TestPlans:
    def test_a_plan_is_the_same_each_time(self, any_case):
        first, second = any_case.plan(chunk_days=2), any_case.plan(chunk_days=2)
        assert first == second

    @pytest.mark.parametrize("chunk_days", [None, 1, 2, 100])
    def test_chunks_cover_the_range_without_gap_or_overlap(self, case, chunk_days):
        for request in case.plan(chunk_days=chunk_days).requests:
            chunks = request.chunks
            assert (chunks[0].start, chunks[-1].end) == (request.start, request.end)
            assert all(a.end == b.start for a, b in pairwise(chunks))
            assert all(time % DAY == 0 for chunk in chunks for time in (chunk.start, chunk.end))

    @pytest.mark.parametrize("chunk_days", [None, 1, 2, 100])
    def test_the_plan_counts_what_each_chunk_will_bring(self, case, chunk_days):
        claims = claims_of(case.plan(chunk_days=chunk_days))
        assert [claim.expected for claim in claims] == [len(inside(case, c)) for c in claims]
        assert sum(claim.expected for claim in claims) == len(case.records)

    @pytest.mark.parametrize("chunk_days", [1, 2, 100])
    def test_all_chunks_together_bring_every_record_once(self, any_case, chunk_days):
        claims = claims_of(any_case.plan(chunk_days=chunk_days))
        found = [any_case.decoded(read(any_case.source, claim)[1]) for claim in claims]
        brought = np.concatenate(found) if found else any_case.records[:0]
        assert sorted(brought.tolist()) == sorted(any_case.records.tolist())

    def test_no_chunk_touches_more_hypertable_chunks_than_allowed(self, case):
        table = table_of(case.schema)
        for request in case.plan(max_hypertable_chunks=2).requests:
            for chunk in request.chunks:
                days = chunk.contents.days_of(table.time_column)
                assert len({day // table.interval_days for day in days}) <= 2

    def test_force_makes_another_job(self, any_case):
        assert any_case.plan(force=True).key != any_case.plan().key


class TestFetch:
    def test_the_check_pass_finds_what_the_claim_brings(self, any_case):
        for claim in claims_of(any_case.plan(chunk_days=2)):
            found = any_case.source.fetch(claim).contents
            assert_contents(found, inside(any_case, claim), any_case)

    def test_a_payload_out_of_sight_is_missing(self, case):
        [claim, *_] = claims_of(case.plan())
        case.remove()
        with pytest.raises(PayloadMissing):
            case.source.fetch(claim)

    def test_a_cut_payload_is_refused(self, case):
        [claim, *_] = claims_of(case.plan())
        whole: list[bytes] = []
        case.damage(lambda content: whole.append(content) or content)
        chance = random.Random(1)
        for cut in {
            0,
            1,
            7,
            len(whole[0]) - 1,
            *(chance.randrange(len(whole[0])) for _ in range(60)),
        }:
            case.damage(lambda _, cut=cut: whole[0][:cut])
            with pytest.raises(CorruptPayload):
                case.source.fetch(claim)

    def test_a_payload_with_a_flipped_bit_is_refused(self, case):
        [claim, *_] = claims_of(case.plan())
        whole: list[bytes] = []
        case.damage(lambda content: whole.append(content) or content)
        chance = random.Random(2)
        for _ in range(60):
            damaged = bytearray(whole[0])
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
            case.damage(lambda _, content=bytes(damaged): content)
            with pytest.raises(CorruptPayload):
                case.source.fetch(claim)

    def test_a_payload_that_grew_is_refused(self, case):
        [claim, *_] = claims_of(case.plan())
        case.damage(lambda content: content + content[-48:])
        with pytest.raises(CorruptPayload):
            case.source.fetch(claim)

    def test_a_count_other_than_planned_is_refused(self, case):
        [claim, *_] = claims_of(case.plan())
        with pytest.raises(CorruptPayload):
            case.source.fetch(replace(claim, expected=claim.expected + 1))

    @pytest.mark.parametrize("change", [{"dataset": "XNAS.ITCH"}, {"schema": Schema.OHLCV_1S}])
    def test_a_payload_of_another_dataset_or_schema_is_refused(self, case, change):
        [claim, *_] = claims_of(case.plan())
        with pytest.raises((CorruptPayload, BadRules)):  # BadRules: nothing says how to read it
            case.source.fetch(replace(claim, **change))


def fits(layout: np.dtype[np.void], widest: np.dtype[np.void]) -> bool:
    """Whether it is `widest`, but for text that may be narrower."""
    return layout.names == widest.names and all(
        layout[name] == widest[name]
        or (layout[name].kind == widest[name].kind == "S"
            and layout[name].itemsize < widest[name].itemsize)
        for name in widest.names or ()
    )  # fmt: skip


class TestBatches:
    @pytest.mark.parametrize("count", COUNTS)
    def test_every_record_comes_once_at_its_place(self, case, count):
        places: list[int] = []
        for claim in claims_of(case.plan(chunk_days=2)):
            payload = case.source.fetch(claim)
            for records, positions in case.source.batches(payload, claim, count):
                assert positions.dtype == np.uint64
                assert fits(records.dtype, payload.layout)
                assert (case.decoded(records) == case.records[positions.astype(np.int64)]).all()
                places += positions.tolist()
        assert sorted(places) == list(range(len(case.records)))

    @pytest.mark.parametrize("count", COUNTS)
    def test_records_come_in_delivery_order(self, any_case, count):
        for claim in claims_of(any_case.plan(chunk_days=2)):
            payload = any_case.source.fetch(claim)
            batches = any_case.source.batches(payload, claim, count)
            places = [int(place) for _, positions in batches for place in positions]
            assert places == sorted(places)

    @pytest.mark.parametrize("count", COUNTS)
    def test_no_index_microsecond_is_split(self, any_case, count):
        for claim in claims_of(any_case.plan()):
            payload = any_case.source.fetch(claim)
            if not payload.contents.ordered:
                continue
            seen: set[int] = set()
            for records, _ in any_case.source.batches(payload, claim, count):
                index = any_case.decoded(records)[any_case.index]
                own = set((index[index != UNDEFINED] // 1_000).tolist())
                assert own.isdisjoint(seen)
                seen |= own

    def test_what_is_read_does_not_depend_on_the_count(self, any_case):
        for claim in claims_of(any_case.plan()):
            read_whole = [read(any_case.source, claim, n)[1].tobytes() for n in COUNTS]
            assert all(found == read_whole[0] for found in read_whole)

    def test_the_bytes_of_a_record_are_enough_to_make_it_again(self, any_case):
        for claim in claims_of(any_case.plan()):
            payload, records = read(any_case.source, claim)
            raw = any_case.source.raw(records)
            assert len(raw) == len(records)
            assert payload.layout == records.dtype
            again = any_case.decoded(records).copy()
            for places, found in any_case.source.decode(raw[::-1], any_case.schema):
                again[len(raw) - 1 - places] = any_case.decoded(found)
                assert any_case.source.raw(found) == [raw[len(raw) - 1 - at] for at in places]
            assert (again == any_case.decoded(records)).all()

    def test_a_payload_alone_has_nothing_before_it(self, any_case):
        for claim in claims_of(any_case.plan()):
            assert any_case.source.preceding(any_case.source.fetch(claim), claim) is None


def assert_contents(found: Contents, records: np.ndarray, case: SourceCase) -> None:
    """Holds the check pass against the plain definition of each number."""
    index = records[case.index]
    defined = records[index != UNDEFINED]
    assert found.records == len(records)
    assert set(found.instruments) == set(records["instrument_id"].tolist())
    assert set(found.publishers) == set(records["publisher_id"].tolist())
    assert set(found.event_days) == set((defined["ts_event"] // DAY).tolist())
    assert sum(found.index_days.values()) == len(defined)
    if len(defined):
        times, events = defined[case.index], defined["ts_event"]
        assert (found.index_min, found.index_max) == (times.min(), times.max())
        assert (found.event_min, found.event_max) == (events.min(), events.max())
    else:
        assert found.index_min is found.index_max is found.event_min is None


def test_memory_does_not_grow_with_the_payload(tmp_path):
    """A payload of 144 MB is fetched and read in the memory of a few arrays."""
    records = np.repeat(make_trades(60_000), 50)
    case = DbnFilesCase(tmp_path, Schema.TRADES, records, "a.dbn.zst")
    size = records.nbytes
    del records
    case.records = np.empty(0)
    [claim] = claims_of(case.plan())
    before = resident()
    payload = case.source.fetch(claim)
    for _ in case.source.batches(payload, claim, 65_536):
        assert resident() - before < size // 4
    assert resident() - before < size // 4


def resident() -> int:
    """Bytes that this process holds now."""
    if sys.platform == "linux":
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
