"""`hdi quarantine replay`: what passes today's rules is stored once, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ingestor.errors import ReplayInterrupted
from ingestor.origins import open_sources
from ingestor.replay import quarantined
from ingestor.replay.outcome import Replayed
from ingestor.replay.quarantined import Release
from ingestor.simulator.market import DAY, MONDAY, SECOND
from ingestor.store import ledger, reaping, refused
from ingestor.vocabulary import ChunkState, Schema
from tests.integration.cli.conftest import Desk
from tests.integration.cli.quarantines import Ward, rule, some_trades, timeless, ward
from tests.loads import Bench, blank

SMALL = rule("size-large", "size > 3")
LOOSE = rule("size-large", "size > 1")
TIMEOUT_S = 60


@pytest.fixture(name="ward")
def made_ward(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ward:
    made = ward(desk, tmp_path)
    monkeypatch.setenv("HDI_CONFIG_DIR", str(made.settings.config_dir))
    return made


def loaded(ward: Ward, count: int = 10) -> Any:
    """Trades of sizes 1 … `count`, of which 1, 2 and 3 are in quarantine."""
    ward.rules(SMALL)
    return ward.load_records(some_trades(count))


def test_what_passes_is_stored_with_the_place_that_it_had(ward: Ward) -> None:
    """Sizes 1 and 2 share their key: the second of them keeps ordinal 1 without the first."""
    job = loaded(ward)
    ward.rules(LOOSE)
    told = ward.json("replay", "--job", str(job))

    assert ward.stored() == [(at // 2, at % 2, at + 1) for at in range(1, 10)]
    assert (told["asked"], told["stored"], told["still_quarantined"]) == (3, 2, 1)
    assert told["staying"] == [{"rule": "size-large", "why": "rule", "records": 1}]
    [chunk] = told["chunks"]
    counts = {name: chunk["receipt"][name] for name in ("fetched", "stored", "still_quarantined")}
    assert counts == {"fetched": 2, "stored": 2, "still_quarantined": 1}
    assert chunk["receipt"]["rules_hash"] != ""
    assert ward.waiting() == [1]
    ward.require_sums()


def test_a_release_is_a_job_that_has_completed(ward: Ward) -> None:
    """It has the source and dataset of the job that delivered the records, and proves no day."""
    loaded(ward)
    before = ward.fetch("SELECT * FROM ingest.coverage")
    ward.rules()
    ward.quarantine("replay", "--rule", "size-large")
    [row] = ward.fetch(
        "SELECT j.state, j.source, r.dataset, r.schema, k.state AS chunk, k.replays, k.releases,"
        " k.partial, k.index_min::BIGINT, k.index_max::BIGINT FROM ingest.chunks k"
        " JOIN ingest.jobs j USING (job_id) JOIN ingest.requests r USING (request_id)"
        " WHERE k.replays IS NOT NULL"
    )

    assert tuple(row) == (
        "completed", "dbn-files", "GLBX.MDP3", "trades", "completed", 1, True, refused.PARTIAL,
        MONDAY, MONDAY + SECOND,
    )  # fmt: skip
    assert ward.fetch("SELECT * FROM ingest.coverage") == before
    assert ward.fetch("SELECT * FROM ingest.leases") == []


def test_replayed_again_there_is_nothing_left_to_store(ward: Ward) -> None:
    """By filters or by ids."""
    loaded(ward)
    ward.rules()
    ward.quarantine("replay", "--all-matching")
    result = ward.quarantine("replay", "--all-matching")

    assert result.stdout == "nothing in quarantine matches\n"
    assert "record 1 was replayed already: chunk 2 stored it" in ward.refusal("replay", "1")
    assert ward.sizes() == list(range(1, 11))


def test_each_chunk_that_refused_records_has_a_release_of_its_own(ward: Ward) -> None:
    """In one job; lines say where nothing could hold a record."""
    ward.rules(SMALL)
    ward.load_records(some_trades())
    other = timeless(some_trades(4, start=MONDAY + DAY), 3)
    ward.load_records(other, days=2)
    ward.rules()
    result = ward.quarantine("replay", "--all-matching")

    assert "6 of 7 records replayed: 6 stored, 0 there already; job" in result.stdout
    assert "ts_recv.required\t1\tno row can hold it, whatever the rules are" in result.stdout
    rows = ward.fetch(
        "SELECT job_id, replays, (receipt->>'still_quarantined')::INTEGER FROM ingest.chunks"
        " WHERE releases ORDER BY chunk_id"
    )
    assert len({row["job_id"] for row in rows}) == 1
    assert [tuple(row)[2] for row in rows] == [0, 1]
    ward.require_sums()


def test_nothing_is_recorded_where_every_record_stays(ward: Ward) -> None:
    """A job that stores nothing would only be in the way."""
    job = loaded(ward)
    result = ward.quarantine("replay", "--job", str(job))

    assert "0 of 3 records replayed" in result.stdout
    assert "size-large\t3\ttoday's rules refuse it" in result.stdout
    assert ward.fetch("SELECT 1 FROM ingest.chunks WHERE releases") == []


def test_more_records_than_one_transaction_takes_are_stored_in_several(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each with its own receipt; together they are all."""
    loaded(ward)
    ward.rules(LOOSE)
    monkeypatch.setattr(quarantined, "_MOST", 2)
    told = ward.json("replay", "--all-matching")

    assert [each["receipt"]["fetched"] for each in told["chunks"]] == [1, 1]
    assert [each["receipt"]["still_quarantined"] for each in told["chunks"]] == [1, 0]
    assert ward.sizes() == list(range(2, 11))
    ward.require_sums()


def test_a_released_record_that_breaks_a_flag_is_flagged(ward: Ward) -> None:
    """As if it had been loaded by these rules from the beginning."""
    loaded(ward)
    ward.rules(rule("size-large", "size > 3", "flag"))
    told = ward.json("replay", "--all-matching")

    assert (told["stored"], told["flagged"]) == (3, 3)
    assert [each["value"] for each in ward.json("list", "--flagged")["records"]] == [
        "size 1", "size 2", "size 3",
    ]  # fmt: skip


def test_a_record_whose_place_was_not_kept_stays(ward: Ward) -> None:
    """A guess could store it twice, or over another one."""
    job = loaded(ward)
    ward.as_owner("UPDATE ingest.quarantine SET ordinal = NULL WHERE quarantine_id = 2")
    ward.rules()
    told = ward.json("replay", "--all-matching")

    assert ward.sizes() == [1, *range(3, 11)]
    assert told["staying"] == [{"rule": "size-large", "why": "unplaced", "records": 1}]
    assert told["jobs_to_replay"] == [str(job)]
    again = f"`hdi replay {str(job)[:8]}` loads"
    assert again in ward.quarantine("replay", "2").stdout
    assert again in ward.quarantine("show", "2").stdout


def test_bytes_that_are_no_record_stay_and_the_others_are_stored(ward: Ward) -> None:
    """One damaged row must not keep all of its chunk."""
    loaded(ward)
    ward.as_owner("UPDATE ingest.quarantine SET raw = '\\x00' WHERE quarantine_id = 2")
    ward.rules()
    told = ward.json("replay", "--all-matching")

    assert ward.sizes() == [1, *range(3, 11)]
    assert told["staying"] == [{"rule": "", "why": "unreadable", "records": 1}]


def test_a_bar_that_repeats_a_key_stays_whatever_the_rules(ward: Ward) -> None:
    """The first bar of the key is stored by now; the second has no row to be."""
    bars = blank(3, Schema.OHLCV_1D)
    bars["instrument_id"], bars["ts_event"] = 17_077, MONDAY
    bars["ts_event"][2] = MONDAY + DAY
    bars["open"] = bars["high"] = bars["low"] = bars["close"] = 10**9
    bars["low"][:2] = 2 * 10**9
    ward.load_records(bars, days=2, schema=Schema.OHLCV_1D)
    assert ward.json("list")["total"] == 2
    ward.rules(table="daily_ohlcv_data")
    told = ward.json("replay", "--all-matching")

    assert (told["stored"], told["still_quarantined"]) == (1, 1)
    assert told["staying"] == [{"rule": "ordinal.repeat", "why": "table", "records": 1}]
    assert len(ward.fetch("SELECT 1 FROM daily_ohlcv_data")) == 2
    ward.require_sums()


def test_a_mended_mapping_lets_a_vendors_line_in(ward: Ward) -> None:
    """From the line that quarantine kept, whatever became of the file; explained cell by cell."""
    lines = (
        "Date,Ticker,Open,High,Low,Close,Volume,VWAP\n"
        "2024-03-11,ACME,101.25,102.5,99.125,100.75,10432,100.81\n"
        "2024-03-12,ACME,101.25,102.5,99.125,100.75,10432,n/a\n"
    )
    ward.load_csv(lines, dataset="ACME.BARS", schema=Schema.OHLCV_1D)
    for path in ward.folder.glob("*.csv"):
        path.unlink()
    told = ward.json("show", "1")
    vwap = next(each for each in told["fields"] if each["column"] == "vwap")
    assert (told["record"]["rule"], told["record"]["symbol"]) == ("vwap.unread", "ACME")
    assert (vwap["delivered"], vwap["stored"]) == ("n/a", None)
    assert vwap["reasons"] == [told["today"]["reason"]]

    mapping = ward.settings.config_dir / "mappings/csv-files/ACME.BARS/ohlcv-1d.yaml"
    mapping.write_text(mapping.read_text().replace("nulls: [NA]", "nulls: [NA, n/a]"))
    assert ward.json("show", "1")["today"]["accepted"]
    assert ward.json("replay", "1")["stored"] == 1
    rows = ward.fetch("SELECT close_price, vwap, chunk_id FROM daily_ohlcv_data ORDER BY ts_event")
    assert [tuple(row)[1:] for row in rows] == [(Decimal("100.81"), 1), (None, 2)]
    ward.require_sums()


def test_what_a_newer_delivery_says_stays(ward: Ward) -> None:
    """The record was corrected meanwhile: the old one, released, must not undo that."""
    loaded(ward, 4)
    ward.rules()
    newer = some_trades(4)
    newer["size"] += 100
    ward.load_records(newer)
    told = ward.json("replay", "--all-matching")

    assert (told["stored"], told["already_stored"]) == (0, 3)
    assert ward.sizes() == [101, 102, 103, 104]
    ward.require_sums()


def test_discarded_records_are_replayed_by_their_ids_only(ward: Ward) -> None:
    """Whoever names one means it; a filter never does. One that still breaks stays discarded."""
    loaded(ward)
    ward.quarantine("discard", "1", "2", "--reason", "x")
    ward.rules(LOOSE)
    ward.quarantine("replay", "--rule", "size-large")
    assert ward.sizes() == list(range(3, 11))
    ward.quarantine("replay", "1", "2")
    resolutions = [each["resolution"] for each in ward.json("list", "--all")["records"]]

    assert ward.sizes() == list(range(2, 11))
    assert resolutions == ["discarded", "replayed", "replayed"]


def test_superseded_records_are_not_replayed(ward: Ward) -> None:
    """What took their place was judged with its own chunk."""
    job = loaded(ward)
    ward.rules(LOOSE)
    ward.replay_job(job)

    assert ward.json("list")["total"] == 1
    assert "record 2 is superseded" in ward.refusal("replay", "2")
    assert "record 2 is superseded" in ward.refusal("discard", "2", "--reason", "x")


def replays(ward: Ward, chosen: Sequence[int], count: int) -> list[Replayed]:
    """As many commands at once."""

    async def one(name: str) -> Replayed:
        async with ward.place.open() as database:
            sources = open_sources(ward.settings)
            return await Release(database, ward.settings, sources, name).replay(chosen)

    async def together() -> list[Replayed]:
        return await asyncio.gather(*(one(f"c{n}") for n in range(count)))

    return asyncio.run(together())


def test_two_replays_at_once_store_everything_once(ward: Ward) -> None:
    """Whoever comes second finds the records resolved, and says so."""
    loaded(ward)
    ward.rules(LOOSE)
    found = replays(ward, [1, 2, 3], 3)

    assert ward.stored() == [(at // 2, at % 2, at + 1) for at in range(1, 10)]
    assert sum(each.total("stored") for each in found) == 2
    assert sum(each.elsewhere for each in found) == 4
    states = {row["state"] for row in ward.fetch("SELECT state FROM ingest.chunks WHERE releases")}
    assert states <= {"completed", "cancelled"}
    assert ward.fetch("SELECT 1 FROM ingest.jobs WHERE finished_at IS NULL") == []
    ward.require_sums()


def test_a_record_that_somebody_discards_meanwhile_stays_out(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transaction is tried again with what is left."""
    loaded(ward)
    ward.rules()
    real, tries = quarantined.load, []

    async def slow(database: Any, job: Any) -> Any:
        if not tries:
            assert await refused.discard(database, [2], reason="me: wrong") == 1
        tries.append(job.releases)
        return await real(database, job)

    monkeypatch.setattr(quarantined, "load", slow)
    [found] = replays(ward, [1, 2, 3], 1)

    assert tries == [(1, 2, 3), (1, 3)]
    assert (found.total("stored"), found.elsewhere) == (2, 1)
    assert ward.sizes() == [1, *range(3, 11)]
    ward.require_sums()


def test_chunks_that_wait_for_their_turn_keep_their_leases(ward: Ward) -> None:
    """The first transaction takes longer than a lease: nobody may take the second chunk."""
    ward.rules(SMALL)
    ward.load_records(some_trades())
    ward.load_records(some_trades(4, start=MONDAY + DAY), days=2)
    ward.rules()

    async def held(bench: Bench) -> tuple[Replayed, list[reaping.Reaped]]:
        chosen = await refused.ids(bench.database, refused.Filters())
        release = Release(bench.database, ward.settings, open_sources(ward.settings), "c")
        async with ward.place.open() as other, other.connection() as connection:
            transaction = connection.transaction()
            await transaction.start()
            await connection.fetch("SELECT 1 FROM ingest.quarantine FOR UPDATE")
            work = asyncio.create_task(release.replay(chosen))
            await asyncio.sleep(ward.settings.lease.duration_s + 1.5)
            reaped = await reaping.reap(other, max_lost=3)
            await transaction.rollback()
            return await work, reaped

    found, reaped = ward.do(held)

    assert reaped == []
    assert len(found.released) == 2
    ward.require_sums()


def process(ward: Ward, **env: str) -> subprocess.Popen[str]:
    """The command in a process of its own."""
    command = [sys.executable, "-m", "ingestor.cli", "quarantine", "replay", "--all-matching"]
    return subprocess.Popen(
        command, env={**ward.environment(), **env}, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.parametrize("point", ["before_copy", "copy@100", "before_commit", "after_commit"])
def test_a_kill_in_the_middle_stores_nothing_twice(ward: Ward, point: str) -> None:
    """What was not committed can be replayed again; what was is stored once."""
    loaded(ward)
    ward.rules(LOOSE)
    killed = process(ward, HDI_FAILPOINT=f"{point}:kill")
    assert killed.wait(TIMEOUT_S) == -signal.SIGKILL
    committed = point == "after_commit"

    assert ward.sizes() == list(range(2 if committed else 4, 11))
    assert ward.waiting() == ([1] if committed else [1, 2, 3])
    ward.quarantine("replay", "--all-matching")
    assert ward.stored() == [(at // 2, at % 2, at + 1) for at in range(1, 10)]
    assert ward.waiting() == [1]
    ward.require_sums()


def test_a_chunk_whose_command_died_fails_by_name(ward: Ward) -> None:
    """A worker that takes it up stores nothing: the records are the command's to replay."""
    loaded(ward)
    ward.rules()
    killed = process(ward, HDI_FAILPOINT="before_commit:kill")
    assert killed.wait(TIMEOUT_S) == -signal.SIGKILL
    time.sleep(ward.settings.lease.duration_s + 0.5)

    async def worked(bench: Bench) -> ChunkState:
        [reaped] = await reaping.reap(bench.database, max_lost=3)
        claim = await bench.claim(reaped.chunk_id)
        with pytest.raises(ReplayInterrupted, match="nothing was stored") as caught:
            await bench.run(claim)
        await ledger.fail(bench.database, claim, code=caught.value.code, text=caught.value.message)
        await ledger.end_job(bench.database, claim.job_id)
        return reaped.state

    assert ward.do(worked) is ChunkState.RETRYING
    assert ward.sizes() == list(range(4, 11))
    assert ward.waiting() == [1, 2, 3]
    ward.require_sums()


def test_ctrl_c_ends_the_job_and_leaves_the_records(ward: Ward) -> None:
    """Interrupted while it waits for a lock: nothing is stored, nothing stays claimed."""
    loaded(ward)
    ward.rules()

    async def interrupted(bench: Bench) -> tuple[int, str]:
        async with bench.database.connection() as connection:
            transaction = connection.transaction()
            await transaction.start()
            await connection.fetch("SELECT 1 FROM ingest.quarantine FOR UPDATE")
            started = process(ward)
            await waits_for_lock(bench)
            started.send_signal(signal.SIGINT)
            _, said = await asyncio.to_thread(started.communicate, timeout=TIMEOUT_S)
            await transaction.rollback()
        return started.returncode, said

    code, said = ward.do(interrupted)
    [row] = ward.fetch(
        "SELECT j.state, k.state AS chunk FROM ingest.chunks k JOIN ingest.jobs j USING (job_id)"
        " WHERE k.releases"
    )

    assert (code, said.strip()) == (130, "interrupted")
    assert tuple(row) == ("cancelled", "cancelled")
    assert ward.waiting() == [1, 2, 3]
    assert ward.sizes() == list(range(4, 11))
    ward.quarantine("replay", "--all-matching")
    assert ward.sizes() == list(range(1, 11))
    ward.require_sums()


async def waits_for_lock(bench: Bench) -> None:
    """Returns once a session waits for a row."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event_type = 'Lock'"
    )
    deadline = time.monotonic() + TIMEOUT_S
    async with bench.place.open() as database:
        while not await database.fetchval(query):
            assert time.monotonic() < deadline, "nobody waits for the row"
            await asyncio.sleep(0.05)


def test_a_failed_transaction_fails_its_chunk_and_ends_the_job(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came before it is stored, and told of."""
    ward.rules(SMALL)
    ward.load_records(some_trades())
    ward.load_records(some_trades(4, start=MONDAY + DAY), days=2)
    ward.rules()
    real, tries = quarantined.load, []

    async def second_fails(database: Any, job: Any) -> Any:
        tries.append(job.releases)
        if len(tries) == 2:
            raise ReplayInterrupted("the disk is full")
        return await real(database, job)

    monkeypatch.setattr(quarantined, "load", second_fails)
    result = ward.hdi("quarantine", "replay", "--all-matching")
    states = ward.fetch("SELECT state FROM ingest.chunks WHERE releases ORDER BY chunk_id")

    assert isinstance(result.exception, ReplayInterrupted)
    assert "3 records replayed before that" in result.stderr
    assert [row["state"] for row in states] == ["completed", "failed"]
    assert len(ward.waiting()) == 3
    ward.require_sums()
