"""What keeps real and simulated payloads, and one vault and another, apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from ingestor.errors import WrongRealm
from ingestor.origins import open_sources
from ingestor.pipeline import run_chunk
from ingestor.settings import Settings
from ingestor.simulator.market import make_trades
from ingestor.simulator.server import Gateway
from ingestor.store import ledger, meta
from ingestor.store.database import Database
from ingestor.vocabulary import Realm
from tests.acceptance.commands import Here, ask, hdi, here
from tests.conftest import Place, environment
from tests.gateways import Desk, facing, gateway
from tests.loads import write
from tests.plans import claimed, job_plan
from tests.processes import Fleet, fleet, until

__all__ = ["gateway", "here"]
pytestmark = [pytest.mark.timescaledb, pytest.mark.redis]
REQUEST = ("--dataset", "GLBX.MDP3", "--schema", "trades", "--symbols", "ESM4",
           "--start", "2024-03-11", "--end", "2024-03-13")  # fmt: skip


@pytest.fixture
def facts(settings: Settings, gateway: Gateway) -> Settings:
    return facing(settings, gateway)


@pytest.fixture
def desk(here: Here, facts: Settings, place: Place) -> Desk:
    return Desk(here, facts, place)


def fix(place: Place, realm: Realm) -> None:
    async def work(database: Database) -> None:
        async with database.connection() as connection:
            await meta.keep_realm(connection, realm)

    ask(place, work)


def chunks(place: Place) -> int:
    async def work(database: Database) -> int:
        return int(await database.fetchval("SELECT count(*) FROM ingest.chunks"))

    return ask(place, work)


def test_without_a_key_and_a_gateway_nothing_is_submitted(
    here: Here, settings: Settings, place: Place
) -> None:
    """Exit code 4; the simulator is never a fallback."""
    said = here.submit(environment(settings), *REQUEST)
    assert (said.code, chunks(place)) == (4, 0)
    assert "DATABENTO_API_KEY" in said.err


def test_a_database_of_real_payloads_takes_no_simulated_one(
    desk: Desk, gateway: Gateway, place: Place
) -> None:
    """Refused before anything is planned, quoted or bought."""
    fix(place, Realm.REAL)
    said = desk.submit(*REQUEST)
    assert (said.code, chunks(place)) == (1, 0)
    assert "holds real data; simulated data are refused" in said.err
    assert gateway.requests() == []


def test_a_job_submitted_before_the_realm_was_fixed_buys_nothing(
    desk: Desk, gateway: Gateway, place: Place
) -> None:
    """Another worker's payload came first: the chunk fails without a fetch."""
    assert desk.submit(*REQUEST).code == 0
    fix(place, Realm.REAL)
    with pytest.raises(WrongRealm):
        desk.work()
    assert gateway.bill().calls == 0


async def test_a_database_of_simulated_payloads_takes_no_real_one(
    settings: Settings, database: Database
) -> None:
    """The realm of a gateway is known by its host, before it is asked."""
    real = settings.model_copy(update={"databento_api_key": SecretStr("db-" + "r" * 29)})
    async with database.connection() as connection:
        await meta.keep_realm(connection, Realm.SIMULATED)
    plan = job_plan(0)
    chunk = replace(job_plan(1).requests[0].chunks[0], payload=None, contents=None)
    requests = (replace(plan.requests[0], chunks=(chunk,)),)
    await ledger.submit(
        database, replace(plan, source="databento", requests=requests), max_attempts=5
    )
    claim = await claimed(database, await database.fetchval("SELECT chunk_id FROM ingest.chunks"))
    with pytest.raises(WrongRealm):
        await run_chunk(database, claim, real, open_sources(real), worker="w/1")


def test_files_may_stand_beside_simulated_payloads(
    desk: Desk, place: Place, tmp_path: Path
) -> None:
    """They belong to either realm."""
    desk.done(*REQUEST)
    write(tmp_path / "f.dbn.zst", make_trades(100))
    assert desk.done("--path", str(tmp_path / "f.dbn.zst")).json["records"]["fetched"] == 100


def test_simulated_data_are_called_so_wherever_they_are_shown(desk: Desk) -> None:
    """On stderr: what other programs read stays as it is."""
    desk.done(*REQUEST)
    days = ("--start", "2024-03-11", "--end", "2024-03-12")
    for command in (
        ("query", "trades", "--dataset", "GLBX.MDP3", "--symbols", "ESM4", *days),
        ("status", "@last"),
        ("jobs",),
        ("db", "status"),
    ):
        said = desk.hdi(*command)
        assert (said.code, "SIMULATED DATA" in said.err) == (0, True), command
        assert "SIMULATED" not in said.out
    assert "SIMULATED DATA" in desk.hdi("doctor").out


@pytest.fixture
def workers(settings: Settings, tmp_path: Path) -> Iterator[Fleet]:
    with fleet(settings, tmp_path) as made:
        yield made


async def test_a_worker_with_another_vault_does_not_start(
    workers: Fleet, database: Database, settings: Settings, tmp_path: Path
) -> None:
    """Unless each host is meant to keep its own."""

    async def online() -> list[str]:
        rows = await database.fetch("SELECT worker FROM ingest.workers ORDER BY worker")
        return [row["worker"].partition("@")[0] for row in rows]

    async def first() -> bool:
        return await online() == ["one"]

    workers.worker("one")
    await until("the first worker is online", first, timeout_s=30, fleet=workers)
    other = {"HDI_VAULT_URL": str(tmp_path / "elsewhere")}
    refused = workers.worker("two", **other)
    assert refused.wait(30) == 1
    assert "worker not started" in refused.text()
    assert "HDI_VAULT__SCOPE=host" in refused.text()

    async def both() -> bool:
        return await online() == ["one", "three"]

    workers.worker("three", **other, HDI_VAULT__SCOPE="host")
    await until("the third worker is online", both, timeout_s=30, fleet=workers)
    assert hdi(settings, "workers").code == 0


def test_without_a_key_the_exit_code_is_4_in_a_database_of_simulated_data_too(
    here: Here, settings: Settings, place: Place
) -> None:
    """Who rehearsed and forgot the gateway is told of the key, not of realms."""
    fix(place, Realm.SIMULATED)
    said = here.submit(environment(settings), *REQUEST)
    assert (said.code, chunks(place)) == (4, 0)
