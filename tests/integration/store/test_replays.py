"""Replays: the table holds what today's rules make of the payload, and it all adds up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingestor.errors import BadJob
from ingestor.failpoint import VARIABLE, InjectedFault
from ingestor.job import Claim
from ingestor.model import STORED
from ingestor.simulator.market import DAY, MONDAY
from ingestor.store.insight_rows import tally
from ingestor.vocabulary import Role, Schema
from tests.loads import Bench, write
from tests.made import corrected, made
from tests.replays import check, planned, replay

TRADES = Schema.TRADES
FIRST = "id: first, severity: quarantine, check: sequence > 1"
LAST = "id: last, severity: quarantine, check: sequence < 6"
NOTHING = "id: nothing, severity: quarantine, check: sequence >= 0"


def trades(count: int = 14) -> np.ndarray:
    """Their sequence is 1 … 7, again and again."""
    return made(TRADES, count)


async def loaded(bench: Bench, path: Path, records: np.ndarray, **ask: Any) -> Claim:
    """A chunk that is loaded by the rules of now."""
    [chunk_id] = await bench.chunks(write(path, records), **ask)
    claim = await bench.claim(chunk_id)
    await bench.run(claim)
    return claim


async def sequences(bench: Bench) -> list[int]:
    rows = await bench.database.fetch("SELECT sequence FROM trades_data ORDER BY ts_recv")
    return [row["sequence"] for row in rows]


async def quarantined(bench: Bench) -> list[tuple[int, str, bool]]:
    """(position, rule, whether it counts no more) of all that is there."""
    rows = await bench.database.fetch(
        "SELECT position, rule, superseded_by IS NOT NULL FROM ingest.quarantine ORDER BY 1, 3, 2"
    )
    return [tuple(row) for row in rows]


async def tamper(bench: Bench, *statements: str) -> None:
    async with bench.place.open(Role.OWNER) as owner, owner.connection() as connection:
        for statement in statements:
            assert (await connection.execute(statement)).split()[-1] != "0"


# --- what comes and goes --------------------------------------------------------------------------


async def test_a_replay_adds_removes_and_corrects_and_leaves_the_rest_alone(
    any_bench: Bench, tmp_path: Path
) -> None:
    """What was refused and is not now comes, what is refused now goes, what reads differently is
    corrected; equal rows are not even touched.
    """
    any_bench.rule(TRADES, FIRST)
    claim = await loaded(any_bench, tmp_path / "a.dbn", trades())
    await tamper(any_bench, "UPDATE trades_data SET price = 99 WHERE sequence = 3")
    untouched = "SELECT ctid, tableoid, xmin::TEXT FROM trades_data WHERE sequence IN (2, 4, 5)"
    before = await any_bench.database.fetch(f"{untouched} ORDER BY 1, 2")
    any_bench.rule(TRADES, LAST)
    receipt = await replay(any_bench, claim)
    assert (receipt.stored, receipt.corrected, receipt.removed) == (4, 2, 4)
    assert (receipt.already_stored, receipt.quarantined, receipt.fetched) == (6, 4, 14)
    assert await sequences(any_bench) == [1, 2, 3, 4, 5] * 2
    assert await any_bench.database.fetch(f"{untouched} ORDER BY 1, 2") == before
    await check(any_bench)


async def test_what_was_quarantined_counts_no_more(any_bench: Bench, tmp_path: Path) -> None:
    """Each record of the payload is a row, or in quarantine once that still counts."""
    any_bench.rule(TRADES, FIRST)
    claim = await loaded(any_bench, tmp_path / "a.dbn", trades(7))
    any_bench.rule(TRADES, LAST)
    receipt = await replay(any_bench, claim)
    assert await quarantined(any_bench) == [
        (0, "first", True), (5, "last", False), (6, "last", False),
    ]  # fmt: skip
    assert receipt.rejected == {"last": 2}
    assert receipt.rules_hash


@pytest.mark.parametrize("schema", STORED)
async def test_replayed_rows_are_those_of_a_first_load(
    plain_bench: Bench, tmp_path: Path, schema: Schema
) -> None:
    """Of every schema: half is refused, then none, then the other half."""
    low = "id: low, severity: quarantine, check: instrument_id < 6"
    high = "id: high, severity: quarantine, check: instrument_id > 5"
    records = made(schema, 40)
    records["instrument_id"] = 5 + np.arange(40) % 2
    path = write(tmp_path / "a.dbn", records, schema)
    plain_bench.rule(schema, low)
    [chunk_id] = await plain_bench.chunks(path)
    claim = await plain_bench.claim(chunk_id)
    await plain_bench.run(claim)
    for rule in (NOTHING.replace("sequence", "publisher_id"), high):
        plain_bench.rule(schema, rule)
        await replay(plain_bench, claim)
        await check(plain_bench)
    replayed = await plain_bench.rows(schema)
    assert len(replayed) == 20
    await plain_bench.clear()
    await plain_bench.load(path)
    assert await plain_bench.rows(schema) == replayed


async def test_a_replay_by_the_same_rules_changes_nothing(any_bench: Bench, tmp_path: Path) -> None:
    """Not a row is written, and the quarantined record is there once that counts."""
    any_bench.rule(TRADES, FIRST)
    claim = await loaded(any_bench, tmp_path / "a.dbn", trades(7))
    rows = await any_bench.rows(TRADES, chunk_id=True)
    receipt = await replay(any_bench, claim)
    assert (receipt.already_stored, receipt.stored, receipt.removed) == (6, 0, 0)
    assert await any_bench.rows(TRADES, chunk_id=True) == rows
    assert await quarantined(any_bench) == [(0, "first", False), (0, "first", True)]
    await check(any_bench)


async def test_a_payload_may_be_replayed_again_from_any_of_its_chunks(
    any_bench: Bench, tmp_path: Path
) -> None:
    """Rows of earlier replays are the payload's as those of the first load are."""
    any_bench.rule(TRADES, FIRST)
    first = await loaded(any_bench, tmp_path / "a.dbn", trades(7))
    any_bench.rule(TRADES, NOTHING)
    second = await any_bench.claim(await planned(any_bench, first))
    await any_bench.run(second)
    for rule, left in ((LAST, [1, 2, 3, 4, 5]), (FIRST, [2, 3, 4, 5, 6, 7])):
        for claim in (second, first):
            any_bench.rule(TRADES, rule)
            await replay(any_bench, claim)
            assert await sequences(any_bench) == left
            await check(any_bench)


async def test_a_payload_that_proves_nothing_is_replayed_as_well(
    any_bench: Bench, tmp_path: Path
) -> None:
    """A file with a limit takes no rows of others away, but its own."""
    any_bench.rule(TRADES, NOTHING)
    await loaded(any_bench, tmp_path / "other" / "a.dbn", made(TRADES, 2, instrument_id=9))
    path = write(tmp_path / "a.dbn", trades(7), limit=100)
    [chunk_id] = await any_bench.chunks(path)
    claim = await any_bench.claim(chunk_id)
    assert (await any_bench.run(claim)).partial
    any_bench.rule(TRADES, "id: own, severity: quarantine, check: instrument_id == 9")
    receipt = await replay(any_bench, claim)
    assert (receipt.removed, receipt.quarantined) == (7, 7)
    assert len(await any_bench.rows(TRADES)) == 2
    await check(any_bench)


async def test_as_much_goes_as_rules_refuse(any_bench: Bench, tmp_path: Path) -> None:
    """No removal limit applies: what goes is in quarantine."""
    store = any_bench.settings.store.model_copy(
        update={"max_removal_rows": 0, "max_removal_share": 0}
    )
    settings = any_bench.settings.model_copy(update={"store": store})
    strict = Bench(any_bench.place, settings, any_bench.database)
    strict.rule(TRADES, NOTHING)
    claim = await loaded(strict, tmp_path / "a.dbn", trades(90))
    strict.rule(TRADES, "id: all, severity: quarantine, check: sequence < 0")
    assert (await replay(strict, claim)).removed == 90


async def test_rows_are_found_wherever_the_payload_made_them(
    any_bench: Bench, tmp_path: Path
) -> None:
    """A mapping that is changed may make other times of the same payload: the row of a day of
    which the payload has no record by today's mapping goes.
    """
    any_bench.rule(TRADES, NOTHING)
    claim = await loaded(any_bench, tmp_path / "a.dbn", trades(7))
    early = MONDAY - 40 * DAY
    await tamper(
        any_bench,
        "WITH gone AS (DELETE FROM trades_data WHERE sequence < 3 RETURNING *) "
        "INSERT INTO trades_data SELECT m.* FROM gone, jsonb_populate_record(NULL::trades_data, "
        "to_jsonb(gone) || jsonb_build_object('ts_event', ts_event - INTERVAL '40 days')) AS m",
        f"UPDATE ingest.chunks SET event_min = {early} WHERE chunk_id = {claim.chunk_id}",
    )
    receipt = await replay(any_bench, claim)
    assert (receipt.removed, receipt.stored, receipt.already_stored) == (2, 2, 5)
    assert await sequences(any_bench) == [1, 2, 3, 4, 5, 6, 7]
    await check(any_bench)


# --- rows of other deliveries ---------------------------------------------------------------------


async def test_a_refused_record_that_another_chunk_stored_goes(
    any_bench: Bench, tmp_path: Path
) -> None:
    """The same record was delivered twice and is one row, of the first chunk: a rule that refuses
    it now must not be outlived by it.
    """
    any_bench.rule(TRADES, NOTHING)
    await loaded(any_bench, tmp_path / "a.dbn", trades(7))
    again = await loaded(any_bench, tmp_path / "b" / "a.dbn", trades(5))
    any_bench.rule(TRADES, FIRST)
    receipt = await replay(any_bench, again)
    assert (receipt.removed, receipt.already_stored) == (1, 4)
    assert await sequences(any_bench) == [2, 3, 4, 5, 6, 7]
    await check(any_bench)


async def test_what_a_newer_delivery_says_stays(any_bench: Bench, tmp_path: Path) -> None:
    """A replay applies rules, it does not bring back what has been corrected since; not even
    where a rule refuses the outdated record.
    """
    any_bench.rule(TRADES, NOTHING)
    old = await loaded(any_bench, tmp_path / "a.dbn", trades(7))
    newer = corrected(trades(7)[:2], TRADES)
    newer["size"] = 50
    await loaded(any_bench, tmp_path / "b" / "a.dbn", newer)
    before = await any_bench.rows(TRADES, chunk_id=True)
    receipt = await replay(any_bench, old)
    assert (receipt.corrected, receipt.already_stored) == (0, 7)
    any_bench.rule(TRADES, "id: size, severity: quarantine, check: size >= 2")
    receipt = await replay(any_bench, old)
    assert (receipt.removed, receipt.quarantined) == (0, 1)
    assert await any_bench.rows(TRADES, chunk_id=True) == before
    await check(any_bench)


async def test_a_replay_of_an_older_delivery_is_no_newer_delivery(
    any_bench: Bench, tmp_path: Path
) -> None:
    """What counts is when a payload came, not when it was loaded again."""
    any_bench.rule(TRADES, NOTHING)
    old = await loaded(any_bench, tmp_path / "a.dbn", trades(7))
    new = await loaded(any_bench, tmp_path / "b" / "a.dbn", trades(7))
    await tamper(any_bench, "UPDATE trades_data SET price = 99 WHERE sequence = 3")
    assert (await replay(any_bench, old)).corrected == 1
    await tamper(any_bench, "UPDATE trades_data SET price = 99 WHERE sequence = 3")
    assert (await replay(any_bench, new)).corrected == 1
    await check(any_bench)


async def test_what_a_provider_has_withdrawn_does_not_come_back(
    any_bench: Bench, tmp_path: Path
) -> None:
    """A forced load took rows away: the older payload is outdated and is not loaded again."""
    any_bench.rule(TRADES, NOTHING)
    old = await loaded(any_bench, tmp_path / "a.dbn.zst", trades(7))
    newer = write(tmp_path / "b" / "a.dbn.zst", trades(7)[2:])
    [chunk_id] = await any_bench.chunks(newer, force=True)
    await any_bench.run(await any_bench.claim(chunk_id))
    chunk = await any_bench.claim(await planned(any_bench, old))
    with pytest.raises(BadJob, match=rf"chunk {chunk_id} took 2 of its rows away"):
        await any_bench.run(chunk)
    assert await sequences(any_bench) == [3, 4, 5, 6, 7]


# --- together with others, and interrupted --------------------------------------------------------


async def test_two_replays_at_once_end_as_one_after_the_other(
    any_bench: Bench, tmp_path: Path
) -> None:
    """Of one payload: no row and no supersession is counted twice."""
    any_bench.rule(TRADES, FIRST)
    claim = await loaded(any_bench, tmp_path / "a.dbn", trades(700))
    any_bench.rule(TRADES, LAST)
    chunks = [await planned(any_bench, claim) for _ in range(2)]
    receipts = await any_bench.race(chunks)
    assert sorted(receipt.removed for receipt in receipts) == [0, 200]
    assert sorted(receipt.stored for receipt in receipts) == [0, 100]
    assert await sequences(any_bench) == [1, 2, 3, 4, 5] * 100
    assert [each for each in await quarantined(any_bench) if not each[2]] == [
        (at, "last", False) for at in range(700) if at % 7 >= 5
    ]
    await check(any_bench)


@pytest.mark.parametrize("point", ["copy@100", "before_commit"])
async def test_a_replay_that_is_interrupted_leaves_nothing_behind(
    any_bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    """Tried again, it does the whole, and nothing is in quarantine or flagged twice."""
    flag = "id: odd, severity: flag, check: sequence != 3"
    any_bench.rule(TRADES, FIRST, flag)
    claim = await loaded(any_bench, tmp_path / "a.dbn", trades(7))
    any_bench.rule(TRADES, LAST, flag)
    rows = await any_bench.rows(TRADES, chunk_id=True)
    chunk_id = await planned(any_bench, claim)
    monkeypatch.setenv(VARIABLE, f"{point}:raise")
    again = await any_bench.claim(chunk_id, lease_s=0)
    with pytest.raises(InjectedFault):
        await any_bench.run(again)
    assert await any_bench.rows(TRADES, chunk_id=True) == rows
    assert await quarantined(any_bench) == [(0, "first", False)]
    monkeypatch.delenv(VARIABLE)
    await any_bench.run(await any_bench.claim(chunk_id, worker="w/2"))
    assert await sequences(any_bench) == [1, 2, 3, 4, 5]
    flagged = await any_bench.database.fetch("SELECT chunk_id FROM ingest.flagged ORDER BY 1")
    assert [row["chunk_id"] for row in flagged] == [claim.chunk_id, chunk_id]
    await check(any_bench)


# --- quarantine and flags -------------------------------------------------------------------------


async def test_what_was_discarded_stays_discarded(any_bench: Bench, tmp_path: Path) -> None:
    """The same rule refuses the same record again: the decision holds. Of another rule it must be
    made anew.
    """
    any_bench.rule(TRADES, FIRST)
    claim = await loaded(any_bench, tmp_path / "a.dbn", trades(14))
    await any_bench.database.fetch(
        "UPDATE ingest.quarantine SET resolution = 'discarded', resolved_at = now(), "
        "resolved_reason = 'known' WHERE position = 0 RETURNING 1"
    )
    await replay(any_bench, claim)
    waiting = (
        "SELECT position, resolved_reason FROM ingest.quarantine "
        "WHERE superseded_by IS NULL ORDER BY position"
    )
    found = await any_bench.database.fetch(waiting)
    assert [tuple(row) for row in found] == [(0, "known"), (7, None)]
    any_bench.rule(TRADES, FIRST.replace("first", "renamed"))
    await replay(any_bench, claim)
    found = await any_bench.database.fetch(waiting)
    assert [tuple(row) for row in found] == [(0, None), (7, None)]


async def test_flags_are_listed_up_to_the_limit_and_counted_all(
    any_bench: Bench, tmp_path: Path
) -> None:
    """Per rule, over batches; the receipt has the full counts, and so has the job."""
    store = any_bench.settings.store.model_copy(update={"flags_kept": 3, "batch_records": 10})
    settings = any_bench.settings.model_copy(update={"store": store})
    few = Bench(any_bench.place, settings, any_bench.database)
    few.rule(
        TRADES,
        "id: odd, severity: flag, check: sequence != 3",
        "id: even, severity: flag, check: 'sequence != 4 and sequence != 3'",
    )
    claim = await loaded(few, tmp_path / "a.dbn", trades(70))
    rows = await few.database.fetch(
        "SELECT rule, array_agg(position ORDER BY position) AS at, min(reason) AS reason "
        "FROM ingest.flagged WHERE chunk_id = $1 GROUP BY rule ORDER BY rule", claim.chunk_id
    )  # fmt: skip
    assert [(row["rule"], row["at"]) for row in rows] == [
        ("even", [2, 3, 9]), ("odd", [2, 9, 16]),
    ]  # fmt: skip
    receipt = await few.database.fetchval(
        "SELECT receipt FROM ingest.chunks WHERE chunk_id = $1", claim.chunk_id
    )
    assert (receipt["flagged"], receipt["flags"]) == (20, {"even": 20, "odd": 10})
    assert (await tally(few.database, claim.job_id)).counts.flagged == 20
    assert len(await few.rows(TRADES)) == 70


async def test_quarantine_holds_what_people_need_to_read(
    plain_bench: Bench, tmp_path: Path
) -> None:
    """Readable values, the columns of the rule, and the hash of the files that the receipt has."""
    check = "price < 5 or size > 5"
    plain_bench.rule(TRADES, f"id: dear, severity: quarantine, check: {check}, reason: too dear")
    records = trades(2)
    records["price"] = [1_500_000_000, 10_250_000_000]
    claim = await loaded(plain_bench, tmp_path / "a.dbn", records)
    row = await plain_bench.database.fetchrow("SELECT * FROM ingest.quarantine")
    assert row is not None
    assert (row["position"], row["field"], row["value"], row["reason"]) == (
        1, "price", "price 10.25, size 2", "too dear",
    )  # fmt: skip
    assert row["readable"]["ts_recv"] == "2024-03-11T00:00:01.000000000Z"
    receipt = await plain_bench.database.fetchval(
        "SELECT receipt FROM ingest.chunks WHERE chunk_id = $1", claim.chunk_id
    )
    assert row["rules_hash"] == receipt["rules_hash"]


async def test_what_no_one_can_read_is_kept_readable_nevertheless(
    plain_bench: Bench, tmp_path: Path
) -> None:
    """Text with NUL and without meaning in UTF-8, which JSON of PostgreSQL cannot hold as it is."""
    records = made(Schema.DEFINITION, 2)
    records["raw_symbol"] = [b"a\0b", b"\xff\\t"]
    await plain_bench.load(write(tmp_path / "a.dbn", records, Schema.DEFINITION))
    rows = await plain_bench.database.fetch(
        "SELECT rule, readable->>'raw_symbol' AS symbol FROM ingest.quarantine ORDER BY position"
    )
    assert [tuple(row) for row in rows] == [
        ("raw_symbol.text", r"a\x00b"), ("raw_symbol.text", r"\xff\t"),
    ]  # fmt: skip


async def test_a_chunk_of_which_nothing_is_stored_is_all_in_quarantine(
    plain_bench: Bench, tmp_path: Path
) -> None:
    """Each once, with its place, and the sums agree."""
    plain_bench.rule(TRADES, "id: all, severity: quarantine, check: sequence < 0")
    claim = await loaded(plain_bench, tmp_path / "a.dbn.zst", made(TRADES, 20_000))
    row = await plain_bench.database.fetchrow(
        "SELECT count(DISTINCT position) AS places, max(position) AS last FROM ingest.quarantine "
        "WHERE chunk_id = $1", claim.chunk_id
    )  # fmt: skip
    assert row is not None
    assert tuple(row) == (20_000, 19_999)
    await check(plain_bench)
