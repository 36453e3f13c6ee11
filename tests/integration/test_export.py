"""DBN file → tables → `hdi export`: the same records, each as often, in order."""

from __future__ import annotations

import datetime as dt
import os
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import databento
import numpy as np
import pytest
from asyncpg.utils import _mogrify
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

import ingestor.export
from ingestor.dbn import index_field, layout
from ingestor.errors import LocalFault, Usage
from ingestor.export import Exported, export
from ingestor.model import STORED, table_of
from ingestor.query import Question, copied, select
from ingestor.query.columns import RowLayout
from ingestor.query.snapshot import snapshot
from ingestor.query.windows import windows
from ingestor.simulator.market import DAY, MONDAY
from ingestor.sources.dbn_stream import read_header
from ingestor.vocabulary import ALL_SYMBOLS, Dataset, Role, Schema, SType
from tests.conftest import Place
from tests.loads import Bench, bench, blank, cut, write
from tests.records import (
    DAYS,
    MAPPINGS,
    OPRA,
    arbitrary,
    as_version,
    client_upgrade,
    in_order,
    inverse_of,
    read,
)

MON, TUE, WED, THU = (dt.date(2024, 3, day) for day in (11, 12, 13, 14))
TUESDAY = MONDAY + DAY
UNDEFINED = 2**64 - 1

# Shrinking a failure costs minutes of loads; the seed tells enough.
few = settings(
    max_examples=5,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    derandomize=bool(os.environ.get("CI")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
async def any_bench(any_place: Place, tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(any_place, tmp_path) as made:
        yield made


@pytest.fixture
async def loads(place: Place, tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(place, tmp_path) as made:
        yield made


@dataclass(frozen=True)
class Asked:
    """A question of all symbols of OPRA.PILLAR on the first three days, unless told otherwise."""

    schema: Schema = Schema.TRADES
    symbols: tuple[str, ...] | None = None
    start: dt.date = MON
    end: dt.date = THU
    dataset: str = OPRA
    stype_in: SType = SType.RAW_SYMBOL

    async def to(self, loads: Bench, path: Path, **how: Any) -> Exported:
        asked = Question(
            schema=self.schema, symbols=self.symbols, start=self.start, end=self.end,
            dataset=Dataset(self.dataset), stype_in=self.stype_in, by="index",
        )  # fmt: skip
        wanted, _ = await select(loads.database, asked)
        return await export(loads.database, asked, wanted, path, mappings=MAPPINGS, **how)

    async def records(self, loads: Bench, path: Path, **how: Any) -> np.ndarray:
        """What the file holds then."""
        done = await self.to(loads, path, overwrite=True, **how)
        found = read(path, self.schema)
        assert (done.records, done.size) == (len(found), os.stat(path).st_size)  # noqa: PTH116
        return found


def raw(records: np.ndarray) -> list[bytes]:
    return [record.tobytes() for record in records]


def without(records: np.ndarray, some: Counter[bytes]) -> np.ndarray:
    """The records but for as many of `some`, the later ones of equals."""
    left, keep = Counter(some), np.ones(len(records), bool)
    for at in range(len(records) - 1, -1, -1):
        each = records[at].tobytes()
        if left[each]:
            left[each] -= 1
            keep[at] = False
    return records[keep]


def places(records: np.ndarray, cuts: Sequence[float], schema: Schema) -> list[int]:
    """Where to cut. Not between bars of one time: a part of bars that another file has too looks
    like a copy of them.
    """
    times = records[index_field(schema)]
    apart = np.flatnonzero(np.append(True, times[1:] != times[:-1])) if len(times) else np.zeros(1)
    anywhere = np.arange(len(times) + 1) if table_of(schema).numbered else apart
    return sorted(int(anywhere[int(each * (len(anywhere) - 1))]) for each in cuts)


def twins(parts: Sequence[np.ndarray], schema: Schema) -> bool:
    """Whether parts with a record without an index timestamp are alike: they look like copies."""
    name = index_field(schema)
    timeless = [part.tobytes() for part in parts if (part[name] == UNDEFINED).any()]
    return len(set(timeless)) < len(timeless)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("schema", STORED)
@few
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(0, 40),
    again=st.lists(st.floats(0, 1, exclude_max=True), max_size=30),
    cuts=st.lists(st.floats(0, 1), max_size=3),
    batch=st.sampled_from([1, 3, 65_536]),
)
async def test_whatever_was_loaded_comes_out_again(
    any_bench: Bench, tmp_path_factory: pytest.TempPathFactory, schema: Schema, seed: int,
    count: int, again: Sequence[float], cuts: Sequence[float], batch: int,
) -> None:  # fmt: skip
    """Arbitrary records of several publishers in any order, some of them repeated, as one file or
    cut into parts: the export holds the same multiset, stored and quarantined as the receipts say,
    in the order of index timestamp, instrument, key and delivery.
    """
    home = tmp_path_factory.mktemp("trip")
    given_ = arbitrary(schema, count, np.random.default_rng(seed))
    given_ = np.concatenate([given_, given_[[int(each * count) for each in again if count]]])
    await any_bench.clear()
    if cuts:  # a delivery that is cut into parts is in order
        given_ = given_[np.argsort(given_[index_field(schema)], kind="stable")]
    at = places(given_, cuts, schema)
    assume(not twins(np.split(given_, at), schema))
    path = cut(home / "parts", given_, at, schema, days=DAYS, dataset=OPRA)
    receipts = await any_bench.with_batches(batch).load(path)

    asked = Asked(schema)
    everything = await asked.records(any_bench, home / "a.dbn.zst")
    stored = await asked.records(any_bench, home / "b.dbn", with_quarantined=False)
    held = Counter(raw(everything)) - Counter(raw(stored))

    assert Counter(raw(everything)) == Counter(raw(given_))
    assert sum(each.stored for each in receipts) == len(stored)
    assert sum(each.quarantined for each in receipts) == held.total()
    assert raw(stored) == raw(in_order(schema, without(given_, held)))
    assert raw(everything) == raw(in_order(schema, given_))


_FOLDER = Path(os.environ.get("HDI_DBN_CORPUS") or ".")
_FILES = [
    (path, schema)
    for schema in STORED
    for path in sorted(_FOLDER.glob(f"*/test_data.{schema}.dbn.zst"))
]
CORPUS = [
    pytest.param(path, schema, id=f"{path.parent.name}-{schema}") for path, schema in _FILES
] or [pytest.param(_FOLDER, Schema.TRADES, id="none")]
OLDER = [
    pytest.param(path, schema, version, id=f"{path.parent.name}-{schema}-v{version}")
    for path, schema in _FILES
    for version in (1, 2)
    if layout(schema, version) != layout(schema)
] or [pytest.param(_FOLDER, Schema.DEFINITION, 1, id="none")]


def asked_for(records: np.ndarray, schema: Schema, dataset: str) -> Asked:
    """All of a dataset on the days that the records are of."""
    times = records[index_field(schema)]
    first, last = (dt.date(1970, 1, 1) + dt.timedelta(days=int(each) // DAY)
                   for each in (times.min(), times[times != UNDEFINED].max()))  # fmt: skip
    return Asked(schema, start=first, end=last + dt.timedelta(days=1), dataset=dataset)


@pytest.mark.corpus
@pytest.mark.parametrize(("path", "schema"), CORPUS)
async def test_a_real_file_comes_back_byte_for_byte(
    corpus: Path, loads: Bench, tmp_path: Path, path: Path, schema: Schema
) -> None:
    """Every record, in order; older versions as the newest."""
    [receipt] = await loads.load(path)
    given_ = inverse_of(schema).upgraded(read(path, schema))
    found = await asked_for(given_, schema, path.parent.name).records(loads, tmp_path / "x.dbn")
    assert receipt.fetched == len(given_) > 0
    assert found.tobytes() == in_order(schema, given_).tobytes()


@pytest.mark.corpus
async def test_real_files_come_back_from_plain_postgresql(
    corpus: Path, plain_place: Place, tmp_path: Path
) -> None:
    """All of them, one after the other."""
    async with bench(plain_place, tmp_path) as loads:
        for path, schema in _FILES:
            await loads.load(path)
            given_ = inverse_of(schema).upgraded(read(path, schema))
            asked = asked_for(given_, schema, path.parent.name)
            found = await asked.records(loads, tmp_path / "x.dbn.zst")
            assert found.tobytes() == in_order(schema, given_).tobytes(), path


@pytest.mark.corpus
@pytest.mark.parametrize(("path", "schema", "version"), OLDER)
async def test_an_older_file_comes_back_as_the_clients_own_upgrade(
    corpus: Path, loads: Bench, tmp_path: Path, path: Path, schema: Schema, version: int
) -> None:
    """Files of DBN 1 and 2 made of real ones; what version 3 has no field for is told."""
    given_ = as_version(inverse_of(schema).upgraded(read(path, schema)), schema, version)
    header = read_header(path)
    older = write(
        tmp_path / "older.dbn", given_, schema, dataset=path.parent.name, version=version,
        start=header.start, end=header.end,
    )  # fmt: skip
    await loads.load(older)
    upgraded = np.frombuffer(client_upgrade(older.read_bytes()), layout(schema))
    done = await asked_for(upgraded, schema, path.parent.name).to(loads, tmp_path / "x.dbn")
    assert read(done.path, schema).tobytes() == in_order(schema, upgraded).tobytes()
    lossy = bool(inverse_of(schema).lost)
    assert done.shortened == (len(given_) if lossy else 0)


def trades(*rows: dict[str, Any], **each: Any) -> np.ndarray:
    """Trades of publisher 20 with these fields; ts_event is ts_recv unless given."""
    made = blank(len(rows))
    for at, row in enumerate(rows):
        fields = {"price": 10**9, "size": 1, "sequence": at, "publisher_id": 20, **each, **row}
        fields.setdefault("ts_event", min(fields["ts_recv"], MONDAY + DAYS * DAY))
        for name, value in fields.items():
            made[name][at] = value
    return made


def lame(*rows: dict[str, Any], **each: Any) -> np.ndarray:
    """Trades that no table can hold: their price has no positive twin."""
    return trades(*rows, **{"price": -(2**63), **each})


def told(stype_in: str = "raw_symbol", symbols: Sequence[str] = (),
         **held: Sequence[tuple[dt.date, dt.date, int]]) -> dict[str, Any]:  # fmt: skip
    """Metadata that say which symbol was which instrument, and when."""
    return {
        "dataset": OPRA,
        "stype_in": stype_in,
        "symbols": list(symbols or held),
        "mappings": {
            name: [(first, past, str(number)) for first, past, number in spans]
            for name, spans in held.items()
        },
    }


async def put(loads: Bench, path: Path, records: np.ndarray, **about: Any) -> None:
    await loads.load(write(path, records, **{"days": DAYS, **told(), **about}))


async def sequences(asked: Asked, loads: Bench, path: Path, **how: Any) -> list[int]:
    return (await asked.records(loads, path / "x.dbn", **how))["sequence"].tolist()


async def test_the_range_is_that_of_the_index_timestamp(loads: Bench, tmp_path: Path) -> None:
    """To the nanosecond, end exclusive, for rows and quarantined records alike."""
    times = [MONDAY - 1, MONDAY, TUESDAY - 1, TUESDAY]
    rows = [{"ts_recv": at, "ts_event": MONDAY, "instrument_id": 1} for at in times]
    both = np.concatenate([trades(*rows), lame(*rows)])
    await put(loads, tmp_path / "a.dbn", both, start=MONDAY - DAY, days=2)
    assert await sequences(Asked(end=TUE), loads, tmp_path) == [1, 1, 2, 2]


async def test_quarantined_records_stand_at_their_place(loads: Bench, tmp_path: Path) -> None:
    """By the whole key, also among rows of one time and instrument; undefined times are last."""
    one = trades(
        {"ts_recv": MONDAY + 5, "instrument_id": 1, "sequence": 0, "price": -(2**63)},
        {"ts_recv": MONDAY + 5, "instrument_id": 1, "sequence": 1},
        {"ts_recv": MONDAY + 5, "instrument_id": 1, "sequence": 2, "action": b"\xff"},
        {"ts_recv": MONDAY + 5, "instrument_id": 1, "sequence": 3},
        {"ts_recv": MONDAY + 5, "instrument_id": 2, "sequence": 4},
        {"ts_recv": MONDAY + 6, "instrument_id": 1, "sequence": 5, "price": -(2**63)},
        {"ts_recv": TUESDAY, "instrument_id": 9, "sequence": 6},
        {"ts_recv": UNDEFINED, "instrument_id": 0, "sequence": 7},
    )
    await put(loads, tmp_path / "a.dbn", one[::-1])
    assert await sequences(Asked(), loads, tmp_path) == [0, 1, 2, 3, 4, 5, 6, 7]
    assert await sequences(Asked(), loads, tmp_path, with_quarantined=False) == [1, 3, 4, 6]


async def test_a_quarantined_leg_stands_before_the_legs_behind_it(
    loads: Bench, tmp_path: Path
) -> None:
    """Definitions of one instrument and time are in order of their leg."""
    legs = blank(4, Schema.DEFINITION)
    legs["publisher_id"], legs["ts_recv"], legs["leg_count"] = 20, MONDAY + 5, 4
    legs["leg_index"] = range(4)
    legs["leg_raw_symbol"] = [b"\xff\xfe", b"L1", b"\xff", b"L3"]
    await loads.load(write(tmp_path / "a.dbn", legs, Schema.DEFINITION, days=DAYS, **told()))
    found = await Asked(Schema.DEFINITION).records(loads, tmp_path / "x.dbn")
    assert raw(found) == raw(legs)


async def test_records_of_one_key_come_in_the_order_of_their_delivery(
    loads: Bench, tmp_path: Path
) -> None:
    """Stored or quarantined, though their parts were loaded last to first."""
    each = {"ts_recv": MONDAY + 5, "instrument_id": 1, "sequence": 7}
    rows = trades(*({**each, "size": n} for n in range(9)))
    rows["price"][::2] = -(2**63)
    parts = cut(tmp_path / "parts", rows, [2, 5], days=DAYS, **told())
    for number in reversed(await loads.chunks(parts)):
        await loads.run(await loads.claim(number))
    assert raw(await Asked().records(loads, tmp_path / "x.dbn")) == raw(rows)


async def test_many_quarantined_records_of_one_time_are_in_order(
    any_bench: Bench, tmp_path: Path
) -> None:
    """More than are read at once, and more rows of that time than are decoded at once."""
    many = trades({"ts_recv": MONDAY, "instrument_id": 1}).repeat(30_000)
    many["sequence"] = np.arange(len(many))
    many["price"][::7] = -(2**63)
    await put(any_bench, tmp_path / "a.dbn", many[::-1])
    assert await sequences(Asked(), any_bench, tmp_path) == list(range(len(many)))


async def test_an_undefined_time_counts_as_the_last_moment_of_its_chunk(
    loads: Bench, tmp_path: Path
) -> None:
    """So it is in one day's export, and no other's."""
    await put(loads, tmp_path / "a.dbn", lame({"ts_recv": UNDEFINED, "instrument_id": 1}), days=2)
    days = [(MON, TUE), (TUE, WED), (WED, THU)]
    found = [await sequences(Asked(start=a, end=b), loads, tmp_path) for a, b in days]
    assert found == [[], [0], []]


async def test_a_payload_loaded_twice_counts_once(loads: Bench, tmp_path: Path) -> None:
    """Each of its records, though two of them are alike."""
    each = {"ts_recv": MONDAY + 5, "instrument_id": 1, "sequence": 7}
    path = write(tmp_path / "a.dbn", lame(each, each), days=DAYS, **told())
    for _ in range(2):
        await loads.load(path, force=True)
    assert await loads.database.fetchval("SELECT count(*) FROM ingest.quarantine") >= 2
    assert await sequences(Asked(), loads, tmp_path) == [7, 7]


async def test_two_copies_of_a_file_count_once(loads: Bench, tmp_path: Path) -> None:
    """In one folder, and so of one job: the payload is the same."""
    each = {"ts_recv": MONDAY + 5, "instrument_id": 1, "sequence": 7}
    later = {"ts_recv": TUESDAY, "instrument_id": 1, "sequence": 8}
    given_ = np.concatenate([trades(each, later), lame(each, each)])
    for name in ("a", "b"):
        write(tmp_path / "both" / f"{name}.dbn", given_, days=DAYS, **told())
    await loads.load(tmp_path / "both")
    assert await sequences(Asked(), loads, tmp_path) == [7, 7, 7, 8]


async def test_a_second_delivery_of_a_record_is_no_second_record(
    loads: Bench, tmp_path: Path
) -> None:
    """Of equal records of several jobs there are as many as in the job that has most."""
    each = {"ts_recv": MONDAY + 5, "instrument_id": 1, "sequence": 7}
    other = {**each, "sequence": 8}
    await put(loads, tmp_path / "a" / "a.dbn", lame(each))
    await put(loads, tmp_path / "b" / "b.dbn", lame(other, each, each, each))
    await put(loads, tmp_path / "c" / "c.dbn", lame(each, each))
    assert sorted(await sequences(Asked(), loads, tmp_path)) == [7, 7, 7, 8]


async def test_records_of_one_job_add_up(loads: Bench, tmp_path: Path) -> None:
    """Two files of one folder that hold equal records hold two."""
    each = {"ts_recv": MONDAY + 5, "instrument_id": 1, "sequence": 7}
    parts = cut(tmp_path / "parts", lame(each, each, {**each, "sequence": 8}), [1], days=DAYS,
                **told())  # fmt: skip
    await loads.load(parts)
    assert sorted(await sequences(Asked(), loads, tmp_path)) == [7, 7, 8]


def mixed(count: int) -> np.ndarray:
    """Trades of which every other one is quarantined, a few of them alike."""
    rows = [{"ts_recv": MONDAY + 5000 * (n // 4), "instrument_id": 1, "sequence": n // 4}
            for n in range(count)]  # fmt: skip
    made = trades(*rows)
    made["price"][1::2] = -(2**63)
    return made


async def test_a_file_and_its_compressed_copy_count_once(loads: Bench, tmp_path: Path) -> None:
    """In one folder, and so of one job, though their bytes differ."""
    for name in ("a.dbn", "a.dbn.zst"):
        write(tmp_path / "both" / name, mixed(16), days=DAYS, **told())
    await loads.load(tmp_path / "both")
    assert raw(await Asked().records(loads, tmp_path / "x.dbn")) == raw(mixed(16))


@pytest.mark.parametrize("part", [slice(5), slice(4, 12), slice(8, None)])
async def test_a_part_beside_its_whole_counts_once(
    loads: Bench, tmp_path: Path, part: slice
) -> None:
    """Of one job, and again of another."""
    write(tmp_path / "both" / "whole.dbn", mixed(16), days=DAYS, **told())
    write(tmp_path / "both" / "part.dbn", mixed(16)[part], days=DAYS, **told())
    for _ in range(2):
        await loads.load(tmp_path / "both", force=True)
    assert raw(await Asked().records(loads, tmp_path / "x.dbn")) == raw(mixed(16))


async def test_parts_with_the_same_bytes_count_each(loads: Bench, tmp_path: Path) -> None:
    """Pieces of one delivery that happen to hold equal records; loaded twice they are as many."""
    each = {"ts_recv": MONDAY + 5, "instrument_id": 1, "sequence": 7}
    parts = cut(tmp_path / "parts", lame(each, each, each, each), [2], days=DAYS, **told())
    await loads.load(parts)
    await loads.load(parts)
    assert await sequences(Asked(), loads, tmp_path) == [7, 7, 7, 7]


async def test_records_of_before_are_not_counted_again(loads: Bench, tmp_path: Path) -> None:
    """Their ordinal was not kept: a later delivery of them brings it, and only what exceeds it."""
    each = {"ts_recv": MONDAY + 5, "instrument_id": 1, "sequence": 7}
    await put(loads, tmp_path / "a" / "a.dbn", lame(each, each, each))
    async with loads.place.open(Role.OWNER) as owner, owner.connection() as connection:
        await connection.execute("UPDATE ingest.quarantine SET ordinal = NULL")
    assert await sequences(Asked(), loads, tmp_path) == [7, 7, 7]
    await put(loads, tmp_path / "b" / "b.dbn", lame(each, each))
    assert await sequences(Asked(), loads, tmp_path) == [7, 7, 7]


async def test_a_record_of_two_versions_counts_once(loads: Bench, tmp_path: Path) -> None:
    """Delivered as DBN 1 and as DBN 3, it is one record of the newest."""
    schema = Schema.DEFINITION
    wild = arbitrary(schema, 10, np.random.default_rng(7))
    wild["raw_symbol"], wild["ts_recv"] = b"\xff", MONDAY + 5
    older = as_version(wild, schema, 1)
    for version, some in ((1, older), (3, inverse_of(schema).upgraded(older))):
        path = tmp_path / f"{version}.dbn"
        await put(loads, path, some, schema=schema, version=version)
    found = await Asked(schema).records(loads, tmp_path / "x.dbn")
    assert raw(found) == raw(in_order(schema, inverse_of(schema).upgraded(older)))


async def test_what_a_forced_load_replaced_is_left_out(loads: Bench, tmp_path: Path) -> None:
    """It no longer counts as delivered."""
    each = {"ts_recv": MONDAY + 5, "instrument_id": 1}
    await put(loads, tmp_path / "a.dbn", lame(each, each))
    async with loads.database.connection() as connection:
        await connection.execute(
            "UPDATE ingest.quarantine SET superseded_by = chunk_id WHERE position = 0"
        )
    assert await sequences(Asked(), loads, tmp_path) == [1]


async def test_older_quarantined_records_come_back_as_the_newest(
    loads: Bench, tmp_path: Path
) -> None:
    """Broken text and all, as the client upgrades them; what they lose is told."""
    schema = Schema.DEFINITION
    wild = arbitrary(schema, 30, np.random.default_rng(7))
    wild["raw_symbol"] = b"\xff\xfe A\0b"
    older = as_version(wild, schema, 1)
    path = write(tmp_path / "a.dbn", older, schema, days=DAYS, dataset=OPRA, version=1)
    [receipt] = await loads.load(path)
    done = await Asked(schema).to(loads, tmp_path / "x.dbn")
    upgraded = np.frombuffer(client_upgrade(path.read_bytes()), layout(schema))
    assert receipt.quarantined == done.quarantined == done.shortened == 30
    assert Counter(raw(read(done.path, schema))) == Counter(raw(upgraded))


async def test_a_symbol_is_exported_on_the_days_that_it_was_the_instrument(
    loads: Bench, tmp_path: Path
) -> None:
    """Ids are used again; the quarantine is cut as rows are."""
    rows = [
        {"ts_recv": MONDAY + 5, "instrument_id": 1, "sequence": 0},
        {"ts_recv": TUESDAY + 5, "instrument_id": 1, "sequence": 1},
        {"ts_recv": TUESDAY + 6, "instrument_id": 2, "sequence": 2},
    ]
    about = told(A=[(MON, TUE, 1), (TUE, WED, 2)], B=[(TUE, WED, 1)])
    await put(loads, tmp_path / "a.dbn", np.concatenate([trades(*rows), lame(*rows)]), **about)
    found = [await sequences(Asked(symbols=(each,)), loads, tmp_path) for each in "AB"]
    assert found == [[0, 0, 2, 2], [1, 1]]


async def test_two_symbols_of_one_instrument_bring_its_records_once(
    loads: Bench, tmp_path: Path
) -> None:
    """A file is no join."""
    row = {"ts_recv": MONDAY + 5, "instrument_id": 1}
    about = told(A=[(MON, WED, 1)], B=[(MON, TUE, 1)])
    await put(loads, tmp_path / "a.dbn", np.concatenate([trades(row), lame(row)]), **about)
    assert await sequences(Asked(symbols=("A", "B")), loads, tmp_path) == [0, 0]


async def test_another_datasets_records_are_left_out(loads: Bench, tmp_path: Path) -> None:
    """Though their instrument has the same number."""
    row = {"ts_recv": MONDAY + 5, "instrument_id": 1}
    mine, others = (np.concatenate([trades(row, **each), lame(row, **each)])
                    for each in ({}, {"publisher_id": 1, "sequence": 5}))  # fmt: skip
    await put(loads, tmp_path / "a.dbn", mine)
    await put(loads, tmp_path / "b.dbn", others, dataset="GLBX.MDP3")
    assert await sequences(Asked(), loads, tmp_path) == [0, 0]


async def test_the_metadata_say_what_was_asked_for(loads: Bench, tmp_path: Path) -> None:
    """Dataset, schema, range, symbols, and what they meant, cut to the range."""
    about = told(A=[(MON, TUE, 1), (TUE, THU, 2)], B=[(MON, TUE, 3)], C=[(WED, THU, 4)])
    await put(loads, tmp_path / "a.dbn.zst", trades({"ts_recv": MONDAY + 5, "instrument_id": 1}),
              **about)  # fmt: skip
    done = await Asked(symbols=("A", "B", "C"), end=WED).to(loads, tmp_path / "x.dbn.zst")
    header = read_header(done.path)
    assert (header.version, header.dataset, header.schema) == (3, OPRA, Schema.TRADES)
    assert (header.start, header.end, header.limit) == (MONDAY, MONDAY + 2 * DAY, None)
    assert (header.stype_in, header.stype_out) == ("raw_symbol", "instrument_id")
    assert (header.symbols, header.partial, header.not_found) == (("A", "B", "C"), ("B",), ("C",))
    assert sorted((e.symbol, e.target, e.start, e.end) for e in header.intervals) == [
        ("A", "1", "2024-03-11", "2024-03-12"),
        ("A", "2", "2024-03-12", "2024-03-13"),
        ("B", "3", "2024-03-11", "2024-03-12"),
    ]


@pytest.mark.parametrize(
    ("name", "start", "symbols", "how", "proven"),
    [
        ("a.dbn.zst", MON, ("A",), {}, True),
        ("a.dbn", MON, ("A",), {}, False),  # nothing proves that such a file is whole
        ("a.dbn.zst", MON - dt.timedelta(days=1), ("A",), {}, False),
        ("a.dbn.zst", MON, None, {}, False),  # nobody asked for all symbols
        ("a.dbn.zst", MON, ("A",), {"with_quarantined": False}, False),
    ],
)
async def test_only_a_file_that_is_proven_whole_can_be_taken_for_a_delivery(
    loads: Bench, tmp_path: Path, name: str, start: dt.date, symbols: tuple[str, ...] | None,
    how: dict[str, Any], proven: bool,
) -> None:  # fmt: skip
    """Of any other the metadata carry a limit: loaded elsewhere it covers and removes nothing."""
    row = trades({"ts_recv": MONDAY + 5, "instrument_id": 1})
    await put(loads, tmp_path / "in" / name, row, **told(A=[(MON, THU, 1)]))
    out = tmp_path / "out" / "x.dbn.zst"
    out.parent.mkdir()
    done = await Asked(symbols=symbols, start=start, end=WED).to(loads, out, **how)
    [again] = await loads.load(out)
    assert (done.proven, read_header(out).limit is None) == (proven, proven)
    assert (again.already_stored, again.partial == "") == (1, proven)


async def test_all_symbols_are_named_in_the_metadata(loads: Bench, tmp_path: Path) -> None:
    """The raw symbols of those days; where none is known, as a request for all is spelled."""
    row = trades({"ts_recv": MONDAY + 5, "instrument_id": 1})
    await put(loads, tmp_path / "a.dbn", row, **told(A=[(MON, TUE, 1)], Z=[(WED, THU, 1)]))
    named = read_header((await Asked(end=WED).to(loads, tmp_path / "x.dbn")).path)
    later = Asked(start=THU, end=THU + dt.timedelta(days=1))
    nameless = read_header((await later.to(loads, tmp_path / "y.dbn")).path)
    assert (named.symbols, named.stype_in, named.partial) == (("A",), "raw_symbol", ("A",))
    assert (nameless.symbols, nameless.intervals) == ((ALL_SYMBOLS,), ())


async def test_a_parents_members_are_named_as_the_provider_does(
    loads: Bench, tmp_path: Path
) -> None:
    """The parent is the symbol, its members' raw symbols have the mappings; loaded again it means
    the same.
    """
    rows = trades(*({"ts_recv": MONDAY + 5, "instrument_id": n} for n in (1, 2, 3)))
    about = told("parent", ["X.OPT"], **{"X 1": [(MON, WED, 1)], "X 2": [(MON, TUE, 2)]})
    about["mappings"]["X.OPT"] = []
    await put(loads, tmp_path / "a.dbn", rows, **about)
    asked = Asked(symbols=("X.OPT",), stype_in=SType.PARENT)
    done = await asked.to(loads, tmp_path / "x.dbn")
    header = read_header(done.path)
    assert read(done.path, Schema.TRADES)["instrument_id"].tolist() == [1, 2]
    assert (header.symbols, header.stype_in) == (("X.OPT",), "parent")
    found = [(e.stype_in, e.symbol, e.target, e.start, e.end) for e in header.intervals]
    assert sorted(found) == [
        ("raw_symbol", "X 1", "1", "2024-03-11", "2024-03-13"),
        ("raw_symbol", "X 2", "2", "2024-03-11", "2024-03-12"),
    ]


async def test_a_continuous_symbol_and_a_number_are_exported_too(
    loads: Bench, tmp_path: Path
) -> None:
    """The contract of each day; numbers have no mapping, as in the provider's files."""
    rows = trades(
        *({"ts_recv": MONDAY + 5 + (n - 1) * DAY, "instrument_id": n, "sequence": n}
          for n in (1, 2)),
        {"ts_recv": TUESDAY, "instrument_id": 1},
    )  # fmt: skip
    about = told("continuous", **{"X.c.0": [(MON, TUE, 1), (TUE, THU, 2)]})
    await put(loads, tmp_path / "a.dbn", rows, **about)
    rolled = Asked(symbols=("X.c.0",), stype_in=SType.CONTINUOUS)
    number = Asked(symbols=("2",), stype_in=SType.INSTRUMENT_ID)
    assert await sequences(rolled, loads, tmp_path) == [1, 2]
    assert await sequences(number, loads, tmp_path) == [2]
    header = read_header((await number.to(loads, tmp_path / "y.dbn")).path)
    assert (header.symbols, header.stype_in, header.intervals) == (("2",), "instrument_id", ())


async def test_the_client_reads_the_file_and_maps_its_symbols(loads: Bench, tmp_path: Path) -> None:
    """`DBNStore.to_df` names every record, as of a file of the provider."""
    rows = trades(
        {"ts_recv": MONDAY + 5, "instrument_id": 1, "price": 5_250_000_000},
        {"ts_recv": TUESDAY + 5, "instrument_id": 2},
    )
    await put(loads, tmp_path / "a.dbn", rows, **told(A=[(MON, TUE, 1), (TUE, WED, 2)]))
    done = await Asked(symbols=("A",)).to(loads, tmp_path / "x.dbn.zst")
    frame = databento.DBNStore.from_file(done.path).to_df()
    assert frame["symbol"].tolist() == ["A", "A"]
    assert frame["price"].tolist() == [5.25, 1.0]


async def test_nothing_stored_makes_a_valid_file_without_records(
    loads: Bench, tmp_path: Path
) -> None:
    """An empty answer is an answer."""
    for schema in STORED:
        done = await Asked(schema).to(loads, tmp_path / f"{schema}.dbn.zst")
        assert done.records == 0
        assert len(databento.DBNStore.from_file(done.path).to_df()) == 0


async def test_an_unknown_symbol_writes_nothing(loads: Bench, tmp_path: Path) -> None:
    """As in a query."""
    with pytest.raises(Usage, match="'NOPE' is not held"):
        await Asked(symbols=("NOPE",)).to(loads, tmp_path / "x.dbn")
    assert not (tmp_path / "x.dbn").exists()


async def test_an_error_midway_leaves_the_old_file(
    loads: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no part of the new one."""
    await put(loads, tmp_path / "a.dbn", trades({"ts_recv": MONDAY + 5, "instrument_id": 1}))
    target = tmp_path / "x.dbn"
    target.write_bytes(b"old")

    async def broken(*_: object) -> list[int]:
        raise ConnectionResetError("gone")

    monkeypatch.setattr("ingestor.export.windows", broken)
    with pytest.raises(Exception, match="gone"):
        await Asked().to(loads, target, overwrite=True)
    assert target.read_bytes() == b"old"
    assert not (tmp_path / "x.dbn.part").exists()


async def test_a_disk_that_fills_up_midway_is_what_is_told(
    any_bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the complaint of a connection whose COPY was broken off; the next export goes well."""
    many = trades({"ts_recv": MONDAY, "instrument_id": 1}).repeat(60_000)
    many["sequence"] = np.arange(len(many))
    await put(any_bench, tmp_path / "a.dbn", many)

    async def full(*_: object) -> None:
        raise LocalFault("x.dbn cannot be written: No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("ingestor.export._Merge.rows", full)
        with pytest.raises(LocalFault, match="No space left"):
            await Asked().to(any_bench, tmp_path / "x.dbn")
    assert not (tmp_path / "x.dbn").exists()
    assert not (tmp_path / "x.dbn.part").exists()
    assert len(await sequences(Asked(), any_bench, tmp_path)) == 60_000


async def test_what_is_loaded_meanwhile_is_not_half_in_the_file(
    any_bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows and quarantine are of one snapshot, that of the beginning."""
    row = {"ts_recv": MONDAY + 5, "instrument_id": 1}
    later = {**row, "ts_recv": TUESDAY + 5}
    await put(any_bench, tmp_path / "a.dbn", np.concatenate([trades(row), lame(row)]))
    found = ingestor.export.publishers

    async def loading(*given_: Any) -> list[int]:
        await put(any_bench, tmp_path / "b.dbn", np.concatenate([trades(later), lame(later)]))
        return await found(*given_)

    monkeypatch.setattr("ingestor.export.publishers", loading)
    assert len(await sequences(Asked(), any_bench, tmp_path)) == 2
    monkeypatch.undo()
    assert len(await sequences(Asked(), any_bench, tmp_path)) == 4


class Late:
    """A reader whose second connection comes after something was loaded."""

    def __init__(self, loads: Bench, path: Path) -> None:
        self.loads = loads
        self.path = path
        self.given = 0

    async def fetch(self, query: str, *values: Any) -> list[Any]:
        return await self.loads.database.fetch(query, *values)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        self.given += 1
        if self.given == 2:
            await put(self.loads, self.path, lame({"ts_recv": MONDAY + 5, "instrument_id": 1}))
        async with self.loads.database.connection() as connection:
            yield connection


async def test_both_connections_see_one_moment(any_bench: Bench, tmp_path: Path) -> None:
    """What was committed between the two is seen by neither."""
    async with snapshot(Late(any_bench, tmp_path / "a.dbn")) as both:
        seen = [await each.fetchval("SELECT count(*) FROM ingest.quarantine") for each in both]
    now = await any_bench.database.fetchval("SELECT count(*) FROM ingest.quarantine")
    assert (seen, now) == ([0, 0], 1)


async def test_more_than_one_batch_of_rows_is_in_order(any_bench: Bench, tmp_path: Path) -> None:
    """Quarantined records between rows, over the borders of what is decoded at once."""
    count = 40_000
    rng = np.random.default_rng(3)
    many = trades({"ts_recv": MONDAY, "instrument_id": 1}).repeat(count)
    many["ts_recv"] = np.sort(rng.integers(MONDAY, MONDAY + DAYS * DAY, count))
    many["ts_event"] = many["ts_recv"]
    many["sequence"] = np.arange(count)
    many["price"][rng.random(count) < 0.05] = -(2**63)
    await put(any_bench, tmp_path / "a.dbn", many)
    assert await sequences(Asked(), any_bench, tmp_path) == list(range(count))


async def test_hypertable_chunks_outside_the_window_are_not_looked_at(
    loads: Bench, tmp_path: Path
) -> None:
    """Each window's statement names both times, so that others are excluded when it is planned."""
    days = [{"ts_recv": MONDAY + n * DAY, "instrument_id": 1, "sequence": n} for n in range(3)]
    path = write(tmp_path / "a.dbn", trades(*days), days=DAYS, **told())
    await loads.load(path, chunk_days=1)
    asked = Question(
        schema=Schema.TRADES, symbols=None, start=MON, end=THU, dataset=Dataset(OPRA), by="index"
    )
    wanted, _ = await select(loads.database, asked)
    rows = RowLayout.of(wanted.table, ["ts_recv"], {})
    async with loads.database.connection() as connection:
        each = await windows(connection, wanted)
        made = copied.window_statement(wanted, each[0], rows, [20])
        assert made is not None
        text = await _mogrify(connection, made.text, made.values)
        plan = await connection.fetch(f"EXPLAIN {text}")
    scans = {line for (line,) in plan if "_hyper_" in line}
    assert (len(each), len({line.split("_chunk")[0].split()[-1] for line in scans})) == (3, 1)
