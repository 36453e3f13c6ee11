"""`hdi symbols`: what the database knows, what the provider says, what contradicts itself."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest

from ingestor.errors import Usage
from ingestor.simulator.options import SimulatorOptions
from ingestor.simulator.server import Gateway, running
from ingestor.store.meta import Fact, settle
from tests.integration.cli.conftest import Desk
from tests.loads import Bench
from tests.stored import Told, keep

DATASET = ("--dataset", "GLBX.MDP3")
DAYS = ("--start", "2024-03-11", "--end", "2024-03-14")
MON, TUE, WED, THU = (dt.date(2024, 3, day) for day in (11, 12, 13, 14))


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with running(SimulatorOptions(per_day=10, limits=False)) as opened:
        yield opened


@pytest.fixture
def known(desk: Desk) -> Desk:
    """A desk whose database knows a contract, a parent, a roll and a contradiction."""

    async def work(bench: Bench) -> None:
        await keep(bench.database, [
            Told("GLBX.MDP3", "raw_symbol", "ESH4", 1, MON, WED),
            Told("GLBX.MDP3", "raw_symbol", "ESM4", 2, MON, THU),
            Told("GLBX.MDP3", "raw_symbol", "ESM4", 3, TUE, WED, "dbn-files"),
            Told("GLBX.MDP3", "parent", "ES.FUT", 1, MON, WED),
            Told("GLBX.MDP3", "continuous", "ES.c.0", 1, MON, TUE),
            Told("GLBX.MDP3", "continuous", "ES.c.0", 2, TUE, THU),
        ])  # fmt: skip

    desk.do(work)
    return desk


def lines(text: str) -> list[list[str]]:
    return [line.split("\t") for line in text.splitlines()[1:]]


def test_symbols_are_resolved_from_what_is_stored(known: Desk) -> None:
    """Ids and days, clipped to those asked for; a continuous symbol with the contract's name."""
    contract = known.hdi("symbols", "resolve", "ESH4", *DATASET, *DAYS)
    roll = known.hdi("symbols", "resolve", "ES.c.0", *DATASET, *DAYS, "--stype-in", "continuous")
    by_id = known.hdi("symbols", "resolve", "1", *DATASET, *DAYS, "--stype-in", "instrument_id")

    assert lines(contract.stdout) == [["ESH4", "1", "ESH4", "2024-03-11", "2024-03-13"]]
    assert contract.stderr == "note: ESH4 meant nothing on some of these days\n"
    assert lines(roll.stdout) == [
        ["ES.c.0", "1", "ESH4", "2024-03-11", "2024-03-12"],
        ["ES.c.0", "2", "ESM4", "2024-03-12", "2024-03-14"],
    ]
    assert roll.stderr == ""
    assert lines(by_id.stdout) == [["1", "1", "ESH4", "2024-03-11", "2024-03-13"]]


def test_what_was_found_is_printed_before_what_was_not(known: Desk) -> None:
    """Known on other days, or on none at all with near ones: exit code 2 either way."""
    result = known.hdi("symbols", "resolve", "ESH4", "ESX4", *DATASET, *DAYS, "--json")
    away = known.hdi(
        "symbols", "resolve", "ESH4", *DATASET, "--start", "2024-04-01", "--end", "2024-04-02"
    )
    answer: dict[str, Any] = json.loads(result.stdout)

    assert answer == {
        "schema_version": 1, "dataset": "GLBX.MDP3", "stype_in": "raw_symbol",
        "symbols": [{
            "symbol": "ESH4", "instrument_id": 1, "raw_symbol": "ESH4",
            "start": "2024-03-11", "end": "2024-03-13",
        }],
        "partial": ["ESH4"], "not_found": ["ESX4"],
    }  # fmt: skip
    assert isinstance(result.exception, Usage)
    assert "did you mean ESM4 or ESH4?" in result.exception.hint
    assert isinstance(away.exception, Usage)
    assert away.exception.message == "'ESH4' meant nothing on any of these days"
    assert away.exception.hint.startswith("`hdi symbols list --dataset GLBX.MDP3` shows")
    assert away.stdout == ""


def test_held_symbols_are_listed_a_page_at_a_time(known: Desk) -> None:
    """By prefix, by day, by type."""
    at = known.hdi("symbols", "list", *DATASET, "--like", "ES", "--at", "2024-03-13")
    members = known.hdi("symbols", "list", *DATASET, "--stype-in", "parent")
    first = known.hdi("symbols", "list", *DATASET, "--limit", "1", "--json")
    none = known.hdi("symbols", "list", *DATASET, "--like", "NQ")

    assert lines(at.stdout) == [["ESM4", "2", "2024-03-11", "2024-03-14"]]
    assert lines(members.stdout) == [["ES.FUT", "1", "2024-03-11", "2024-03-13"]]
    assert json.loads(first.stdout)["more"] is True
    assert len(json.loads(first.stdout)["symbols"]) == 1
    assert "there are more; --limit N" in first.stderr
    assert (none.stdout, none.return_value) == ("", None)
    assert "no such symbols of type raw_symbol" in none.stderr


def test_contradictions_are_listed_with_who_told_them(known: Desk) -> None:
    """Nothing is dropped; none of another dataset."""
    found = known.hdi("symbols", "conflicts", *DATASET)
    other = known.hdi("symbols", "conflicts", "--dataset", "XNAS.ITCH")

    assert lines(found.stdout) == [
        ["GLBX.MDP3", "raw_symbol", "ESM4", "2, 3", "2024-03-12", "2024-03-13",
         "databento, dbn-files"],
    ]  # fmt: skip
    assert json.loads(known.hdi("symbols", "conflicts", "--json").stdout)["conflicts"] == [
        {"dataset": "GLBX.MDP3", "stype_in": "raw_symbol", "symbols": ["ESM4"],
         "instrument_ids": [2, 3], "sources": ["databento", "dbn-files"],
         "start": "2024-03-12", "end": "2024-03-13"},
    ]  # fmt: skip
    assert (other.stdout, other.stderr) == ("", "no contradictions\n")


def test_the_provider_answers_and_nothing_is_stored(
    known: Desk, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of another database's symbols too; the simulator is named."""
    monkeypatch.setenv("HDI_DATABENTO_GATEWAY", gateway.url)
    ask = ("symbols", "resolve", *DATASET, *DAYS, "--provider")
    raw = known.hdi(*ask, "ESM4")
    roll = known.hdi(*ask, "ES.c.0", "--stype-in", "continuous")
    members = known.hdi(*ask, "ES.FUT", "--stype-in", "parent")
    contracts = known.hdi(*ask, *(line[2] for line in lines(members.stdout)))
    by_id = known.hdi(*ask, "17077", "--stype-in", "instrument_id")
    missing = known.hdi(*ask, "ESM4", "NOPE")

    assert lines(raw.stdout) == [["ESM4", "17077", "ESM4", "2024-03-11", "2024-03-14"]]
    assert "SIMULATED DATA" in raw.stderr
    assert [line[:1] + line[2:] for line in lines(roll.stdout)] == [
        ["ES.c.0", "ESH4", "2024-03-11", "2024-03-14"]
    ]
    own = {line[0]: line[1] for line in lines(contracts.stdout)}
    assert {line[2]: line[1] for line in lines(members.stdout)} == own
    assert lines(by_id.stdout) == [["17077", "17077", "ESM4", "2024-03-11", "2024-03-14"]]
    assert lines(missing.stdout) == lines(raw.stdout)
    assert isinstance(missing.exception, Usage)
    assert "'NOPE' meant nothing" in missing.exception.message

    async def stored(bench: Bench) -> int:
        return int(await bench.database.fetchval("SELECT count(*) FROM ingest.symbol_intervals"))

    assert known.do(stored) == 6


def test_simulated_data_are_called_that_on_stderr(desk: Desk) -> None:
    """By every command that shows them; stdout stays data."""
    silent = [desk.hdi("db", "status"), desk.hdi("query", "trades", "--all", *DATASET, *DAYS)]

    async def simulated(bench: Bench) -> None:
        async with bench.database.connection() as connection:
            await settle(connection, Fact.REALM, "simulated")

    desk.do(simulated)
    status = desk.hdi("db", "status", "--json")
    query = desk.hdi("query", "trades", "--all", *DATASET, *DAYS, "--json")

    assert not any("SIMULATED" in each.stderr for each in silent)
    assert "SIMULATED DATA" in status.stderr
    assert json.loads(status.stdout)["realm"] == "simulated"
    assert "SIMULATED DATA" in query.stderr
    assert json.loads(query.stdout)["realm"] == "simulated"
