"""Receipts and supersessions held against the rows: what adds up, and what is found where not."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from ingestor.insights.differences import Aspect
from ingestor.insights.verification import Verification, verify
from ingestor.receipt import Receipt
from ingestor.simulator.market import DAY, MONDAY, make_bars, make_trades
from ingestor.store import recount
from ingestor.vocabulary import Role, Schema
from tests.conftest import Place, environment
from tests.loads import Bench, bench, write
from tests.made import made
from tests.processes import HDI


@pytest.fixture
async def loads(any_place: Place, tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(any_place, tmp_path) as made:
        yield made


@pytest.fixture
async def on_timescale(place: Place, tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(place, tmp_path) as made:
        yield made


async def looked(loads: Bench, job_id: UUID | None = None) -> Verification:
    """As `hdi verify` does: with the login of the reader."""
    async with loads.place.open(Role.READER) as reader:
        return await verify(reader, job_id)


def told(found: Verification) -> list[tuple[int, Aspect, int, int]]:
    return [(each.chunk_id, each.of, each.expected, each.found) for each in found.differences]


@asynccontextmanager
async def as_owner(loads: Bench) -> AsyncIterator[Any]:
    async with loads.place.open(Role.OWNER) as owner, owner.connection() as connection:
        yield connection


async def tamper(loads: Bench, statement: str, *values: object) -> None:
    """What an operator's slip or a restored backup would do."""
    async with as_owner(loads) as connection:
        assert (await connection.execute(statement, *values)).split()[-1] != "0"


def trades(count: int = 300, *, days: int = 3, seed: int = 0) -> np.ndarray:
    return make_trades(count, seed=seed, days=days)


async def loaded(
    loads: Bench, path: Path, records: np.ndarray, *, days: int = 3, **ask: Any
) -> list[tuple[int, Receipt]]:
    """Loads trades, a chunk per day: ids and receipts."""
    ids = await loads.chunks(write(path, records, days=days), chunk_days=1, **ask)
    return [(n, await loads.run(await loads.claim(n))) for n in ids]


async def job_of(loads: Bench, chunk_id: int) -> UUID:
    query = "SELECT job_id FROM ingest.chunks WHERE chunk_id = $1"
    found: UUID = await loads.database.fetchval(query, chunk_id)
    return found


def spoilt(records: np.ndarray, *places: int) -> np.ndarray:
    """The same records, of which some have an action that no table can hold."""
    made = records.copy()
    made["action"][list(places)] = b"\xff"
    return made


# --- what adds up ---------------------------------------------------------------------------------


async def test_an_empty_database_adds_up(loads: Bench) -> None:
    """Nothing was promised."""
    found = await looked(loads)
    assert found.adds_up
    assert (found.chunks, found.rows, found.quarantined, found.differences) == (0, 0, 0, ())


async def test_fresh_loads_of_several_schemas_add_up(loads: Bench, tmp_path: Path) -> None:
    """Every row and every quarantined record is counted once."""
    await loaded(loads, tmp_path / "t" / "a.dbn", spoilt(trades(), 5, 6, 7))
    bars = make_bars(200, Schema.OHLCV_1M)
    await loads.load(write(tmp_path / "b" / "b.dbn", bars, Schema.OHLCV_1M, days=9))
    found = await looked(loads)
    assert told(found) == []
    assert (found.adds_up, found.chunks, found.rows, found.quarantined) == (True, 4, 497, 3)
    assert found.open_chunks == 0


async def test_reloads_that_overlap_and_correct_add_up(loads: Bench, tmp_path: Path) -> None:
    """Rows that a later chunk corrected are counted for it and no longer for the older one."""
    records = trades()
    first = await loaded(loads, tmp_path / "a" / "a.dbn", records[:200])
    changed = records[100:].copy()
    changed["price"][:30] += 1
    second = await loaded(loads, tmp_path / "b" / "b.dbn", changed)
    third = changed.copy()
    third["price"][10:20] += 1
    thirds = await loaded(loads, tmp_path / "c" / "c.dbn", third)
    found = await looked(loads)
    assert sum(receipt.corrected for _, receipt in second) == 30
    assert sum(receipt.already_stored for _, receipt in second) == 70
    assert told(found) == []
    assert (found.rows, found.chunks) == (300, len(first + second + thirds))


async def test_a_forced_load_that_removes_rows_and_supersedes_quarantine_adds_up(
    loads: Bench, tmp_path: Path
) -> None:
    """Removed rows are counted in supersessions; quarantined records stay where they are."""
    records = spoilt(trades(), 5)
    await loaded(loads, tmp_path / "a" / "a.dbn", records)
    forced = await loaded(loads, tmp_path / "b" / "b.dbn.zst", records[20:], force=True)
    found = await looked(loads)
    assert sum(receipt.removed for _, receipt in forced) == 19
    assert told(found) == []
    assert (found.rows, found.quarantined) == (280, 1)


async def test_open_and_failed_chunks_are_counted_and_not_wrong(
    loads: Bench, tmp_path: Path
) -> None:
    """Nothing is expected of what was not loaded."""
    path = write(tmp_path / "a.dbn", trades(), days=3)
    [first, *_] = await loads.chunks(path, chunk_days=1)
    await loads.run(await loads.claim(first))
    found = await looked(loads)
    assert (found.adds_up, found.chunks, found.open_chunks) == (True, 1, 2)


async def test_a_job_is_verified_without_the_others(loads: Bench, tmp_path: Path) -> None:
    """Its chunks, its rows; what is wrong with another job is not its matter."""
    [(one, _)] = await loaded(loads, tmp_path / "a" / "a.dbn", trades(100, days=1), days=1)
    [(two, _)] = await loaded(loads, tmp_path / "b" / "b.dbn", trades(100, days=1, seed=9), days=1)
    await tamper(loads, "DELETE FROM trades_data WHERE chunk_id = $1 AND instrument_id = 750", two)
    healthy = await looked(loads, await job_of(loads, one))
    broken = await looked(loads, await job_of(loads, two))
    assert (healthy.adds_up, healthy.chunks, healthy.rows) == (True, 1, 100)
    assert (broken.adds_up, broken.chunks, broken.rows) == (False, 1, 66)
    assert told(broken) == told(await looked(loads)) == [(two, Aspect.ROWS, 100, 66)]


# --- what does not --------------------------------------------------------------------------------


async def test_a_row_that_was_deleted_is_missed(loads: Bench, tmp_path: Path) -> None:
    """Only the chunk that it belonged to is named."""
    [_, (second, receipt), _] = await loaded(loads, tmp_path / "a.dbn", trades())
    await tamper(
        loads,
        "DELETE FROM trades_data WHERE (instrument_id, ts_event, ts_recv, sequence, ordinal) IN "
        "(SELECT instrument_id, ts_event, ts_recv, sequence, ordinal FROM trades_data "
        "WHERE chunk_id = $1 LIMIT 1)",
        second,
    )
    found = await looked(loads)
    [difference] = found.differences
    assert told(found) == [(second, Aspect.ROWS, receipt.stored, receipt.stored - 1)]
    assert (difference.schema, difference.dataset, difference.state, difference.job_id) == (
        "trades", "GLBX.MDP3", "completed", await job_of(loads, second),
    )  # fmt: skip


async def test_one_row_too_few_and_one_too_many_do_not_make_up_for_each_other(
    loads: Bench, tmp_path: Path
) -> None:
    """Sums over a job or a day would agree."""
    [(first, a), (second, b), _] = await loaded(loads, tmp_path / "a.dbn", trades())
    await tamper(
        loads,
        "UPDATE trades_data SET chunk_id = $1 WHERE chunk_id = $2 AND (ts_event, sequence) = "
        "(SELECT ts_event, sequence FROM trades_data WHERE chunk_id = $2 LIMIT 1)",
        first, second,
    )  # fmt: skip
    found = told(await looked(loads))
    [(_, _, _, more), (_, _, _, less)] = found
    assert a.stored
    assert found == [(first, Aspect.STRAY, 0, more), (second, Aspect.ROWS, b.stored, less)]
    assert more == b.stored - less > 0


@pytest.mark.parametrize("day", [0, 400])
async def test_a_row_of_a_chunk_that_nobody_knows_is_found(
    loads: Bench, tmp_path: Path, day: int
) -> None:
    """In the midst of others, and where no chunk has any rows."""
    await loaded(loads, tmp_path / "a.dbn", trades())
    await tamper(loads, _copy_of_a_row(), 4711, day)
    found = await looked(loads)
    assert told(found) == [(4711, Aspect.UNACCOUNTED, 0, 1)]
    assert (found.differences[0].job_id, found.differences[0].state) == (None, "unknown")


@pytest.mark.parametrize("day", [0, 400])
async def test_a_row_that_is_added_to_a_completed_chunk_is_found_wherever_it_lies(
    loads: Bench, tmp_path: Path, day: int
) -> None:
    """Outside of the days of its chunk, too."""
    [(first, receipt), *_] = await loaded(loads, tmp_path / "a.dbn", trades())
    await tamper(loads, _copy_of_a_row(), first, day)
    found = await looked(loads)
    within = (first, Aspect.ROWS, receipt.stored, receipt.stored + 1)
    assert told(found) == [(first, Aspect.STRAY, 0, 1) if day else within]


_BAR = (
    "INSERT INTO daily_ohlcv_data (ts_event, instrument_id, publisher_id, open_price, high_price, "
    "low_price, close_price, volume, granularity, data_source, chunk_id) VALUES "
    "('2024-03-11Z', 5, 1, 1, 2, 0.5, 1.5, 10, '1d', 'databento', $1)"
)


async def instead(loads: Bench, chunk_id: int, elsewhere: str, *values: object) -> None:
    """The last row of a chunk is deleted, and another one put where it does not belong."""
    await tamper(
        loads,
        "DELETE FROM trades_data WHERE (ts_event, sequence) = (SELECT ts_event, sequence "
        "FROM trades_data WHERE chunk_id = $1 ORDER BY ts_event DESC LIMIT 1)",
        chunk_id,
    )
    await tamper(loads, elsewhere, *values)


async def test_a_row_of_another_table_does_not_make_up_for_one_that_is_missing(
    loads: Bench, tmp_path: Path
) -> None:
    """Both are told, the latter with its table; of all and of the job."""
    [(first, receipt), *_] = await loaded(loads, tmp_path / "a.dbn", trades())
    await instead(loads, first, _BAR, first)
    missed = (first, Aspect.ROWS, receipt.stored, receipt.stored - 1)
    found = await looked(loads)
    assert told(found) == [missed, (first, Aspect.STRAY, 0, 1)]
    assert [each.table for each in found.differences] == ["", "daily_ohlcv_data"]
    assert found.wrong_chunks == 1
    assert missed in told(await looked(loads, await job_of(loads, first)))


@pytest.mark.parametrize("away", ["400 days", "-1 hour", "-1 microsecond"])
async def test_a_row_of_another_time_does_not_make_up_for_one_that_is_missing(
    loads: Bench, tmp_path: Path, away: str
) -> None:
    """In another hypertable chunk, in the same one, and right before the first row."""
    records = made(Schema.TRADES, 100, start=MONDAY + DAY // 2)
    [(first, receipt)] = await loaded(loads, tmp_path / "a.dbn", records, days=1)
    await instead(loads, first, _copy_of_a_row(f"interval '{away}'"), first, 0)
    found = await looked(loads)
    missed = (first, Aspect.ROWS, receipt.stored, receipt.stored - 1)
    assert told(found) == [missed, (first, Aspect.STRAY, 0, 1)]
    assert found.differences[1].table == "trades_data"


async def test_the_time_of_definitions_is_their_index_timestamp(
    loads: Bench, tmp_path: Path
) -> None:
    """Their ts_event may be of any day: rows are where they belong all the same."""
    records = made(Schema.DEFINITION, 12, step=DAY // 4)
    records["ts_event"] -= np.uint64(400 * DAY)
    records["_reserved"] = b""
    path = write(tmp_path / "d.dbn", records, Schema.DEFINITION, days=3)
    [first, *_] = ids = await loads.chunks(path, chunk_days=1)
    receipts = [await loads.run(await loads.claim(n)) for n in ids]
    assert [each.stored for each in receipts] == [4, 4, 4]
    assert told(await looked(loads)) == []
    await tamper(
        loads,
        "UPDATE definitions_data SET chunk_id = $1 WHERE ts_recv = "
        "(SELECT max(ts_recv) FROM definitions_data)",
        first,
    )
    [strayed, missed] = (await looked(loads)).differences
    assert (strayed.chunk_id, strayed.of, strayed.table) == (
        first, Aspect.STRAY, "definitions_data",
    )  # fmt: skip
    assert (missed.of, missed.expected - missed.found) == (Aspect.ROWS, strayed.found)


async def test_only_rows_of_its_own_time_are_counted_for_a_chunk_of_many(
    loads: Bench, tmp_path: Path
) -> None:
    """Rows in and out of the span of a chunk lie in one hypertable chunk: each is counted once."""
    records = made(Schema.TRADES, 100, start=MONDAY + DAY // 2)
    [(first, a)] = await loaded(loads, tmp_path / "a" / "a.dbn", records[:60], days=1)
    [(second, b)] = await loaded(loads, tmp_path / "b" / "b.dbn", records[60:], days=1)
    await tamper(loads, "UPDATE trades_data SET chunk_id = $1 WHERE chunk_id = $2", first, second)
    found = await looked(loads)
    assert (a.stored, b.stored) == (60, 40)
    assert told(found) == [(first, Aspect.STRAY, 0, b.stored), (second, Aspect.ROWS, b.stored, 0)]


async def test_rows_of_an_unknown_chunk_are_told_for_each_table(
    loads: Bench, tmp_path: Path
) -> None:
    """Whoever is to look at them must know where."""
    await loaded(loads, tmp_path / "a.dbn", trades())
    await tamper(loads, _copy_of_a_row(), 4711, 1)
    await tamper(loads, _BAR, 4711)
    found = await looked(loads)
    assert {(each.table, each.of, each.found) for each in found.differences} == {
        ("trades_data", Aspect.UNACCOUNTED, 1), ("daily_ohlcv_data", Aspect.UNACCOUNTED, 1),
    }  # fmt: skip
    assert found.wrong_chunks == 1


async def test_rows_of_a_chunk_that_has_not_completed_are_found(
    loads: Bench, tmp_path: Path
) -> None:
    """They can only be somebody else's doing: rows and state are committed together."""
    path = write(tmp_path / "a.dbn", trades(), days=3)
    [first, second, _] = await loads.chunks(path, chunk_days=1)
    await loads.run(await loads.claim(first))
    await tamper(loads, _copy_of_a_row(), second, 1)
    for job_id in (None, await job_of(loads, second)):
        found = await looked(loads, job_id)
        assert told(found) == [(second, Aspect.UNACCOUNTED, 0, 1)]
        assert found.differences[0].state == "pending"


def _copy_of_a_row(more: str = "interval '0'") -> str:
    """A row of chunk $1, $2 days and `more` behind the first that is there."""
    names = ("publisher_id", "ts_in_delta", "ordinal", "ts_event_ns", "ts_recv_ns", "flags",
             "depth")  # fmt: skip
    listed = ", ".join(names)
    return (
        f"INSERT INTO trades_data (ts_event, ts_recv, instrument_id, sequence, chunk_id, {listed}) "
        f"SELECT ts_event + make_interval(days => $2::INTEGER) + {more}, ts_recv, instrument_id, "
        f"4e9, $1::INTEGER, {listed} FROM trades_data ORDER BY ts_event LIMIT 1"
    )


async def test_a_quarantined_record_that_was_deleted_is_missed(
    loads: Bench, tmp_path: Path
) -> None:
    """What was kept aside is part of what was delivered."""
    [(first, _), *_] = await loaded(loads, tmp_path / "a.dbn", spoilt(trades(), 2, 3))
    await tamper(loads, "DELETE FROM ingest.quarantine WHERE position = 2")
    found = await looked(loads)
    assert told(found) == [(first, Aspect.QUARANTINED, 2, 1)]
    assert told(await looked(loads, await job_of(loads, first))) == told(found)


async def test_a_quarantined_record_that_nobody_rejected_is_found(
    loads: Bench, tmp_path: Path
) -> None:
    """Of a chunk that had none."""
    [(first, _), *_] = await loaded(loads, tmp_path / "a.dbn", trades())
    await tamper(
        loads,
        "INSERT INTO ingest.quarantine (chunk_id, position, raw, rule, field, value, reason, "
        "publisher_id, instrument_id) VALUES ($1, 0, '', '', '', '', '', 0, 0)",
        first,
    )
    assert told(await looked(loads)) == [(first, Aspect.QUARANTINED, 0, 1)]


async def corrected(loads: Bench, folder: Path) -> tuple[int, int]:
    """Two chunks, the second of which corrects 10 of 100 rows of the first."""
    records = trades(100, days=1)
    [(old, _)] = await loaded(loads, folder / "a" / "a.dbn", records, days=1)
    changed = records.copy()
    changed["price"][:10] += 1
    [(new, receipt)] = await loaded(loads, folder / "b" / "b.dbn", changed, days=1)
    assert (receipt.corrected, (await looked(loads)).adds_up) == (10, True)
    return old, new


async def test_a_supersession_of_other_rows_is_found_on_both_sides(
    loads: Bench, tmp_path: Path
) -> None:
    """The old chunk has more rows than it says, the new one's receipt tells otherwise."""
    old, new = await corrected(loads, tmp_path)
    await tamper(loads, "UPDATE ingest.supersessions SET rows = 11")
    assert told(await looked(loads)) == [
        (old, Aspect.ROWS, 89, 90), (new, Aspect.CORRECTED, 10, 11),
    ]  # fmt: skip


async def test_a_supersession_of_another_kind_is_found(loads: Bench, tmp_path: Path) -> None:
    """The rows add up, what was done to them does not."""
    _, new = await corrected(loads, tmp_path)
    await tamper(loads, "UPDATE ingest.supersessions SET kind = 'removed'")
    assert told(await looked(loads)) == [
        (new, Aspect.CORRECTED, 10, 0), (new, Aspect.REMOVED, 0, 10),
    ]  # fmt: skip


async def test_a_supersession_that_was_deleted_is_missed(loads: Bench, tmp_path: Path) -> None:
    """On both sides, too."""
    old, new = await corrected(loads, tmp_path)
    await tamper(loads, "DELETE FROM ingest.supersessions")
    assert told(await looked(loads)) == [
        (old, Aspect.ROWS, 100, 90), (new, Aspect.CORRECTED, 10, 0),
    ]  # fmt: skip


async def test_removed_rows_are_counted_by_their_supersessions(
    loads: Bench, tmp_path: Path
) -> None:
    """The receipt of the chunk that removed them must say so."""
    [(old, receipt), (new, _), _] = await loaded(loads, tmp_path / "a.dbn", trades())
    await tamper(loads, "DELETE FROM trades_data WHERE chunk_id = $1", old)
    await tamper(
        loads,
        "INSERT INTO ingest.supersessions (old_chunk, new_chunk, rows, kind) "
        "VALUES ($1, $2, $3, 'removed')",
        old, new, receipt.stored,
    )  # fmt: skip
    assert told(await looked(loads)) == [(new, Aspect.REMOVED, 0, receipt.stored)]
    await retell(loads, new, f'{{"removed": {receipt.stored}}}')
    assert (await looked(loads)).adds_up


async def retell(loads: Bench, chunk_id: int, receipt: str) -> None:
    """Changes parts of a receipt, past everything that keeps the ledger from it."""
    async with as_owner(loads) as connection:
        await connection.execute("ALTER TABLE ingest.chunks DISABLE TRIGGER USER")
        await connection.execute("ALTER TABLE ingest.chunks DROP CONSTRAINT chunks_adds_up")
        await connection.execute(
            f"UPDATE ingest.chunks SET receipt = receipt || '{receipt}' WHERE chunk_id = $1",
            chunk_id,
        )


async def test_a_receipt_of_before_removals_were_told_adds_up(loads: Bench, tmp_path: Path) -> None:
    """It has no `removed`, and removed nothing."""
    await loaded(loads, tmp_path / "a.dbn", trades())
    async with as_owner(loads) as connection:
        await connection.execute("ALTER TABLE ingest.chunks DISABLE TRIGGER USER")
        await connection.execute("UPDATE ingest.chunks SET receipt = receipt - 'removed'")
    assert (await looked(loads)).adds_up


async def test_a_receipt_that_does_not_add_up_is_found(loads: Bench, tmp_path: Path) -> None:
    """Where somebody took the ledger's own check away."""
    [(first, receipt), *_] = await loaded(loads, tmp_path / "a.dbn", trades())
    await retell(loads, first, '{"fetched": 1}')
    assert told(await looked(loads)) == [(first, Aspect.RECEIPT, 1, receipt.stored)]


# --- how it looks ---------------------------------------------------------------------------------


async def test_a_transaction_never_holds_more_than_one_hypertable_chunk(
    on_timescale: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the second look too, which sees all of them at one moment: its locks go with each count.

    And a count that comes often is no more expensive than the first: PostgreSQL's generic plans
    would lock every hypertable chunk from the sixth on.
    """
    loads, held, counted = on_timescale, [], []
    await loaded(loads, tmp_path / "a.dbn", trades(1_200, days=12), days=12)
    await tamper(loads, "DELETE FROM trades_data WHERE sequence % 7 = 0")
    fetch_locks = (
        "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation "
        "WHERE l.pid = pg_backend_pid() AND c.relkind = 'r' AND c.relname LIKE '\\_hyper%'"
    )
    rows, placed = recount.rows, recount.placed

    class Watched:
        """The connection, which tells what is locked whenever it has fetched."""

        def __init__(self, connection: Any) -> None:
            self.connection = connection

        def __getattr__(self, name: str) -> Any:
            return getattr(self.connection, name)

        async def fetch(self, *values: Any) -> Any:
            found = await self.connection.fetch(*values)
            held.append(await self.connection.fetchval(fetch_locks))
            return found

    async def watched(connection: Any, stretch: Any) -> Any:
        counted.append((stretch.low, False))
        return await rows(Watched(connection), stretch)

    async def watched_again(connection: Any, stretch: Any, spans: Any) -> Any:
        counted.append((stretch.low, True))
        return await placed(Watched(connection), stretch, spans)

    monkeypatch.setattr(recount, "rows", watched)
    monkeypatch.setattr(recount, "placed", watched_again)
    found = await looked(loads)
    first = [low for low, again in counted if not again]
    second = [low for low, again in counted if again]
    assert len(found.differences) == 10
    assert len(first) == len(set(first)) == 10
    assert second == first
    assert held == [1] * 20


async def test_only_the_hypertable_chunks_of_the_job_are_read(
    on_timescale: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last day of ten years is verified in the time of a day."""
    loads, counted = on_timescale, []
    await loaded(loads, tmp_path / "a" / "a.dbn", trades(500, days=5), days=5)
    late = make_trades(100, start=MONDAY + 4 * DAY, seed=3)
    path = write(tmp_path / "b" / "b.dbn", late, start=MONDAY + 4 * DAY, end=MONDAY + 5 * DAY)
    [chunk_id] = await loads.chunks(path)
    await loads.run(await loads.claim(chunk_id))
    rows = recount.rows

    async def watched(connection: Any, stretch: Any) -> Any:
        counted.append(stretch)
        return await rows(connection, stretch)

    monkeypatch.setattr(recount, "rows", watched)
    found = await looked(loads, await job_of(loads, chunk_id))
    assert (found.adds_up, found.rows) == (True, 100)
    assert [(each.table.name, each.low.date().isoformat()) for each in counted] == [
        ("trades_data", "2024-03-15")
    ]


async def test_loads_that_go_on_meanwhile_raise_no_false_alarm(
    loads: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fresh chunks, and corrections of corrections, committed between any two counts."""
    monkeypatch.setattr("ingestor.insights.verification._BATCH", 2)
    days, stop, looks_again = 4, asyncio.Event(), 0
    records = trades(200, days=days)
    await loaded(loads, tmp_path / "0" / "0.dbn", records, days=days)

    async def keep_loading() -> int:
        rounds = 0
        while not stop.is_set():
            rounds += 1
            changed = records.copy()
            changed["price"][rounds % 3 :: 3] += rounds
            fresh = trades(50, days=days, seed=rounds)
            await loaded(loads, tmp_path / str(rounds) / "c.dbn", changed, days=days)
            await loaded(loads, tmp_path / f"{rounds}f" / "f.dbn", fresh, days=days)
        return rounds

    again = type_of_look().again

    async def counted_again(*values: Any) -> Any:
        nonlocal looks_again
        looks_again += 1
        return await again(*values)

    monkeypatch.setattr(type_of_look(), "again", counted_again)
    rows = recount.rows

    async def slowly(*values: Any) -> Any:
        await asyncio.sleep(0.05)
        return await rows(*values)

    monkeypatch.setattr(recount, "rows", slowly)
    loading = asyncio.create_task(keep_loading())
    try:
        found = [await looked(loads) for _ in range(8)]
    finally:
        stop.set()
        rounds = await loading
    assert [told(each) for each in found] == [[]] * 8
    assert found[-1].chunks > found[0].chunks
    assert rounds > 1
    assert looks_again > 0, "nothing moved between two counts: this proved nothing"


async def test_a_chunk_that_comes_in_between_two_counts_is_looked_at_whole(
    loads: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only its quarantined record was seen: its rows are looked for where they belong."""
    await loaded(loads, tmp_path / "a" / "a.dbn", trades(100, days=1), days=1)
    path = write(tmp_path / "b" / "b.dbn", spoilt(trades(100, days=1, seed=1), 5))
    [late] = await loads.chunks(path)
    quarantined, calls = recount.quarantined, []

    async def after_a_load(*values: Any) -> Any:
        calls.append(values[1:])
        if len(calls) == 1:
            await loads.run(await loads.claim(late))
        return await quarantined(*values)

    monkeypatch.setattr(recount, "quarantined", after_a_load)
    found = await looked(loads)
    assert told(found) == []
    assert calls == [(None,), (None, [late])]


def type_of_look() -> Any:
    from ingestor.insights import verification

    return verification._Look


async def test_the_reader_suffices_and_nothing_is_written(loads: Bench, tmp_path: Path) -> None:
    """Every transaction of it is read-only, whoever runs it."""
    [(first, _), *_] = await loaded(loads, tmp_path / "a.dbn", trades())
    await tamper(loads, "DELETE FROM trades_data WHERE chunk_id = $1", first)
    async with as_owner(loads) as connection:
        name = await connection.fetchval("SELECT current_database()")
        await connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    assert len((await looked(loads)).differences) == 1


# --- the command ----------------------------------------------------------------------------------


def hdi(loads: Bench, *words: str) -> subprocess.CompletedProcess[str]:
    """The command as a process of its own."""
    return subprocess.run(
        [*HDI, *words], env=environment(loads.settings), capture_output=True, text=True,
        timeout=60, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


async def test_the_command_ends_with_0_where_everything_adds_up(
    loads: Bench, tmp_path: Path
) -> None:
    """One line, on stdout; nothing on stderr."""
    await loaded(loads, tmp_path / "a.dbn", spoilt(trades(), 5))
    done = await asyncio.to_thread(hdi, loads, "verify")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(
        "everything adds up: 3 chunks, 299 rows, 1 quarantined record, counted in "
    )
    assert done.stdout.count("\n") == 1


async def test_the_command_ends_with_1_and_says_what_is_wrong_and_what_next(
    loads: Bench, tmp_path: Path
) -> None:
    """A table of what differs; the error is a line of what and a line of what next."""
    [(first, receipt), *_] = await loaded(loads, tmp_path / "a.dbn", trades())
    await tamper(loads, "DELETE FROM trades_data WHERE chunk_id = $1", first)
    job_id = await job_of(loads, first)
    done = await asyncio.to_thread(hdi, loads, "verify", "@last")
    head, _, columns, row = done.stdout.splitlines()
    error, following = done.stderr.splitlines()
    assert done.returncode == 1
    assert head.startswith("NOT everything adds up: 3 chunks, ")
    assert columns.split("\t") == [
        "chunk", "job", "of", "state", "what", "expected", "found", "next",
    ]  # fmt: skip
    assert row.split("\t") == [
        str(first), str(job_id)[:8], "GLBX.MDP3 trades", "completed", "rows", str(receipt.stored),
        "0", "rows were deleted: load these days again with --force",
    ]  # fmt: skip
    assert error == ("error: what is stored of 1 chunk is not what receipts and supersessions say")
    assert following.startswith("next:  docs/how-to/verify.md")


async def test_the_command_as_json_is_one_object_either_way(loads: Bench, tmp_path: Path) -> None:
    """With the exit code beside it."""
    [(first, receipt), *_] = await loaded(loads, tmp_path / "a.dbn", trades())
    well = await asyncio.to_thread(hdi, loads, "verify", "--json")
    await tamper(loads, "DELETE FROM trades_data WHERE chunk_id = $1", first)
    ill = await asyncio.to_thread(hdi, loads, "verify", "--json")
    before, after = json.loads(well.stdout), json.loads(ill.stdout)
    assert (well.returncode, ill.returncode) == (0, 1)
    assert before.pop("elapsed_s") >= 0
    assert before == {
        "schema_version": 1, "adds_up": True, "job_id": None, "chunks": 3, "open_chunks": 0,
        "rows": 300, "quarantined": 0, "wrong_chunks": 0, "differences": [], "realm": None,
    }  # fmt: skip
    assert (after["adds_up"], after["wrong_chunks"]) == (False, 1)
    assert after["differences"] == [
        {
            "chunk_id": first, "job_id": str(await job_of(loads, first)), "dataset": "GLBX.MDP3",
            "schema": "trades", "state": "completed", "of": "rows", "expected": receipt.stored,
            "found": 0, "table": "",
        }
    ]  # fmt: skip


async def test_the_command_names_the_table_of_rows_that_no_receipt_accounts_for(
    loads: Bench, tmp_path: Path
) -> None:
    """The chunk alone would name the table of its schema."""
    [(first, _), *_] = await loaded(loads, tmp_path / "a.dbn", trades())
    await tamper(loads, _BAR, first)
    done = await asyncio.to_thread(hdi, loads, "verify")
    [row] = done.stdout.splitlines()[3:]
    assert done.returncode == 1
    assert row.split("\t")[4:] == [
        "rows that no receipt accounts for in daily_ohlcv_data", "0", "1",
        "see who wrote them; delete them",
    ]  # fmt: skip


async def test_simulated_data_are_said_to_be_so(loads: Bench) -> None:
    """On stderr, as with every answer from such a database."""
    await tamper(loads, "INSERT INTO ingest.meta (key, value) VALUES ('realm', '\"simulated\"')")
    done = await asyncio.to_thread(hdi, loads, "verify")
    assert done.returncode == 0
    assert done.stderr.startswith("SIMULATED DATA")


async def test_an_unknown_job_is_an_error_of_usage(loads: Bench) -> None:
    """As with every command that takes a job."""
    done = await asyncio.to_thread(hdi, loads, "verify", "march")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[0] == "error: no job is called 'march'"
