"""Rows, quarantine, symbols, coverage, receipt and state: all of a chunk, once, or nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import numpy as np
import pytest

from ingestor import pipeline
from ingestor.errors import CorruptPayload, DatabaseUnavailable, LeaseLost, UnlikeRequest
from ingestor.model import table_of
from ingestor.receipt import Receipt
from ingestor.simulator.market import DAY, MONDAY, SECOND, UNDEFINED_TIME, make_bars, make_trades
from ingestor.sources.dbn_files import DbnFiles
from ingestor.sources.installed import Sources
from ingestor.store import hypertables, ledger, reaping
from ingestor.store.database import Database
from ingestor.vocabulary import Schema
from tests.conftest import Place
from tests.loads import UNDEFINED_PRICE, Bench, blank, cut, write


def trades(count: int, *, seed: int = 0, days: int = 1) -> np.ndarray:
    return make_trades(count, seed=seed, days=days)


def added(receipts: list[Receipt], name: str) -> int:
    return sum(getattr(receipt, name) for receipt in receipts)


class Wrapped(DbnFiles):
    """The real source, with something done on the way."""

    def __init__(self, *, fetching: Any = None, batching: Any = None) -> None:
        super().__init__()
        self.fetching, self.batching = fetching, batching

    def fetch(self, claim: Any) -> Any:
        if self.fetching is not None:
            self.fetching()
        return super().fetch(claim)

    def batches(self, payload: Any, claim: Any, count: int) -> Iterator[Any]:
        made = super().batches(payload, claim, count)
        yield from made if self.batching is None else self.batching(made)


@pytest.fixture
def wrap(monkeypatch: pytest.MonkeyPatch) -> Any:
    def use(**done: Any) -> None:
        wrapped = Wrapped(**done)
        monkeypatch.setattr(Sources, "named", lambda sources, name: wrapped)

    return use


# --- what is a row --------------------------------------------------------------------------------


async def test_trades_that_differ_in_nanoseconds_only_are_two_rows(
    any_bench: Bench, tmp_path: Path
) -> None:
    """The nanoseconds below the microsecond are kept beside the time, and numbers tell the rows
    of one microsecond apart.
    """
    records = blank(2)
    records["ts_recv"] = records["ts_event"] = [MONDAY + 1, MONDAY + 2]
    await any_bench.load(write(tmp_path / "a.dbn", records))
    found = await any_bench.database.fetch(
        "SELECT ts_recv_ns, ordinal FROM trades_data ORDER BY ordinal"
    )
    assert [tuple(row) for row in found] == [(1, 0), (2, 1)]


async def test_trades_that_differ_in_nothing_are_two_rows(any_bench: Bench, tmp_path: Path) -> None:
    """Real trades repeat in every field; each is a row."""
    records = blank(2)
    records["ts_recv"] = records["ts_event"] = MONDAY
    await any_bench.load(write(tmp_path / "a.dbn", records))
    assert len(await any_bench.rows(Schema.TRADES)) == 2


async def test_a_bar_that_repeats_a_key_is_quarantined(plain_bench: Bench, tmp_path: Path) -> None:
    """Bars have no ordinal: of two with one key the first is stored, the second kept aside."""
    records = make_bars(3)
    records = np.concatenate([records, records[:1]])
    records["volume"][-1] = 7
    [receipt] = await plain_bench.load(write(tmp_path / "a.dbn", records, Schema.OHLCV_1M))
    row = await plain_bench.database.fetchrow("SELECT * FROM ingest.quarantine")
    assert row is not None
    assert (receipt.stored, row["position"], row["ordinal"], row["rule"], row["raw"]) == (
        3, 3, 1, "ordinal.repeat", records[3].tobytes(),
    )  # fmt: skip


async def test_a_quarantined_record_names_field_value_and_place(
    plain_bench: Bench, tmp_path: Path
) -> None:
    """Quarantine holds the bytes as delivered, the rule, the column at fault and its value."""
    records = trades(5)
    records["action"][2] = b"\xff"
    await plain_bench.load(write(tmp_path / "a.dbn", records))
    row = await plain_bench.database.fetchrow(
        "SELECT position, rule, field, value, raw FROM ingest.quarantine"
    )
    assert tuple(row or ()) == (2, "action.range", "action", "255", records[2].tobytes())


async def test_every_row_names_the_chunk_that_wrote_it(plain_bench: Bench, tmp_path: Path) -> None:
    """chunk_id is the ledger's chunk, from which receipt and payload can be found."""
    records = trades(6, days=2)
    ids = await plain_bench.chunks(write(tmp_path / "a.dbn", records, days=2), chunk_days=1)
    await plain_bench.race(ids)
    found = await plain_bench.database.fetch("SELECT DISTINCT chunk_id FROM trades_data")
    assert sorted(row["chunk_id"] for row in found) == ids


# --- again, in parts, overlapping -----------------------------------------------------------------


@pytest.mark.parametrize("schema", [Schema.TRADES, Schema.OHLCV_1S])
async def test_a_file_loaded_twice_stores_nothing_twice(
    any_bench: Bench, tmp_path: Path, schema: Schema
) -> None:
    """The second load finds every row stored already, and leaves it with its first chunk."""
    records = trades(500) if schema is Schema.TRADES else make_bars(500, schema)
    path = write(tmp_path / "a.dbn.zst", records, schema)
    await any_bench.load(path)
    before = await any_bench.rows(schema, chunk_id=True)
    [receipt] = await any_bench.load(path)
    assert (receipt.already_stored, receipt.stored) == (500, 0)
    assert await any_bench.rows(schema, chunk_id=True) == before


async def test_a_reload_of_equal_rows_touches_no_row(any_bench: Bench, tmp_path: Path) -> None:
    """No row is rewritten or even locked, and no table grows: there is nothing to vacuum."""
    path = write(tmp_path / "a.dbn", trades(500))
    await any_bench.load(path)
    query = "SELECT tableoid, ctid, xmin::TEXT, xmax::TEXT FROM trades_data ORDER BY 1, 2"
    sizes = (
        "SELECT sum(pg_relation_size(o)) FROM (SELECT DISTINCT tableoid AS o FROM trades_data) t"
    )
    before = await any_bench.database.fetch(query), await any_bench.database.fetchval(sizes)
    await any_bench.load(path)
    assert before == (
        await any_bench.database.fetch(query), await any_bench.database.fetchval(sizes),
    )  # fmt: skip


@pytest.mark.parametrize("order", [(0, 1), (1, 0), None], ids=["forward", "backward", "at once"])
async def test_a_file_cut_at_any_record_stores_what_the_whole_would(
    plain_bench: Bench, tmp_path: Path, order: tuple[int, int] | None
) -> None:
    """Two parts of trades that repeat in all and in part, cut before every record in turn."""
    records = blank(9)
    records["ts_recv"] = MONDAY + np.array([0, 0, 0, 999, 1000, 1000, 1001, 2000, 2000])
    records["ts_event"] = records["ts_recv"]
    records["price"] = [1, 1, 2, 2, 3, 3, 3, 4, 4]
    await plain_bench.load(write(tmp_path / "whole.dbn", records))
    whole = await plain_bench.rows(Schema.TRADES)
    for at in range(1, len(records)):
        await plain_bench.clear()
        ids = await plain_bench.chunks(cut(tmp_path / str(at), records, [at]))
        if order is None:
            await plain_bench.race(ids)
        else:
            for place in order:
                await plain_bench.run(await plain_bench.claim(ids[place]))
        assert await plain_bench.rows(Schema.TRADES) == whole, at


async def _bars_and_quarantined(bench: Bench) -> tuple[list[Any], list[tuple[str, bytes]]]:
    held = await bench.database.fetch("SELECT rule, raw FROM ingest.quarantine")
    return await bench.rows(Schema.OHLCV_1D), sorted((row["rule"], row["raw"]) for row in held)


@pytest.mark.parametrize("order", [(0, 1), (1, 0), None], ids=["forward", "backward", "at once"])
@pytest.mark.parametrize("days", [1, 2])
async def test_bars_cut_at_any_record_are_stored_and_quarantined_as_the_wholes_are(
    plain_bench: Bench, tmp_path: Path, order: tuple[int, int] | None, days: int
) -> None:
    """A key that repeats is refused though the bar that it repeats is in the other part."""
    records = blank(6, Schema.OHLCV_1D)
    records["ts_event"] = MONDAY + DAY * (np.arange(6) // 3) if days > 1 else MONDAY
    records["instrument_id"] = [1, 2, 1, 1, 3, 1]
    records["volume"] = np.arange(6)
    told = {"schema": Schema.OHLCV_1D, "days": days}
    await plain_bench.load(write(tmp_path / "whole.dbn", records, **told))
    whole = await _bars_and_quarantined(plain_bench)
    assert len(whole[1]) == (3 if days == 1 else 2)
    for at in range(1, len(records)):
        await plain_bench.clear()
        ids = await plain_bench.chunks(cut(tmp_path / str(at), records, [at], **told))
        if order is None:
            await plain_bench.race(ids)
        else:
            for place in order:
                await plain_bench.run(await plain_bench.claim(ids[place]))
        assert await _bars_and_quarantined(plain_bench) == whole, at


async def test_bars_that_repeat_in_every_field_are_quarantined_in_parts_too(
    plain_bench: Bench, tmp_path: Path
) -> None:
    """Of one day, cut in two, and of three minutes, the repeat alone in the middle part."""
    day = blank(4, Schema.OHLCV_1D)
    day["ts_event"], day["instrument_id"] = MONDAY, [1, 2, 1, 3]
    minutes = blank(4, Schema.OHLCV_1M)
    minutes["ts_event"] = MONDAY + 60 * SECOND * np.array([0, 1, 1, 2])
    await plain_bench.load(cut(tmp_path / "day", day, [2], Schema.OHLCV_1D))
    await plain_bench.load(cut(tmp_path / "minutes", minutes, [2, 3], Schema.OHLCV_1M))
    held = await plain_bench.database.fetch("SELECT raw FROM ingest.quarantine ORDER BY chunk_id")
    assert [row["raw"] for row in held] == [day[2].tobytes(), minutes[2].tobytes()]
    assert len(await plain_bench.rows(Schema.OHLCV_1D)) == 3
    assert len(await plain_bench.rows(Schema.OHLCV_1M)) == 3


@pytest.mark.parametrize("backward", [False, True])
async def test_bars_of_a_whole_beside_its_part_are_stored_once(
    plain_bench: Bench, tmp_path: Path, backward: bool
) -> None:
    """All of one day: neither follows from the other, and nothing is quarantined."""
    records = blank(4, Schema.OHLCV_1D)
    records["ts_event"], records["instrument_id"] = MONDAY, [1, 2, 3, 4]
    write(tmp_path / "parts" / "part.dbn", records[1:3], Schema.OHLCV_1D)
    write(tmp_path / "parts" / "whole.dbn", records, Schema.OHLCV_1D)
    ids = await plain_bench.chunks(tmp_path / "parts")
    for chunk_id in reversed(ids) if backward else ids:
        await plain_bench.run(await plain_bench.claim(chunk_id))
    rows, held = await _bars_and_quarantined(plain_bench)
    assert (len(rows), held) == (4, [])


@pytest.mark.parametrize("batch", [1, 2, 65_536])
async def test_parts_that_overlap_in_time_number_on_from_each_other(
    plain_bench: Bench, tmp_path: Path, batch: int
) -> None:
    """Ordinals go on from a predecessor wherever it shares a microsecond, not in the first batch
    only, and after records whose index timestamp is undefined too.
    """
    records = blank(9)
    second = SECOND
    records["ts_recv"] = [
        *(MONDAY + np.array([0, 1, 2, 3]) * second),
        UNDEFINED_TIME,
        *(MONDAY + np.array([1, 2, 3, 4]) * second),
    ]
    records["ts_event"] = MONDAY
    await plain_bench.load(write(tmp_path / "whole.dbn", records))
    whole = await plain_bench.rows(Schema.TRADES)
    await plain_bench.clear()
    await plain_bench.with_batches(batch).load(cut(tmp_path / "parts", records, [4]))
    assert await plain_bench.rows(Schema.TRADES) == whole


@pytest.mark.parametrize("first", ["whole", "parts"])
async def test_whole_and_parts_of_one_delivery_store_once(
    any_bench: Bench, tmp_path: Path, first: str
) -> None:
    """A delivery loaded as one file and as three files, in whichever order, is stored once."""
    records = trades(300)
    paths = [
        write(tmp_path / "whole" / "all.dbn", records),
        cut(tmp_path / "parts", records, [77, 150]),
    ]
    for path in paths if first == "whole" else reversed(paths):
        await any_bench.load(path)
    assert len(await any_bench.rows(Schema.TRADES)) == 300


async def test_days_of_one_file_load_at_once(any_bench: Bench, tmp_path: Path) -> None:
    """A file cut into a chunk per day, each loaded by a worker of its own, is the whole file."""
    records = trades(400, days=3)
    path = write(tmp_path / "a.dbn", records, days=3)
    await any_bench.race(await any_bench.chunks(path, chunk_days=1))
    parts = await any_bench.rows(Schema.TRADES)
    await any_bench.clear()
    await any_bench.load(path)
    assert parts == await any_bench.rows(Schema.TRADES)


@pytest.mark.parametrize("shared", [0, 1, 50, 100])
async def test_a_load_over_other_rows_counts_new_equal_and_corrected_ones(
    any_bench: Bench, tmp_path: Path, shared: int
) -> None:
    """Of 100 bars `shared` were there, half of those with another volume: they are corrected,
    counted as stored and as superseding their old chunk; equal ones are counted apart.
    """
    records = make_bars(100)
    changed = shared // 2
    older = records[:shared].copy()
    older["volume"][:changed] += 1
    await any_bench.load(write(tmp_path / "old" / "x.dbn", older, Schema.OHLCV_1M))
    [receipt] = await any_bench.load(write(tmp_path / "new" / "x.dbn", records, Schema.OHLCV_1M))
    assert (receipt.stored, receipt.corrected, receipt.already_stored) == (
        100 - shared + changed, changed, shared - changed,
    )  # fmt: skip


async def test_live_rows_of_a_chunk_are_stored_minus_superseded(
    any_bench: Bench, tmp_path: Path
) -> None:
    """The ledger can prove every chunk's rows: its receipt less what later chunks corrected."""
    records = make_bars(60)
    for step in range(3):
        records = records.copy()
        records["volume"][step * 10 : step * 10 + 15] += 1
        await any_bench.load(write(tmp_path / str(step) / "x.dbn", records, Schema.OHLCV_1M))
    found = await any_bench.database.fetch("""
        SELECT (k.receipt->>'stored')::BIGINT - coalesce(
                   (SELECT sum(rows) FROM ingest.supersessions WHERE old_chunk = k.chunk_id), 0),
               (SELECT count(*) FROM ohlcv_1m_data WHERE chunk_id = k.chunk_id)
        FROM ingest.chunks k ORDER BY k.chunk_id""")
    assert [row[0] for row in found] == [row[1] for row in found]


async def test_corrected_values_are_the_new_ones(any_bench: Bench, tmp_path: Path) -> None:
    """After a correction the table holds what the later file says, in every column."""
    records = make_bars(20)
    newer = records.copy()
    newer["close"] += 5
    await any_bench.load(write(tmp_path / "old" / "x.dbn", records, Schema.OHLCV_1M))
    await any_bench.load(write(tmp_path / "new" / "x.dbn", newer, Schema.OHLCV_1M))
    found = await any_bench.records(Schema.OHLCV_1M)
    assert sorted(found) == sorted(record.tobytes() for record in newer)


async def test_a_value_that_was_null_is_corrected(any_bench: Bench, tmp_path: Path) -> None:
    """And one that becomes null: NULL differs from every value, and only from those."""
    older = make_bars(4)
    older["open"][0] = older["open"][1] = UNDEFINED_PRICE
    newer = older.copy()
    newer["open"][0], newer["open"][2] = 5, UNDEFINED_PRICE
    await any_bench.load(write(tmp_path / "old" / "x.dbn", older, Schema.OHLCV_1M))
    [receipt] = await any_bench.load(write(tmp_path / "new" / "x.dbn", newer, Schema.OHLCV_1M))
    assert (receipt.corrected, receipt.already_stored) == (2, 2)


@pytest.mark.parametrize("way", ["copy", "merge"])
async def test_a_load_waits_for_a_merge_of_its_day(
    plain_bench: Bench, tmp_path: Path, way: str
) -> None:
    """A merge has the days of a table alone: what its join found stays true until it commits."""
    path = write(tmp_path / "a.dbn", trades(10))
    if way == "merge":
        await plain_bench.load(path)
    [chunk] = await plain_bench.chunks(path)
    async with plain_bench.database.connection() as connection:
        rival = connection.transaction()
        await rival.start()
        await connection.fetchval(
            "SELECT pg_advisory_xact_lock(hashtext('trades_data'), $1)", MONDAY // DAY
        )
        work = asyncio.create_task(plain_bench.run(await plain_bench.claim(chunk)))
        done, _ = await asyncio.wait({work}, timeout=0.5)
        await rival.commit()
    assert (done, (await work).way) == (set(), way)


async def test_two_merges_at_once_add_up(any_bench: Bench, tmp_path: Path) -> None:
    """Two loads that overlap what is there and each other: each new row is counted as stored by
    one of them only.
    """
    records = make_bars(300)
    await any_bench.load(write(tmp_path / "base" / "x.dbn", records[:100], Schema.OHLCV_1M))
    ids = [
        chunk
        for name, part in (("a", records[50:250]), ("b", records[100:300]))
        for chunk in await any_bench.chunks(write(tmp_path / name / "x.dbn", part, Schema.OHLCV_1M))
    ]
    receipts = await any_bench.race(ids)
    assert (added(receipts, "stored"), added(receipts, "already_stored")) == (200, 200)


async def test_two_first_loads_of_the_same_rows_store_them_once(
    any_bench: Bench, tmp_path: Path, wrap: Any
) -> None:
    """Both found nothing and copy straight in; the one that meets the other's keys starts again
    as a merge, and finds its rows stored.
    """
    path = write(tmp_path / "a.dbn", trades(500))
    both = threading.Barrier(2)
    tries = 0

    def batching(made: Any) -> Iterator[Any]:
        nonlocal tries
        tries += 1
        if tries <= 2:
            both.wait(10)
        yield from made

    ids = [chunk for _ in range(2) for chunk in await any_bench.chunks(path)]
    wrap(batching=batching)
    receipts = await any_bench.race(ids)
    assert sorted((r.stored, r.already_stored, r.way) for r in receipts) == [
        (0, 500, "merge"), (500, 0, "copy"),
    ]  # fmt: skip


async def test_a_heartbeat_between_the_commit_and_its_answer_loses_nothing(
    plain_bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease goes with the commit: a renewal that finds none then is no other owner's."""
    committed = pipeline.load

    async def late(*given: Any) -> Receipt:
        receipt = await committed(*given)
        await asyncio.sleep(0.3)
        return receipt

    monkeypatch.setattr(pipeline, "load", late)
    lease = plain_bench.settings.lease.model_copy(update={"heartbeat_s": 0.05})
    settings = plain_bench.settings.model_copy(update={"lease": lease})
    bench = Bench(plain_bench.place, settings, plain_bench.database)
    [receipt] = await bench.load(write(tmp_path / "a.dbn", trades(10)))
    assert receipt.stored == 10


# --- a payload that is not what it said -----------------------------------------------------------


async def _left(bench: Bench) -> tuple[int, int, int]:
    row = await bench.database.fetchrow("""
        SELECT (SELECT count(*) FROM trades_data), (SELECT count(*) FROM ingest.quarantine),
               (SELECT count(*) FROM ingest.chunks WHERE receipt IS NOT NULL)""")
    assert row is not None
    return tuple(row)


async def test_a_payload_that_yields_fewer_records_than_counted_stores_nothing(
    plain_bench: Bench, tmp_path: Path, wrap: Any
) -> None:
    """The check pass counted them: one record less, and the whole transaction is undone."""
    [chunk] = await plain_bench.chunks(write(tmp_path / "a.dbn", trades(10)))
    wrap(batching=lambda made: ((records[1:], places[1:]) for records, places in made))
    with pytest.raises(CorruptPayload):
        await plain_bench.run(await plain_bench.claim(chunk))
    assert await _left(plain_bench) == (0, 0, 0)


async def test_a_source_that_breaks_midway_leaves_nothing(
    plain_bench: Bench, tmp_path: Path, wrap: Any
) -> None:
    """An error after some batches were sent reaches the caller as it is; no row stays."""
    [chunk] = await plain_bench.chunks(write(tmp_path / "a.dbn", trades(10)))

    def batching(made: Any) -> Iterator[Any]:
        yield next(made)
        raise CorruptPayload("it changed")

    wrap(batching=batching)
    with pytest.raises(CorruptPayload, match="it changed"):
        await plain_bench.with_batches(2).run(await plain_bench.claim(chunk))
    assert await _left(plain_bench) == (0, 0, 0)


async def test_a_file_that_changed_since_it_was_submitted_stores_nothing(
    plain_bench: Bench, tmp_path: Path
) -> None:
    """The digest of the submission is held against what is read."""
    path = write(tmp_path / "a.dbn", trades(10))
    [chunk] = await plain_bench.chunks(path)
    write(path, trades(10, seed=1))
    with pytest.raises(CorruptPayload):
        await plain_bench.run(await plain_bench.claim(chunk))
    assert await _left(plain_bench) == (0, 0, 0)


async def test_a_publisher_of_another_dataset_is_refused(
    plain_bench: Bench, tmp_path: Path
) -> None:
    """Publisher 2 is Nasdaq's: a payload that calls it GLBX.MDP3 is not what it says."""
    records = trades(5)
    records["publisher_id"] = 2
    [chunk] = await plain_bench.chunks(write(tmp_path / "a.dbn", records))
    with pytest.raises(UnlikeRequest, match="publisher 2 belongs to XNAS"):
        await plain_bench.run(await plain_bench.claim(chunk))
    assert await _left(plain_bench) == (0, 0, 0)


async def test_an_unknown_publisher_is_learned_from_its_payload(
    plain_bench: Bench, tmp_path: Path
) -> None:
    """The provider adds publishers between releases of its client."""
    records = trades(5)
    records["publisher_id"] = 60_000
    await plain_bench.load(write(tmp_path / "a.dbn", records))
    found = await plain_bench.database.fetchval(
        "SELECT dataset FROM publishers WHERE publisher_id = 60000"
    )
    assert found == "GLBX.MDP3"


# --- what is proven beside the rows ---------------------------------------------------------------


async def _covered(bench: Bench) -> dict[str, list[tuple[date, date]]]:
    rows = await bench.database.fetch("SELECT symbol, days FROM ingest.coverage")
    return {r["symbol"]: [(each.lower, each.upper) for each in r["days"]] for r in rows}


async def test_days_that_adjoin_are_covered_as_one_range(
    plain_bench: Bench, tmp_path: Path
) -> None:
    """Two files of adjacent days leave one merged range; the day after another's end included."""
    for day in range(2):
        start = MONDAY + day * DAY
        records = make_trades(5, start=start)
        path = write(tmp_path / f"{day}.dbn.zst", records, start=start, end=start + DAY)
        await plain_bench.load(path)
    assert await _covered(plain_bench) == {"ESM4": [(date(2024, 3, 11), date(2024, 3, 13))]}


async def test_an_empty_day_is_covered(plain_bench: Bench, tmp_path: Path) -> None:
    """A whole payload without a record proves that there was nothing."""
    [receipt] = await plain_bench.load(write(tmp_path / "a.dbn.zst", blank(0)))
    state = await plain_bench.database.fetchval("SELECT state FROM ingest.chunks")
    assert (receipt.fetched, state) == (0, "completed_empty")
    assert await _covered(plain_bench) == {"ESM4": [(date(2024, 3, 11), date(2024, 3, 12))]}


@pytest.mark.parametrize("symbols", [[], ["ALL_SYMBOLS"]], ids=["none", "ALL_SYMBOLS"])
async def test_a_request_for_all_symbols_covers_them_all(
    plain_bench: Bench, tmp_path: Path, symbols: list[str]
) -> None:
    """However the metadata spell it, coverage says `*`."""
    await plain_bench.load(write(tmp_path / "a.dbn.zst", trades(5), symbols=symbols))
    assert set(await _covered(plain_bench)) == {"*"}


async def test_a_payload_with_a_limit_covers_nothing(plain_bench: Bench, tmp_path: Path) -> None:
    """It may have been cut short, so that it proves no day."""
    [receipt] = await plain_bench.load(write(tmp_path / "a.dbn.zst", trades(5), limit=5))
    assert (receipt.partial, await _covered(plain_bench)) == ("limit 5 in the metadata", {})


async def test_a_file_that_cannot_prove_itself_whole_covers_nothing(
    plain_bench: Bench, tmp_path: Path
) -> None:
    """Uncompressed, it may have been cut at a record without a trace: rows are stored, no day is
    proven.
    """
    [receipt] = await plain_bench.load(write(tmp_path / "a.dbn", trades(5)))
    assert (receipt.stored, bool(receipt.partial), await _covered(plain_bench)) == (5, True, {})


async def test_symbol_intervals_of_two_payloads_are_merged(
    plain_bench: Bench, tmp_path: Path
) -> None:
    """Overlapping and adjoining intervals of one symbol and instrument are one row."""
    spans = [(date(2024, 3, 1), date(2024, 3, 12)), (date(2024, 3, 10), date(2024, 3, 20)),
             (date(2024, 3, 20), date(2024, 3, 21))]  # fmt: skip
    for number, (first, past) in enumerate(spans):
        mappings = {"ESM4": [(first, past, "17077")]}
        await plain_bench.load(write(tmp_path / f"{number}.dbn", trades(3), mappings=mappings))
    found = await plain_bench.database.fetch(
        "SELECT symbol, instrument_id, valid_from, valid_to FROM symbol_mappings"
    )
    assert [tuple(row) for row in found] == [("ESM4", 17_077, date(2024, 3, 1), date(2024, 3, 21))]


# --- leases, sessions, lost answers ---------------------------------------------------------------


async def test_a_lease_lost_while_fetching_writes_nothing(
    plain_bench: Bench, tmp_path: Path, wrap: Any
) -> None:
    """Another worker took the chunk over: the first one's load ends at the row lock."""
    [chunk] = await plain_bench.chunks(write(tmp_path / "a.dbn", trades(10)))
    fetching, taken = threading.Event(), threading.Event()

    def wait() -> None:
        fetching.set()
        taken.wait(10)

    wrap(fetching=wait)
    claim = await plain_bench.claim(chunk, lease_s=0)
    work = asyncio.create_task(plain_bench.run(claim))
    await asyncio.to_thread(fetching.wait, 10)
    await plain_bench.claim(chunk, worker="w/2")
    taken.set()
    with pytest.raises(LeaseLost):
        await work
    assert await _left(plain_bench) == (0, 0, 0)


async def test_a_heartbeat_that_finds_the_lease_gone_stops_the_load(
    plain_bench: Bench, tmp_path: Path, wrap: Any
) -> None:
    """Mid-COPY the lease row is another's: the attempt is abandoned and its rows are undone."""
    [chunk] = await plain_bench.chunks(write(tmp_path / "a.dbn", trades(10)))
    copying, stop = threading.Event(), threading.Event()

    def batching(made: Any) -> Iterator[Any]:
        yield next(made)
        copying.set()
        stop.wait(3)
        yield from made

    wrap(batching=batching)
    work = asyncio.create_task(plain_bench.with_batches(2).run(await plain_bench.claim(chunk)))
    await asyncio.to_thread(copying.wait, 10)
    await plain_bench.database.fetchval("UPDATE ingest.leases SET fence = fence + 1 RETURNING 1")
    with pytest.raises(LeaseLost):
        await work
    stop.set()
    assert await _left(plain_bench) == (0, 0, 0)


async def test_a_load_under_way_cannot_be_taken_over(
    plain_bench: Bench, tmp_path: Path, wrap: Any
) -> None:
    """While the transaction holds the chunk row, an expired lease is nobody's chance: neither
    reaper nor another worker gets the chunk, and the load completes.
    """
    [chunk] = await plain_bench.chunks(write(tmp_path / "a.dbn", trades(10)))
    copying, go_on = threading.Event(), threading.Event()

    def batching(made: Any) -> Iterator[Any]:
        copying.set()
        go_on.wait(10)
        yield from made

    wrap(batching=batching)
    claim = await plain_bench.claim(chunk, lease_s=0)
    work = asyncio.create_task(plain_bench.run(claim))
    await asyncio.to_thread(copying.wait, 10)
    rival = await ledger.claim(plain_bench.database, chunk, worker="w/2", lease_s=60, max_lost=3)
    reaped = await reaping.reap(plain_bench.database, max_lost=3)
    go_on.set()
    assert (rival, reaped, (await work).stored) == (None, [], 10)


async def test_a_load_names_its_session_after_chunk_and_fence(
    plain_bench: Bench, tmp_path: Path, wrap: Any
) -> None:
    """The reaper finds a frozen load's backend by application_name."""
    [chunk] = await plain_bench.chunks(write(tmp_path / "a.dbn", trades(10)))
    copying, go_on = threading.Event(), threading.Event()

    def batching(made: Any) -> Iterator[Any]:
        copying.set()
        go_on.wait(10)
        yield from made

    wrap(batching=batching)
    claim = await plain_bench.claim(chunk)
    work = asyncio.create_task(plain_bench.run(claim))
    await asyncio.to_thread(copying.wait, 10)
    named = await plain_bench.database.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1",
        f"hdi:{chunk}:{claim.fence}:w/1",
    )
    go_on.set()
    await work
    assert named == 1


async def test_no_session_keeps_the_name_of_a_load_that_ended(
    plain_bench: Bench, tmp_path: Path
) -> None:
    """A pooled connection goes back under its own name: the reaper must not end it later."""
    await plain_bench.load(write(tmp_path / "a.dbn", trades(10)))
    left = await plain_bench.database.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name ~ '^hdi:[0-9]'"
    )
    assert left == 0


class Cutter:
    """A proxy that cuts the connection which sends COMMIT, once."""

    def __init__(self, host: str, port: int, *, deliver: bool) -> None:
        self.upstream = (host, port)
        self.deliver = deliver
        self.cut = False

    async def __aenter__(self) -> int:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port: int = self.server.sockets[0].getsockname()[1]
        return port

    async def __aexit__(self, *_: object) -> None:
        self.server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(*self.upstream)
        back = asyncio.create_task(self._pump(there_reader, writer))
        try:
            while data := await reader.read(1 << 16):
                if not self.cut and b"COMMIT;" in data:
                    self.cut = True
                    back.cancel()
                    if self.deliver:
                        there_writer.write(data)
                        await there_reader.read(1)
                    return
                there_writer.write(data)
        except OSError:
            pass
        finally:
            back.cancel()
            writer.close()
            there_writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            writer.write(data)
        writer.close()


async def _through_a_cutter(bench: Bench, path: Path, *, deliver: bool) -> Receipt:
    [chunk] = await bench.chunks(path)
    options = bench.place.options()
    parts = urlsplit(options.dsn)
    login, _, _ = parts.netloc.rpartition("@")
    assert parts.hostname is not None
    assert parts.port is not None
    async with Cutter(parts.hostname, parts.port, deliver=deliver) as port:
        dsn = urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{port}"))
        async with Database(replace(options, dsn=dsn), name="hdi:cut") as database:
            cut_off = Bench(bench.place, bench.settings, database)
            return await cut_off.run(await bench.claim(chunk))


async def test_a_commit_whose_answer_was_lost_is_recognised(
    plain_bench: Bench, tmp_path: Path
) -> None:
    """The server committed, the worker never heard: it asks the ledger and takes the receipt."""
    path = write(tmp_path / "a.dbn", trades(10))
    receipt = await _through_a_cutter(plain_bench, path, deliver=True)
    assert (receipt.stored, await _left(plain_bench)) == (10, (10, 0, 1))


async def test_a_commit_that_never_arrived_is_a_failed_attempt(
    plain_bench: Bench, tmp_path: Path
) -> None:
    """The connection broke before COMMIT reached the server: nothing happened, try again."""
    path = write(tmp_path / "a.dbn", trades(10))
    with pytest.raises(DatabaseUnavailable):
        await _through_a_cutter(plain_bench, path, deliver=False)
    assert await _left(plain_bench) == (0, 0, 0)


async def test_a_backend_ended_mid_copy_leaves_nothing(
    plain_bench: Bench, tmp_path: Path, wrap: Any
) -> None:
    """What the reaper does to a frozen load: its rows are gone, the attempt may be repeated."""
    [chunk] = await plain_bench.chunks(write(tmp_path / "a.dbn", trades(10)))
    copying, go_on = threading.Event(), threading.Event()

    def batching(made: Any) -> Iterator[Any]:
        yield next(made)
        copying.set()
        go_on.wait(10)
        yield from made

    wrap(batching=batching)
    work = asyncio.create_task(plain_bench.with_batches(2).run(await plain_bench.claim(chunk)))
    await asyncio.to_thread(copying.wait, 10)
    await plain_bench.database.fetch(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE application_name ~ '^hdi:[0-9]'"
    )
    go_on.set()
    with pytest.raises(DatabaseUnavailable):
        await work
    assert await _left(plain_bench) == (0, 0, 0)


# --- hypertable chunks ----------------------------------------------------------------------------


async def test_hypertable_chunks_are_made_ahead_ascending(timescale_bench: Bench) -> None:
    """Missing days only, in order of time, whatever order they are asked in; no row remains."""
    table = table_of(Schema.TRADES)
    first = MONDAY // DAY
    await hypertables.prepare(timescale_bench.database, table, [first + 3])
    made = await hypertables.prepare(
        timescale_bench.database, table, [first + 9, first, first + 3, first + 5]
    )
    rows = await timescale_bench.database.fetch(
        "SELECT range_start FROM timescaledb_information.chunks "
        "WHERE hypertable_name = 'trades_data' ORDER BY chunk_name COLLATE \"C\""
    )
    days = [int(row["range_start"].timestamp()) // 86_400 - first for row in rows]
    assert (made, days, await timescale_bench.rows(Schema.TRADES)) == (3, [3, 0, 5, 9], [])


async def test_hypertable_chunks_are_made_by_one_at_a_time(timescale_bench: Bench) -> None:
    """Creating one blocks every other creation until commit, so that they take turns."""
    table = table_of(Schema.TRADES)
    database = timescale_bench.database
    async with database.connection() as connection:
        rival = connection.transaction()
        await rival.start()
        await connection.fetchval(
            "SELECT pg_advisory_xact_lock(hashtext('hdi.create'), hashtext('trades_data'))"
        )
        work = asyncio.create_task(hypertables.prepare(database, table, [MONDAY // DAY]))
        done, _ = await asyncio.wait({work}, timeout=0.5)
        await rival.commit()
    assert (done, await work) == (set(), 1)


async def test_eight_loaders_on_fifty_fresh_days_do_not_deadlock(
    timescale_bench: Bench, tmp_path: Path
) -> None:
    """All start at once, each needs every day's hypertable chunk: each record is stored once."""
    days = 70
    ids = []
    for number in range(8):
        records = make_trades(200, seed=number, days=days)
        records["sequence"] = number
        path = write(tmp_path / str(number) / "a.dbn", records, days=days)
        ids += await timescale_bench.chunks(path)
    receipts = await timescale_bench.race(ids)
    assert (added(receipts, "stored"), len(receipts)) == (1600, 8)


async def test_a_database_that_vanishes_is_told_as_passing(
    plain_place: Place, tmp_path: Path
) -> None:
    """Errors of the driver never leave the store: a worker sees DatabaseUnavailable."""
    async with plain_place.open() as database:
        with pytest.raises(DatabaseUnavailable) as told:
            await database.fetchval("SELECT pg_terminate_backend(pg_backend_pid())")
    assert isinstance(
        told.value.__cause__, asyncpg.PostgresError | OSError | asyncpg.InterfaceError
    )
