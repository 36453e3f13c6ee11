"""The oracle of the chaos runs has teeth: it sees one row lost, doubled or changed."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from ingestor.settings import Settings
from ingestor.simulator.server import running
from ingestor.store.database import Database
from ingestor.vocabulary import Priority, Role, Schema
from tests.acceptance.commands import Here, here
from tests.chaos.ground import market
from tests.chaos.oracle import Oracle
from tests.chaos.orders import Order
from tests.chaos.refusals import configs
from tests.conftest import Place
from tests.gateways import Desk, facing

__all__ = ["here"]
pytestmark = [pytest.mark.timescaledb, pytest.mark.redis]

ORDER = Order(
    "week", "XNAS.ITCH", (Schema.TRADES, Schema.TBBO, Schema.OHLCV_1M, Schema.STATISTICS),
    ("AAPL", "NVDA"), "raw_symbol", dt.date(2024, 3, 11), dt.date(2024, 3, 13), Priority.NORMAL,
)  # fmt: skip
AGAIN = Order(
    "again", "XNAS.ITCH", (Schema.TRADES,), ("NVDA",), "raw_symbol", dt.date(2024, 3, 12),
    dt.date(2024, 3, 13), Priority.NORMAL, force=True,
)  # fmt: skip
DOUBLED = """
INSERT INTO public.trades_data SELECT (t).* FROM (
    SELECT jsonb_populate_record(d, '{"ordinal": 77}') AS t FROM public.trades_data d LIMIT 1) one
"""
TAMPERINGS = {
    "a row lost": (
        "DELETE FROM public.trades_data WHERE (instrument_id, ts_event, sequence, ordinal) IN"
        " (SELECT instrument_id, ts_event, sequence, ordinal FROM public.trades_data LIMIT 1)"
    ),
    "a row doubled": DOUBLED,
    "a value changed": "UPDATE public.tbbo_data SET bid_ct_00 = bid_ct_00 + 1 WHERE sequence < 99",
    "a nanosecond": "UPDATE public.statistics_data SET ts_recv_ns = (ts_recv_ns + 1) % 1000",
    "another time": "UPDATE public.ohlcv_1m_data SET ts_event = ts_event + interval '7 seconds'",
    "bytes changed": (
        "UPDATE ingest.quarantine SET raw = set_byte(raw, 20, 255 - get_byte(raw, 20))"
    ),
    "quarantine lost": "DELETE FROM ingest.quarantine",
}


@pytest.fixture
def loaded(settings: Settings, place: Place, here: Here, tmp_path: Path) -> Oracle:
    """Two orders that overlap, loaded by the product from the chaos runs' market."""
    options = market(5)
    with running(options) as gateway:
        facts = facing(settings, gateway)
        facts = facts.model_copy(update={"config_dir": configs(tmp_path / "configs")})
        desk = Desk(here, facts, place)
        for order in (ORDER, AGAIN):
            said = desk.submit(*order.arguments())
            assert said.code == 0, said.err
            desk.work()
    return Oracle(options.archive(), [ORDER, AGAIN])


async def test_it_sees_each_way_in_which_rows_may_be_wrong(loaded: Oracle, place: Place) -> None:
    """Nothing is amiss as loaded; each tampering is, and is undone."""
    async with place.open(Role.OWNER) as database:
        found = await loaded.check(database)
        assert found.amiss == []
        assert found.quarantined > 20
        assert all(found.rows[schema] > 40 for schema in ORDER.schemas)
        for name, statement in TAMPERINGS.items():
            assert await _seen(loaded, database, statement), f"not seen: {name}"
        assert (await loaded.check(database)).amiss == []


async def _seen(oracle: Oracle, database: Database, statement: str) -> list[str]:
    """What the oracle says of the tables after a statement that is rolled back."""
    async with database.connection() as connection:
        undo = connection.transaction()
        await undo.start()
        try:
            await connection.execute(statement)
            return (await oracle.check(connection)).amiss  # type: ignore[arg-type]
        finally:
            await undo.rollback()
