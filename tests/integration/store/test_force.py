"""Forced loads: what a whole payload lacks of its key space goes, and nothing else."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingestor.days import DaySet
from ingestor.errors import RemovalLimit
from ingestor.failpoint import VARIABLE, InjectedFault
from ingestor.job import SymbolInterval
from ingestor.model import STORED
from ingestor.receipt import Receipt
from ingestor.simulator.market import DAY, MONDAY, SECOND, UNDEFINED_TIME
from ingestor.sources.dbn_files import DbnFiles
from ingestor.sources.installed import Sources
from ingestor.sources.source import Payload
from ingestor.vocabulary import Schema
from tests.integration.store.test_merge_overlaps import check_accounts
from tests.loads import Bench, write
from tests.made import corrected, made

TRADES = Schema.TRADES
MON, TUE, WED = date(2024, 3, 11), date(2024, 3, 12), date(2024, 3, 13)
TUESDAY = MONDAY + DAY


@pytest.fixture
def files(tmp_path: Path) -> Any:
    """Writes sealed files, each in a folder of its own: no two are parts of one delivery."""
    count = 0

    def write_next(records: np.ndarray, schema: Schema = TRADES, **told: Any) -> Path:
        nonlocal count
        count += 1
        return write(tmp_path / str(count) / told.pop("name", "x.dbn.zst"), records, schema, **told)

    return write_next


async def force(bench: Bench, path: Path, **ask: Any) -> Receipt:
    [receipt] = await bench.load(path, force=True, **ask)
    return receipt


async def present(bench: Bench) -> list[tuple[int, int, int]]:
    """(publisher, instrument, day since MONDAY) of each trade that is stored."""
    rows = await bench.database.fetch(
        "SELECT publisher_id, instrument_id, ts_recv::DATE - '2024-03-11'::DATE AS day "
        "FROM trades_data ORDER BY 1, 2, 3"
    )
    return [tuple(row) for row in rows]


def allowing(bench: Bench, rows: int, share: float = 0) -> Bench:
    store = bench.settings.store.model_copy(
        update={"max_removal_rows": rows, "max_removal_share": share}
    )
    settings = bench.settings.model_copy(update={"store": store})
    return Bench(bench.place, settings, bench.database)


def one(instrument_id: int, *, day: int = 0, publisher_id: int = 1, count: int = 1) -> np.ndarray:
    return made(
        TRADES, count, start=MONDAY + day * DAY + 7 * SECOND, instrument_id=instrument_id,
        publisher_id=publisher_id,
    )  # fmt: skip


@pytest.fixture
def wrap(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts something between the source and the pipeline."""

    def use(fetching: Any = None, batching: Any = None) -> None:
        class Wrapped(DbnFiles):
            def fetch(self, claim: Any) -> Payload:
                found = super().fetch(claim)
                return found if fetching is None else fetching(found)

            def batches(self, payload: Payload, claim: Any, count: int) -> Iterator[Any]:
                made_batches = super().batches(payload, claim, count)
                yield from made_batches if batching is None else batching(made_batches)

        wrapped = Wrapped()
        monkeypatch.setattr(Sources, "named", lambda sources, name: wrapped)

    return use


# --- what goes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("schema", STORED)
async def test_the_table_holds_what_the_forced_payload_holds(
    any_bench: Bench, files: Any, schema: Schema
) -> None:
    """Of 60 rows 20 are equal, 10 corrected, 30 withdrawn; 15 are new. Each is counted."""
    records = made(schema, 75)
    older = np.concatenate([records[:20], corrected(records[20:30], schema), records[45:]])
    await any_bench.load(files(older, schema))
    named = {f"S{each}": [(MON, TUE, str(each))] for each in np.unique(records["instrument_id"])}
    newer = files(records[:45], schema, symbols=list(named), mappings=named)
    receipt = await force(any_bench, newer)
    assert (receipt.already_stored, receipt.corrected, receipt.removed) == (20, 10, 30)
    assert receipt.stored == 10 + 15
    await check_accounts(any_bench, schema)
    forced = await any_bench.rows(schema)
    await any_bench.clear()
    await any_bench.load(newer)
    assert forced == await any_bench.rows(schema)


async def test_rows_of_a_day_are_found_whatever_their_event_time(
    any_bench: Bench, files: Any
) -> None:
    """Requests are cut by ts_recv; hypertable chunks and locks by ts_event, days before it here."""
    records = made(TRADES, 4)
    records["ts_event"] -= np.uint64(40 * DAY)
    await any_bench.load(files(records))
    receipt = await force(any_bench, files(records[:1]))
    assert (receipt.removed, len(await present(any_bench))) == (3, 1)


async def test_all_symbols_is_all_instruments(any_bench: Bench, files: Any) -> None:
    """An instrument that the payload does not even name any more, too."""
    await any_bench.load(files(np.concatenate([one(5), one(6)]), symbols=["ALL_SYMBOLS"]))
    receipt = await force(any_bench, files(one(5), symbols=["ALL_SYMBOLS"]))
    assert (receipt.removed, await present(any_bench)) == (1, [(1, 5, 0)])


async def test_an_instrument_without_records_is_found_by_its_symbol(
    any_bench: Bench, files: Any
) -> None:
    both = {"ESM4": [(MON, TUE, "5")], "NQM4": [(MON, TUE, "6")]}
    told = {"symbols": ["ESM4", "NQM4"], "mappings": both}
    await any_bench.load(files(np.concatenate([one(5), one(6)]), **told))
    await force(any_bench, files(one(6), **told))
    assert await present(any_bench) == [(1, 6, 0)]


async def test_a_request_by_id_means_the_id_on_each_day(any_bench: Bench, files: Any) -> None:
    symbols = ["5", "6", "8"]
    told = {"stype_in": "instrument_id", "stype_out": "raw_symbol", "symbols": symbols}
    await any_bench.load(files(np.concatenate([one(5), one(6), one(7), one(8)])))
    # A raw symbol may be a number: it is no id.
    name = {"5": [(MON, TUE, "7")]}
    await force(any_bench, files(one(5), mappings=name, not_found=["8"], **told))
    assert await present(any_bench) == [(1, 5, 0), (1, 7, 0), (1, 8, 0)]


async def test_a_member_of_a_parent_that_has_no_records_any_more_loses_its_rows(
    any_bench: Bench, files: Any
) -> None:
    """A parent's file names its members by their raw symbols."""
    members = {"ESM4": [(MON, TUE, "5")], "ESU4": [(MON, TUE, "6")]}
    told = {"stype_in": "parent", "symbols": ["ES.FUT"], "mappings": members}
    await any_bench.load(files(np.concatenate([one(5), one(6), one(7)]), symbols=["ALL_SYMBOLS"]))
    receipt = await force(any_bench, files(one(5), **told))
    assert (receipt.removed, await present(any_bench)) == (1, [(1, 5, 0), (1, 7, 0)])


async def test_an_equal_forced_load_touches_no_row(any_bench: Bench, files: Any) -> None:
    path = files(made(TRADES, 50))
    await any_bench.load(path)
    query = "SELECT tableoid, ctid, xmin::TEXT, xmax::TEXT FROM trades_data ORDER BY 1, 2"
    before = await any_bench.database.fetch(query)
    receipt = await force(any_bench, path)
    assert (receipt.already_stored, receipt.stored, receipt.removed) == (50, 0, 0)
    assert await any_bench.database.fetch(query) == before


# --- what stays -----------------------------------------------------------------------------------


async def test_only_the_key_space_loses_rows(any_bench: Bench, files: Any) -> None:
    """Another day, another symbol's id, and the same id in another dataset all stay."""
    told = {"mappings": {"ESM4": [(MON, TUE, "5")]}}
    await any_bench.load(files(np.concatenate([one(5), one(5, count=2)[1:], one(6)]), **told))
    await any_bench.load(files(one(5, day=1), start=TUESDAY, end=TUESDAY + DAY))
    await any_bench.load(files(one(5, publisher_id=2), dataset="XNAS.ITCH", symbols=["ESM4"]))
    receipt = await force(any_bench, files(one(5), **told))
    assert receipt.removed == 1
    assert await present(any_bench) == [(1, 5, 0), (1, 5, 1), (1, 6, 0), (2, 5, 0)]


async def test_an_id_that_is_used_again_is_another_instrument(any_bench: Bench, files: Any) -> None:
    """5 was ESM4 on Monday and something else on Tuesday, when ESM4 was 6."""
    two = {"days": 2, "mappings": {"ESM4": [(MON, TUE, "5"), (TUE, WED, "6")]}}
    everything = np.concatenate([one(5), one(6), one(5, day=1), one(6, day=1)])
    await any_bench.load(files(everything, days=2, symbols=["ALL_SYMBOLS"]))
    receipt = await force(any_bench, files(one(5), **two))
    assert (receipt.removed, await present(any_bench)) == (1, [(1, 5, 0), (1, 5, 1), (1, 6, 0)])


async def test_a_contract_is_its_continuous_symbols_until_the_roll_only(
    any_bench: Bench, files: Any, wrap: Any
) -> None:
    """A name that is found for its id beside may hold for longer than the request asks for it."""
    beside = SymbolInterval("raw_symbol", "ESH4", "instrument_id", "5", "2024-03-11", "2024-03-13")
    wrap(fetching=lambda payload: replace(payload, symbology=(*payload.symbology, beside)))
    everything = np.concatenate([one(5), one(5, day=1), one(6, day=1), one(6, day=1, count=2)[1:]])
    await any_bench.load(files(everything, days=2, symbols=["ALL_SYMBOLS"]))
    rolls = {"ES.c.0": [(MON, TUE, "5"), (TUE, WED, "6")]}
    told = {"days": 2, "stype_in": "continuous", "symbols": ["ES.c.0"], "mappings": rolls}
    receipt = await force(any_bench, files(np.concatenate([one(5), one(6, day=1)]), **told))
    assert (receipt.removed, await present(any_bench)) == (1, [(1, 5, 0), (1, 5, 1), (1, 6, 1)])


async def test_what_a_symbol_led_to_formerly_stays(any_bench: Bench, files: Any) -> None:
    """The provider says today that ESM4 was 5 on Monday; what it once said, 6, is NQM4's."""
    await any_bench.load(files(one(6)[:0], mappings={"ESM4": [(MON, TUE, "6")]}))
    own = {"symbols": ["NQM4"], "mappings": {"NQM4": [(MON, TUE, "6")]}}
    await any_bench.load(files(one(6), **own))
    receipt = await force(any_bench, files(one(5), mappings={"ESM4": [(MON, TUE, "5")]}))
    assert (receipt.removed, await present(any_bench)) == (0, [(1, 5, 0), (1, 6, 0)])


async def test_a_former_contract_of_a_continuous_symbol_stays(any_bench: Bench, files: Any) -> None:
    """ES.c.0 was said to be 5 and is said to be 6: ESM4, held in its own right, is 5."""
    told = {"stype_in": "continuous", "symbols": ["ES.c.0"]}
    await any_bench.load(files(one(5), mappings={"ES.c.0": [(MON, TUE, "5")]}, **told))
    await any_bench.load(files(one(5), mappings={"ESM4": [(MON, TUE, "5")]}))
    await force(any_bench, files(one(6), mappings={"ES.c.0": [(MON, TUE, "6")]}, **told))
    assert await present(any_bench) == [(1, 5, 0), (1, 6, 0)]


async def test_an_id_without_a_name_is_not_another_days_instrument(
    any_bench: Bench, files: Any
) -> None:
    """6 comes nameless on Tuesday; on Monday it was NQM4."""
    told = {"symbols": ["NQM4"], "mappings": {"NQM4": [(MON, TUE, "6")]}}
    await any_bench.load(files(one(6), **told))
    stray = np.concatenate([one(5), one(6, day=1)])
    await force(any_bench, files(stray, days=2, mappings={"ESM4": [(MON, WED, "5")]}))
    assert await present(any_bench) == [(1, 5, 0), (1, 6, 0), (1, 6, 1)]


@pytest.mark.parametrize(
    "told", [{"name": "x.dbn"}, {"limit": 1}, {"end": TUESDAY - 1}], ids=["plain", "limit", "cut"]
)
async def test_a_partial_payload_removes_nothing(
    any_bench: Bench, files: Any, told: dict[str, Any]
) -> None:
    """It may lack what the provider has."""
    await any_bench.load(files(made(TRADES, 20)))
    receipt = await force(any_bench, files(made(TRADES, 1), **told))
    assert (receipt.removed, receipt.already_stored) == (0, 1)
    assert len(await present(any_bench)) == 20
    assert receipt.partial


async def test_days_that_the_provider_did_not_have_lose_nothing(
    any_bench: Bench, files: Any, wrap: Any
) -> None:
    records = np.concatenate([one(5), one(5, day=1)])
    await any_bench.load(files(records, days=2))
    tuesday = DaySet.of([TUESDAY // DAY])
    wrap(fetching=lambda payload: replace(payload, uncovered=tuesday))
    receipt = await force(any_bench, files(one(5), days=2))
    assert (receipt.removed, await present(any_bench)) == (0, [(1, 5, 0), (1, 5, 1)])


async def test_an_empty_payload_removes_where_it_is_proven(any_bench: Bench, files: Any) -> None:
    """A sealed file without a record says that there was nothing."""
    told = {"mappings": {"ESM4": [(MON, TUE, "5")]}}
    await any_bench.load(files(made(TRADES, 20), **told))
    receipt = await force(any_bench, files(made(TRADES, 0), **told))
    assert (receipt.removed, receipt.fetched, await present(any_bench)) == (20, 0, [])
    states = await any_bench.database.fetch("SELECT state FROM ingest.chunks ORDER BY chunk_id")
    assert [row["state"] for row in states] == ["completed", "completed_empty"]
    await check_accounts(any_bench, TRADES)


async def test_an_empty_payload_without_proof_removes_nothing(
    any_bench: Bench, files: Any, wrap: Any
) -> None:
    told = {"mappings": {"ESM4": [(MON, TUE, "5")]}}
    await any_bench.load(files(made(TRADES, 20), **told))
    wrap(fetching=lambda payload: replace(payload, proven=False))
    receipt = await force(any_bench, files(made(TRADES, 0), **told))
    assert (receipt.removed, len(await present(any_bench))) == (0, 20)


@pytest.mark.parametrize("field", ["partial", "not_found"])
async def test_a_symbol_that_did_not_resolve_keeps_its_rows(
    any_bench: Bench, files: Any, field: str
) -> None:
    """That the provider does not know it today proves nothing of its records."""
    both = {"ESM4": [(MON, TUE, "5")], "NQM4": [(MON, TUE, "6")]}
    symbols = ["ESM4", "NQM4"]
    await any_bench.load(files(np.concatenate([one(5), one(6)]), symbols=symbols, mappings=both))
    left = {"symbols": symbols, "mappings": {"ESM4": both["ESM4"]}, field: ["NQM4"]}
    await force(any_bench, files(one(5), **left))
    assert await present(any_bench) == [(1, 5, 0), (1, 6, 0)]


async def test_a_load_that_is_not_forced_removes_nothing(any_bench: Bench, files: Any) -> None:
    await any_bench.load(files(made(TRADES, 20)))
    [receipt] = await any_bench.load(files(made(TRADES, 1)))
    assert (receipt.removed, len(await present(any_bench))) == (0, 20)


# --- how much -------------------------------------------------------------------------------------


async def everything(bench: Bench) -> list[Any]:
    return [
        await bench.database.fetch(query)
        for query in (
            "SELECT * FROM trades_data ORDER BY instrument_id, ts_event, ts_recv, sequence",
            "SELECT * FROM ingest.supersessions",
            "SELECT chunk_id, position, superseded_by FROM ingest.quarantine",
            "SELECT * FROM ingest.coverage",
            "SELECT * FROM ingest.symbol_intervals",
            "SELECT receipt FROM ingest.chunks WHERE receipt IS NOT NULL",
        )
    ]


@pytest.mark.parametrize(
    ("rows", "share", "most"), [(9, 0, 9), (0, 0.099, 9), (0, 0, 0)], ids=["rows", "share", "none"]
)
async def test_past_the_limit_nothing_is_written(
    any_bench: Bench, files: Any, rows: int, share: float, most: int
) -> None:
    """10 of 100 rows would go, and may not: what is new or corrected does not come either."""
    records = made(TRADES, 105)
    await any_bench.load(files(records[:100]))
    before = await everything(any_bench)
    newer = np.concatenate([records[:80], corrected(records[80:90], TRADES), records[100:]])
    said = rf"lacks 10 of the 100 rows .* may remove {most} "
    with pytest.raises(RemovalLimit, match=said) as told:
        await force(allowing(any_bench, rows, share), files(newer))
    assert "--force --accept-removals" in told.value.hint
    assert await everything(any_bench) == before


@pytest.mark.parametrize(
    ("rows", "share", "told"),
    [(10, 0, {}), (0, 0.1, {}), (0, 0, {"accept_removals": True})],
    ids=["rows", "share", "accepted"],
)
async def test_up_to_the_limit_rows_go(
    any_bench: Bench, files: Any, rows: int, share: float, told: dict[str, Any]
) -> None:
    records = made(TRADES, 100)
    await any_bench.load(files(records))
    receipt = await force(allowing(any_bench, rows, share), files(records[:90]), **told)
    assert (receipt.removed, len(await present(any_bench))) == (10, 90)


# --- beside others --------------------------------------------------------------------------------


async def test_rows_that_come_in_while_it_waits_are_seen(
    any_bench: Bench, files: Any, wrap: Any
) -> None:
    """An append of the same symbol is under way. The forced load waits for the day that both have,
    finds rows on a day that it had not known of, owns that one, too, and removes them all.
    """
    early = one(5, count=3)
    early["ts_event"][0] -= np.uint64(3 * DAY)
    [append] = await any_bench.chunks(files(early))
    [forced] = await any_bench.chunks(files(one(5, count=4)[3:]), force=True)
    copying, go_on = threading.Event(), threading.Event()

    def batching(batches: Any) -> Iterator[Any]:
        if not copying.is_set():
            copying.set()
            assert go_on.wait(20)
        yield from batches

    wrap(batching=batching)
    first = asyncio.create_task(any_bench.race([append]))
    await asyncio.to_thread(copying.wait, 20)
    second = asyncio.create_task(any_bench.race([forced]))
    done, _ = await asyncio.wait({second}, timeout=0.7)
    go_on.set()
    [[stored], [receipt]] = await asyncio.gather(first, second)
    assert (done, stored.stored, receipt.removed) == (set(), 3, 3)
    await check_accounts(any_bench, TRADES)


async def test_forced_loads_at_once_leave_what_one_of_them_brought(
    any_bench: Bench, files: Any
) -> None:
    """Four of the same symbol and days, each with other records: the last one's remain."""
    records = made(TRADES, 80)
    await any_bench.load(files(records))
    parts = [records[at * 20 : at * 20 + 20] for at in range(4)]
    ids = [n for part in parts for n in await any_bench.chunks(files(part), force=True)]
    await any_bench.race(ids)
    left = await any_bench.records(TRADES)
    assert sorted(left) in [sorted(each.tobytes() for each in part) for part in parts]
    await check_accounts(any_bench, TRADES)


async def test_a_forced_load_that_dies_before_its_commit_changes_nothing(
    any_bench: Bench, files: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = made(TRADES, 20)
    bad["action"][3] = b"\xff"
    await any_bench.load(files(bad))
    before = await everything(any_bench)
    [chunk] = await any_bench.chunks(files(made(TRADES, 5)), force=True)
    with monkeypatch.context() as patched:
        patched.setenv(VARIABLE, "before_commit:raise")
        with pytest.raises(InjectedFault):
            await any_bench.run(await any_bench.claim(chunk, lease_s=0.01))
    assert await everything(any_bench) == before
    await asyncio.sleep(0.05)
    receipt = await any_bench.run(await any_bench.claim(chunk))
    assert (receipt.removed, len(await present(any_bench))) == (15, 5)


# --- quarantine -----------------------------------------------------------------------------------


async def superseded(bench: Bench) -> list[tuple[int, int, int | None]]:
    """(chunk, place, chunk that took its place) of each quarantined record."""
    rows = await bench.database.fetch(
        "SELECT chunk_id, position, superseded_by FROM ingest.quarantine ORDER BY 1, 2"
    )
    return [tuple(row) for row in rows]


async def test_quarantine_says_what_a_record_is_of(any_bench: Bench, files: Any) -> None:
    """Publisher, instrument and index timestamp in nanoseconds, null where it has none."""
    bad = made(TRADES, 2, start=MONDAY + 1)
    bad["action"] = b"\xff"
    bad["ts_recv"][1] = UNDEFINED_TIME
    await any_bench.load(files(bad))
    rows = await any_bench.database.fetch(
        "SELECT publisher_id, instrument_id, index_ns FROM ingest.quarantine ORDER BY position"
    )
    assert [tuple(row) for row in rows] == [(1, 5, MONDAY + 1), (1, 5, None)]


@pytest.mark.parametrize("symbols", [["ESM4"], ["ALL_SYMBOLS"]], ids=["symbol", "all"])
async def test_quarantined_records_of_the_key_space_are_superseded(
    any_bench: Bench, files: Any, symbols: list[str]
) -> None:
    """Those of the payload itself, and of another day, are not. One without index timestamp lies
    in the space where its chunk's days do.
    """
    days = made(TRADES, 4, step=DAY // 2)
    days["action"] = b"\xff"
    days["ts_recv"][1] = UNDEFINED_TIME
    two = files(days[2:], start=TUESDAY, end=TUESDAY + DAY, symbols=symbols)
    monday = files(days[:2], symbols=symbols)
    [first] = await any_bench.chunks(monday)
    await any_bench.run(await any_bench.claim(first))
    [other] = await any_bench.chunks(two)
    await any_bench.run(await any_bench.claim(other))
    [forced] = await any_bench.chunks(monday, force=True)
    receipt = await any_bench.run(await any_bench.claim(forced))
    assert receipt.quarantined == 2
    assert await superseded(any_bench) == [
        (first, 0, forced), (first, 1, forced), (other, 0, None), (other, 1, None),
        (forced, 0, None), (forced, 1, None),
    ]  # fmt: skip


async def test_quarantined_records_of_another_instrument_or_schema_stay(
    any_bench: Bench, files: Any
) -> None:
    bad = np.concatenate([one(6), one(6, publisher_id=1)])
    bad["action"] = b"\xff"
    await any_bench.load(files(bad, symbols=["NQM4"]))
    bar = made(Schema.OHLCV_1M, 1)
    bar["volume"] = 2**64 - 1
    await any_bench.load(files(bar, Schema.OHLCV_1M))
    await force(any_bench, files(one(5)))
    assert {taken for _, _, taken in await superseded(any_bench)} == {None}
