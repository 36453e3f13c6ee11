"""`--force` against a provider that corrects and withdraws records, from the command line on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ingestor.days import DAY_NS
from ingestor.settings import Settings
from ingestor.simulator.market import MONDAY
from ingestor.simulator.server import Gateway
from ingestor.sources.databento.source import Databento
from ingestor.sources.source import Ask, Wanted
from ingestor.store.database import Database
from ingestor.vault import Vault
from ingestor.vocabulary import Priority, Schema
from tests.acceptance.commands import Here, ask, hdi, here, submit
from tests.claims import only_claim
from tests.conftest import Place
from tests.gateways import Desk, facing, gateway
from tests.golden.clients import historical
from tests.processes import fleet

__all__ = ["gateway", "here"]
pytestmark = [pytest.mark.timescaledb, pytest.mark.redis]
CME = ("--dataset", "GLBX.MDP3", "--schema", "trades")
WEEK = ("--start", "2024-03-11", "--end", "2024-03-14")
TUESDAY = ("--start", "2024-03-12", "--end", "2024-03-13")


@pytest.fixture
def facts(settings: Settings, gateway: Gateway) -> Settings:
    return facing(settings, gateway)


@pytest.fixture
def desk(here: Here, facts: Settings, place: Place) -> Desk:
    return Desk(here, facts, place)


def stored(place: Place) -> Counter[tuple[int, int, int]]:
    """(instrument, ts_recv in ns, price at 1e-9) of each trade."""

    async def work(database: Database) -> list[Any]:
        return await database.fetch(
            "SELECT instrument_id, (extract(EPOCH FROM ts_recv) * 1000000)::BIGINT * 1000"
            " + ts_recv_ns, (price * 1000000000)::BIGINT FROM trades_data"
        )

    return Counter(tuple(row) for row in ask(place, work))


def delivered(gateway: Gateway) -> Counter[tuple[int, int, int]]:
    """The same of what the provider has now."""
    client = historical(gateway.url, gateway.key)
    records = client.timeseries.get_range(
        "GLBX.MDP3", "2024-03-11", "2024-03-14", symbols=["ESM4", "NQM4"], schema="trades"
    ).to_ndarray()
    names = ("instrument_id", "ts_recv", "price")
    return Counter(zip(*(records[name].tolist() for name in names), strict=True))


def receipts(place: Place) -> list[dict[str, Any]]:
    async def work(database: Database) -> list[dict[str, Any]]:
        rows = await database.fetch("SELECT receipt FROM ingest.chunks ORDER BY chunk_id")
        return [row["receipt"] for row in rows]

    return ask(place, work)


@pytest.mark.parametrize("per_day", [20, 0], ids=["fewer", "none"])
def test_a_corrected_day_is_replaced_as_a_whole(
    desk: Desk, gateway: Gateway, place: Place, per_day: int
) -> None:
    """Withdrawn trades of the symbol go, even all of a day that the provider now counts none of;
    other symbols and days stay as they are.
    """
    desk.done(*CME, "--symbols", "ESM4,NQM4", *WEEK)
    old = stored(place)
    assert old == delivered(gateway)
    gateway.fault("corrected", dataset="GLBX.MDP3", day="2024-03-12", seed=9, per_day=per_day)
    said = desk.done(*CME, "--symbols", "ESM4", *TUESDAY, "--force")
    assert said.json["state"] == "completed"
    now, told = stored(place), delivered(gateway)
    es, nq = ({key[0] for key in told if key[0] == number} for number in (17_077, 750))
    assert Counter({k: n for k, n in now.items() if k[0] in es}) == Counter(
        {k: n for k, n in told.items() if k[0] in es}
    )
    assert Counter({k: n for k, n in now.items() if k[0] in nq}) == Counter(
        {k: n for k, n in old.items() if k[0] in nq}
    )
    receipt = receipts(place)[-1]
    assert (
        now.total() == old.total() + receipt["stored"] - receipt["corrected"] - (receipt["removed"])
    )
    assert receipt["removed"] > 0


def test_too_much_at_once_is_a_dead_letter_until_it_is_accepted(
    facts: Settings, gateway: Gateway, place: Place, tmp_path: Path
) -> None:
    """The chunk fails for good and says how many rows, and with what they may go."""
    one_chunk = (*CME, "--symbols", "ESM4", *WEEK, "--chunk-days", "20")
    wait = ("--max-cost", "20", "--wait", "--timeout", "60", "--json")
    with fleet(facts, tmp_path) as made:
        made.worker()
        made.scheduler()
        assert submit(facts, *one_chunk, *wait).code == 0, made.logs_text()
        for day in ("2024-03-11", "2024-03-12", "2024-03-13"):
            gateway.fault("corrected", dataset="GLBX.MDP3", day=day, seed=9, per_day=1)
        before = stored(place)
        failed = submit(facts, *one_chunk, *wait, "--force")
        assert (failed.code, stored(place)) == (3, before), failed.err
        told = hdi(facts, "status", failed.json["job_id"])
        assert "RemovalLimit" in told.out
        assert "a forced load may remove 100 " in " ".join(told.out.split())
        done = submit(facts, *one_chunk, *wait, "--force", "--accept-removals")
        assert done.code == 0, done.err
    assert stored(place).total() == 3


def test_removals_are_accepted_with_force_only(desk: Desk) -> None:
    said = desk.submit(*CME, "--symbols", "ESM4", *TUESDAY, "--accept-removals")
    assert said.code == 2
    assert "--accept-removals only makes sense with --force" in said.err


@pytest.mark.parametrize(
    ("day", "proven"), [(0, True), (5, False)], ids=["counted", "nothing resolves"]
)
def test_an_empty_day_is_proven_where_the_provider_counted_it(
    facts: Settings, gateway: Gateway, day: int, proven: bool
) -> None:
    """On a Saturday no symbol means anything: nothing was counted, nothing may be removed."""
    gateway.fault("corrected", dataset="GLBX.MDP3", day="2024-03-11", per_day=0)
    source = Databento(facts, Vault.of(facts))
    first = MONDAY + day * DAY_NS
    wanted = (Wanted(Schema.TRADES, first, first + DAY_NS),)
    claim = only_claim(
        source.plan(
            Ask("test", Priority.NORMAL, "GLBX.MDP3", wanted=wanted, symbols=("ESM4",), force=True)
        )
    )
    payload = source.fetch(claim)
    assert (payload.contents.records, payload.proven) == (0, proven)
