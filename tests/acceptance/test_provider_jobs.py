"""Jobs that are fetched: planned, bought once, loaded, and asked for again."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ingestor.settings import Settings
from ingestor.simulator.server import Gateway, SimulatorOptions, running
from ingestor.store.database import Database
from tests.acceptance.commands import Here, ask, here, submit
from tests.conftest import Place, environment
from tests.gateways import Desk, facing, gateway, streams
from tests.golden.clients import historical
from tests.processes import fleet

__all__ = ["gateway", "here"]
pytestmark = [pytest.mark.timescaledb, pytest.mark.redis]
WEEK = ("--start", "2024-03-11", "--end", "2024-03-16")
CME = ("--dataset", "GLBX.MDP3", "--schema", "trades")


@pytest.fixture
def facts(settings: Settings, gateway: Gateway) -> Settings:
    return facing(settings, gateway)


@pytest.fixture
def desk(here: Here, facts: Settings, place: Place) -> Desk:
    return Desk(here, facts, place)


def fetched(place: Place, query: str) -> list[Any]:
    async def work(database: Database) -> list[Any]:
        return await database.fetch(query)

    return ask(place, work)


def value(place: Place, query: str) -> Any:
    async def work(database: Database) -> Any:
        return await database.fetchval(query)

    return ask(place, work)


def trades(place: Place) -> Counter[tuple[Any, ...]]:
    rows = fetched(place, "SELECT instrument_id, ts_event, ts_event_ns, price FROM trades_data")
    return Counter(tuple(row) for row in rows)


def test_workers_fetch_a_job_that_was_submitted_by_command(
    facts: Settings, gateway: Gateway, tmp_path: Path
) -> None:
    """Installed command, Redis, two Celery workers, the official client, TimescaleDB."""
    with fleet(facts, tmp_path) as made:
        made.worker("one")
        made.worker("two")
        made.scheduler()
        wait = ("--wait", "--timeout", "60", "--json")
        said = submit(facts, *CME, "--symbols", "ESM4,NQM4", *WEEK, *wait)
        assert said.code == 0, said.err + made.logs_text()
    assert said.json["chunks"]["completed"] == 5
    assert said.json["records"]["fetched"] == gateway.bill().records == 5 * 2 * 50


def test_a_submit_with_redis_away_says_so_in_lines_for_people(facts: Settings) -> None:
    """That limits are not shared is logged below; on stderr it is a warning like the others."""
    away = {**environment(facts), "HDI_REDIS_URL": "redis://:x@127.0.0.1:9/0"}

    said = submit(away, *CME, "--symbols", "ESM4", *WEEK)

    assert said.code == 6, said
    assert (
        "warning: rate limits are not shared while Redis is away "
        "(share 1/10, reason ConnectionError)\n"
    ) in said.err
    assert not [line for line in said.err.splitlines() if "{" in line], said.err


def test_what_was_fetched_through_the_official_client_is_stored(
    desk: Desk, gateway: Gateway, place: Place
) -> None:
    """As many records as were billed, a receipt for each chunk, names for every instrument."""
    said = desk.done(*CME, "--symbols", "ESM4,NQM4", *WEEK)
    counts = said.json["records"]
    assert counts["fetched"] == gateway.bill().records == 5 * 2 * 50
    assert counts["fetched"] == counts["stored"] + counts["quarantined"]
    assert said.json["cost_usd"]["quoted"] == pytest.approx(gateway.bill().usd)
    receipts = fetched(place, "SELECT receipt FROM ingest.chunks")
    assert all(row["receipt"]["nameless"] == 0 for row in receipts)
    realms = fetched(
        place, "SELECT DISTINCT realm, uri LIKE 'vault:%' AS kept FROM ingest.payloads"
    )
    assert [tuple(row) for row in realms] == [("simulated", True)]


def test_the_same_request_in_other_words_buys_nothing(desk: Desk, gateway: Gateway) -> None:
    """Another order of symbols, chunks of another size: it is the same job."""
    first = desk.done(*CME, "--symbols", "ESM4,NQM4", *WEEK)
    calls = gateway.bill().calls
    again = desk.done(*CME, "--symbols", "NQM4,ESM4,NQM4", *WEEK)
    other = desk.done(*CME, "--symbols", "ESM4,NQM4", *WEEK, "--chunk-days", "3")
    assert first.json["job_id"] == again.json["job_id"] == other.json["job_id"]
    assert gateway.bill().calls == calls


def test_an_overlapping_request_fetches_only_what_is_missing(desk: Desk, gateway: Gateway) -> None:
    """Days and symbols that are held are left out, whatever the size of the chunks."""
    desk.done(*CME, "--symbols", "ESM4", *WEEK)
    before = gateway.bill()
    said = desk.done(
        *CME, "--symbols", "NQM4,ESM4", "--start", "2024-03-13", "--end", "2024-03-20",
        "--chunk-days", "4",
    )  # fmt: skip
    bought = Counter(
        symbol
        for _, _, symbols in streams(gateway)[before.calls :]
        for symbol in symbols.split(",")
    )
    # ESM4 lacks 18 and 19 March, NQM4 all five sessions from 13 March on.
    assert said.json["records"]["fetched"] == (2 + 5) * 50
    assert gateway.bill().records - before.records == (2 + 5) * 50
    assert set(bought) == {"ESM4", "NQM4"}
    nothing = desk.done(*CME, "--symbols", "NQM4", "--start", "2024-03-14", "--end", "2024-03-16")
    assert nothing.json["chunks"]["total"] == 0
    assert "held already" in nothing.err


def test_all_symbols_hold_for_each_of_them(desk: Desk, gateway: Gateway) -> None:
    """And their instruments have names, which the payload does not bring."""
    desk.done("--dataset", "XNAS.ITCH", "--schema", "ohlcv-1d", "--symbols", "ALL_SYMBOLS", *WEEK)
    calls = gateway.bill().calls
    part = desk.done("--dataset", "XNAS.ITCH", "--schema", "ohlcv-1d", "--symbols", "AAPL", *WEEK)
    assert (part.json["chunks"]["total"], gateway.bill().calls) == (0, calls)
    found = desk.hdi(
        "query", "ohlcv-1d", "--dataset", "XNAS.ITCH", "--symbols", "AAPL", *WEEK, "--json"
    )
    assert found.code == 0, found.err
    assert len(found.json["records"]) == 5


def test_force_buys_again_and_stores_nothing_twice(
    desk: Desk, gateway: Gateway, place: Place
) -> None:
    """Only that: the records are the same."""
    desk.done(*CME, "--symbols", "ESM4", *WEEK)
    before, rows = gateway.bill().calls, trades(place)
    said = desk.done(*CME, "--symbols", "ESM4", *WEEK, "--force")
    assert gateway.bill().calls == 2 * before
    assert said.json["records"]["already_stored"] == said.json["records"]["fetched"] == 250
    assert trades(place) == rows


def test_a_corrected_day_reaches_the_table_with_force(
    desk: Desk, gateway: Gateway, place: Place
) -> None:
    """All of it; and the vault's old payload is not taken for the new one later."""
    day = ("--start", "2024-03-11", "--end", "2024-03-12")
    desk.done(*CME, "--symbols", "ESM4", *day)
    gateway.fault("corrected", dataset="GLBX.MDP3", day="2024-03-11", seed=99)
    said = desk.done(*CME, "--symbols", "ESM4", *day, "--force")
    assert said.json["records"]["stored"] > 0
    assert gateway.bill().calls == 2
    value(place, "DELETE FROM trades_data")
    value(place, "DELETE FROM ingest.coverage")
    desk.done(*CME, "--symbols", "ESM4", *day)
    assert gateway.bill().calls == 2
    with running(SimulatorOptions(per_day=50, limits=False)) as fresh:
        fresh.fault("corrected", dataset="GLBX.MDP3", day="2024-03-11", seed=99)
        client = historical(fresh.url, fresh.key)
        told = client.timeseries.get_range(
            "GLBX.MDP3", "2024-03-11", "2024-03-12", symbols="ESM4", schema="trades"
        ).to_ndarray()
    prices = fetched(place, "SELECT (price * 1000000000)::BIGINT AS price FROM trades_data")
    assert sorted(row["price"] for row in prices) == sorted(told["price"].tolist())


def test_symbols_with_blanks_go_all_the_way(desk: Desk, gateway: Gateway) -> None:
    """Command line, ledger, provider, query."""
    option = "AAPL  250221C00250000"
    days = ("--start", "2025-02-18", "--end", "2025-02-20")
    desk.done("--dataset", "OPRA.PILLAR", "--schema", "trades", "--symbols", option, *days)
    found = desk.hdi(
        "query", "trades", "--dataset", "OPRA.PILLAR", "--symbols", option, *days, "--json"
    )
    assert found.code == 0, found.err
    assert {row["symbol"] for row in found.json["records"]} == {option}


def test_a_parent_is_loaded_with_its_members(desk: Desk, place: Place) -> None:
    """Membership is kept per day; members are found by their own names, too."""
    day = ("--start", "2024-03-11", "--end", "2024-03-12")
    desk.done(*CME, "--symbols", "ES.FUT", "--stype-in", "parent", *day)
    members = value(place, "SELECT count(*) FROM parent_members WHERE parent = 'ES.FUT'")
    assert members > 1
    found = desk.hdi(
        "query", "trades", "--dataset", "GLBX.MDP3", "--symbols", "ESM4", *day, "--json"
    )
    assert len(found.json["records"]) == 50


def test_days_without_a_session_are_proven_empty_once(desk: Desk, gateway: Gateway) -> None:
    """The provider refuses a weekend for symbols; that is no failure, and not asked for again."""
    weekend = ("--start", "2024-03-16", "--end", "2024-03-18")
    said = desk.done(*CME, "--symbols", "ESM4", "--start", "2024-03-15", "--end", "2024-03-18")
    assert said.json["chunks"]["completed_empty"] == 2
    again = desk.done(*CME, "--symbols", "ESM4", *weekend)
    assert again.json["chunks"]["total"] == 0
    other = desk.done(*CME, "--symbols", "NQM4", *weekend)  # a top-up of a Sunday is no error
    assert (other.json["chunks"]["completed_empty"], other.json["state"]) == (2, "completed")


def test_another_database_takes_from_the_vault_what_was_bought(
    desk: Desk, gateway: Gateway, place: Place
) -> None:
    """A retry, another job, a lost database: what was fetched is found again by its request."""
    desk.done(*CME, "--symbols", "ESM4", *WEEK)
    calls = gateway.bill().calls
    value(place, "DELETE FROM trades_data")
    value(place, "DELETE FROM ingest.coverage")
    said = desk.done(*CME, "--symbols", "ESM4", "--start", "2024-03-12", "--end", "2024-03-16")
    assert said.json["records"]["stored"] == 4 * 50
    assert gateway.bill().calls == calls


def test_a_job_file_of_several_requests_is_one_job(
    desk: Desk, gateway: Gateway, tmp_path: Path
) -> None:
    """Symbols out of a file of their own, blanks and all."""
    (tmp_path / "symbols.txt").write_text("# options\nAAPL  250221C00250000\n")
    (tmp_path / "job.yaml").write_text(
        "name: options\ndataset: OPRA.PILLAR\nsymbols_file: symbols.txt\nrequests:\n"
        "  - {schema: trades, start: 2025-02-18, end: 2025-02-20}\n"
        "  - {schema: ohlcv-1d, start: 2025-02-01, end: 2025-02-21}\n"
    )
    said = desk.done("--job", tmp_path / "job.yaml")
    assert (said.json["name"], said.json["chunks"]["failed"]) == ("options", 0)
    assert {schema for schema, _, _ in streams(gateway)} == {"trades", "ohlcv-1d"}


def test_a_dry_run_shows_the_plan_and_buys_nothing(
    desk: Desk, gateway: Gateway, place: Place
) -> None:
    """Chunks, days, symbols and the price; with a database what is held is left out of it."""
    said = desk.submit(*CME, "--symbols", "ESM4,NQM4", *WEEK, "--dry-run", "--json")
    assert said.code == 0, said.err
    assert (said.json["chunks"], len(said.json["requests"][0]["spans"])) == (5, 5)
    assert said.json["quoted_usd"] > 0
    assert gateway.bill().calls == 0
    assert value(place, "SELECT count(*) FROM ingest.jobs") == 0
    plain = desk.submit(*CME, "--symbols", "ESM4,NQM4", *WEEK, "--dry-run")
    assert "2024-03-11 to 2024-03-12" in plain.out


@pytest.mark.slow
def test_ten_thousand_chunks_are_planned_recorded_and_enqueued(
    here: Here, settings: Settings, place: Place
) -> None:
    """27 years of days, a chunk each; the first are queued, the dispatcher brings the rest."""
    years = SimulatorOptions(
        first=dt.date(1996, 1, 1), past=dt.date(2024, 1, 1), per_day=10, limits=False
    )
    with running(years) as gateway:
        desk = Desk(here, facing(settings, gateway), place)
        said = desk.submit(
            "--dataset", "XNAS.ITCH", "--schema", "trades", "--symbols", "ALL_SYMBOLS",
            "--start", "1996-01-01", "--end", "2023-05-19", "--json",
        )  # fmt: skip
        assert said.code == 0, said.err
        metadata = [each for each in gateway.requests() if each.method.startswith("metadata.")]
    assert said.json["chunks"]["total"] == 10_000
    assert said.json["chunks"]["queued"] == settings.scheduler.window_min
    distinct = "SELECT count(DISTINCT start_ns) FROM ingest.chunks WHERE end_ns - start_ns = 864e11"
    assert value(place, distinct) == 10_000
    # Planning costs a handful of calls, not one per chunk: the provider allows 20 a second.
    assert len(metadata) < 10


PENDING_DAY = "2024-03-13"
BARS = ("--dataset", "GLBX.MDP3", "--schema", "ohlcv-1d", "--symbols", "ESM4", *WEEK)


def days_of(place: Place) -> list[str]:
    rows = fetched(place, "SELECT ts_event::DATE AS day FROM daily_ohlcv_data ORDER BY 1")
    return [str(row["day"]) for row in rows]


def test_a_day_that_was_pending_is_fetched_once_it_is_there(
    desk: Desk, gateway: Gateway, place: Place
) -> None:
    """A worker that has asked for conditions before must not believe them still."""
    desk.done(*CME, "--symbols", "ESM4", *WEEK)
    gateway.condition("GLBX.MDP3", PENDING_DAY, "pending")
    first = desk.done(*BARS)
    assert f"{PENDING_DAY} pending: left out" in first.err
    gateway.condition("GLBX.MDP3", PENDING_DAY, "available")
    second = desk.done(*BARS)
    assert second.json["records"]["stored"] == 1
    assert PENDING_DAY in days_of(place)
    assert len(days_of(place)) == 5


def test_a_vault_without_a_day_that_has_come_since_does_not_answer(
    desk: Desk, gateway: Gateway, place: Place
) -> None:
    """As where the database was made anew: the payload is whole, the days are not."""
    gateway.condition("GLBX.MDP3", PENDING_DAY, "pending")
    desk.done(*BARS)
    gateway.condition("GLBX.MDP3", PENDING_DAY, "available")
    value(place, "DELETE FROM daily_ohlcv_data")
    value(place, "DELETE FROM ingest.coverage")
    desk.done(*BARS)
    assert len(days_of(place)) == 5


def test_a_day_that_is_withdrawn_while_a_job_waits_does_not_block_the_same_request(
    desk: Desk, gateway: Gateway, place: Place
) -> None:
    """Its job completes without it; the same words, later, are another job."""
    assert desk.submit(*BARS).code == 0
    gateway.condition("GLBX.MDP3", PENDING_DAY, "pending")
    desk.work()
    assert PENDING_DAY not in days_of(place)
    gateway.condition("GLBX.MDP3", PENDING_DAY, "available")
    again = desk.done(*BARS)
    assert again.json["records"]["stored"] == 1
    assert len(days_of(place)) == 5


def test_two_jobs_at_once_buy_the_same_chunks_once(
    facts: Settings, gateway: Gateway, tmp_path: Path
) -> None:
    """The second waits for the first's download and finds it; that they overlap is told."""
    gateway.fault("slow", delay_s=1, count=None)
    ask = (*CME, "--symbols", "ESM4", "--start", "2024-03-11")
    longer = (*ask, "--end", "2024-03-14")
    # Both before anybody works: however slow a submission is, the first is still under way then.
    first = submit(facts, *ask, "--end", "2024-03-13", "--json")
    second = submit(facts, *longer, "--json")
    with fleet(facts, tmp_path) as made:
        made.worker("one")
        made.worker("two")
        made.scheduler()
        done = submit(facts, *longer, "--wait", "--timeout", "60", "--json")
    assert (first.code, second.code, done.code) == (0, 0, 0), done.err + made.logs_text()
    assert "is fetching some of the same days" in second.err
    assert sorted(start for _, start, _ in streams(gateway)) == [
        "2024-03-11", "2024-03-12", "2024-03-13",
    ]  # fmt: skip


def test_members_are_known_where_their_records_were_held_already(
    desk: Desk, gateway: Gateway
) -> None:
    """Loaded with ALL_SYMBOLS, asked for as a parent: nothing to buy, and the query works."""
    bars = ("--dataset", "GLBX.MDP3", "--schema", "ohlcv-1d")
    desk.done(*bars, "--symbols", "ALL_SYMBOLS", *WEEK)
    calls = gateway.bill().calls
    desk.done(*bars, "--symbols", "ES.FUT", "--stype-in", "parent", *WEEK)
    assert gateway.bill().calls == calls
    found = desk.hdi(
        "query", "ohlcv-1d", "--dataset", "GLBX.MDP3", "--symbols", "ES.FUT", "--stype-in",
        "parent", *WEEK, "--json",
    )  # fmt: skip
    assert found.code == 0, found.err
    assert {row["symbol"] for row in found.json["records"]} >= {"ESM4", "ESH4"}


@pytest.mark.parametrize("cap", ["nan", "inf", "-1"])
def test_a_cap_that_is_no_amount_is_refused(desk: Desk, cap: str) -> None:
    """NaN compares with nothing: as a cap it would be none."""
    said = desk.submit(*BARS, f"--max-cost={cap}")
    assert said.code == 2, said.err


def test_two_asks_for_days_that_are_not_there_yet_are_two_jobs(
    desk: Desk, gateway: Gateway
) -> None:
    """And neither is told that it holds them."""
    for day in (PENDING_DAY, "2024-03-14"):
        gateway.condition("GLBX.MDP3", day, "pending")
    ask = ("--dataset", "GLBX.MDP3", "--schema", "trades", "--symbols", "ESM4")
    one = desk.done(*ask, "--start", PENDING_DAY, "--end", "2024-03-14")
    other = desk.done(*ask, "--start", "2024-03-14", "--end", "2024-03-15")
    assert one.json["job_id"] != other.json["job_id"]
    assert "has none of these days yet" in one.err
    assert "held already" not in one.err


def test_a_job_that_left_days_open_is_followed_by_one_job_not_by_many(
    desk: Desk, gateway: Gateway
) -> None:
    """Said twice while it waits, the follow-up is one job, too."""
    assert desk.submit(*BARS).code == 0
    gateway.condition("GLBX.MDP3", PENDING_DAY, "pending")
    desk.work()
    gateway.condition("GLBX.MDP3", PENDING_DAY, "available")
    first, second = (desk.submit(*BARS, "--json") for _ in range(2))
    assert first.json["job_id"] == second.json["job_id"]
