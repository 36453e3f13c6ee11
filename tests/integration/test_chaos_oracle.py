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
SHIFTED = """
UPDATE ingest.chunks SET receipt = receipt || jsonb_build_object(
    '{0}', (receipt->>'{0}')::INTEGER - 1, '{1}', (receipt->>'{1}')::INTEGER + 1)
WHERE chunk_id = (SELECT chunk_id FROM ingest.chunks WHERE (receipt->>'{0}')::INTEGER > 0
                  ORDER BY chunk_id LIMIT 1)
"""
# Of another day, of another table, of another instrument, of no chunk at all.
OWNED = """
UPDATE public.trades_data SET chunk_id = (
    SELECT k.chunk_id FROM ingest.chunks k JOIN ingest.requests r USING (request_id) WHERE {0}
    ORDER BY 1 LIMIT 1)
WHERE (instrument_id, ts_event, sequence, ordinal) IN (
    SELECT t.instrument_id, t.ts_event, t.sequence, t.ordinal FROM public.trades_data t
    JOIN ingest.chunks k USING (chunk_id) ORDER BY k.start_ns, t.chunk_id LIMIT 1)
"""
# One row each of two chunks: no count tells.
SWAPPED = """
WITH two AS (SELECT min(chunk_id) AS a, max(chunk_id) AS b FROM public.statistics_data),
rows AS (
    SELECT DISTINCT ON (chunk_id) instrument_id, ts_event, sequence, stat_type, ordinal
    FROM public.statistics_data ORDER BY chunk_id)
UPDATE public.statistics_data t SET chunk_id = CASE t.chunk_id WHEN a THEN b ELSE a END
FROM two, rows r
WHERE (t.instrument_id, t.ts_event, t.sequence, t.stat_type, t.ordinal)
    = (r.instrument_id, r.ts_event, r.sequence, r.stat_type, r.ordinal)
"""
GUARDED = ("chunks", "jobs", "quarantine", "supersessions", "dead_letters")
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
    "another rule": "UPDATE ingest.quarantine SET rule = 'range'",
    "another field": "UPDATE ingest.quarantine SET field = 'price'",
    "another refused value": "UPDATE ingest.quarantine SET value = '1'",
    "another position": "UPDATE ingest.quarantine SET position = position + 1000",
    "stored for already stored": SHIFTED.format("stored", "already_stored"),
    "already stored for stored": SHIFTED.format("already_stored", "stored"),
    "quarantined for stored": SHIFTED.format("quarantined", "stored"),
    "a correction that was none": (
        "UPDATE ingest.chunks SET receipt = jsonb_set(receipt, '{corrected}', '1')"
        " WHERE receipt IS NOT NULL"
    ),
    "a refusal by another rule": (
        "UPDATE ingest.chunks SET receipt = jsonb_set(receipt, '{rejected}', '{\"range\": 1}')"
        " WHERE receipt IS NOT NULL"
    ),
    "a row of another day": OWNED.format(
        "r.schema = 'trades' AND k.start_ns = (SELECT max(start_ns) FROM ingest.chunks)"
    ),
    "a row of another table": OWNED.format("r.schema = 'statistics'"),
    "rows of two chunks exchanged": SWAPPED,
    "a row of no chunk": "UPDATE public.tbbo_data SET chunk_id = 999999 WHERE sequence < 99",
    "a day that is not covered": (
        "UPDATE ingest.coverage SET days = days - datemultirange(daterange('2024-03-11', "
        "'2024-03-12')) WHERE symbol = 'NVDA' AND schema = 'tbbo'"
    ),
    "a day that nobody loaded": (
        "UPDATE ingest.coverage SET days = days + datemultirange(daterange('2024-03-14', "
        "'2024-03-15')) WHERE symbol = 'NVDA' AND schema = 'tbbo'"
    ),
    "coverage lost": "DELETE FROM ingest.coverage WHERE symbol = 'AAPL'",
    "coverage of another symbol": (
        "INSERT INTO ingest.coverage SELECT dataset, schema, stype_in, 'MSFT', days"
        " FROM ingest.coverage WHERE symbol = 'AAPL'"
    ),
    "a symbol that is lost": "DELETE FROM ingest.symbol_intervals WHERE symbol = 'AAPL'",
    "a symbol that is another": (
        "UPDATE ingest.symbol_intervals SET instrument_id = instrument_id + 1000000000"
        " WHERE symbol = 'NVDA'"
    ),
    "a symbol for longer than it was": (
        "UPDATE ingest.symbol_intervals SET days = days + datemultirange(daterange('2019-01-01',"
        " '2019-01-02')) WHERE symbol = 'NVDA'"
    ),
    "a publisher that is lost": "DELETE FROM public.publishers",
    "a publisher of another dataset": "UPDATE public.publishers SET dataset = 'GLBX.MDP3'",
    "a publisher that nobody served": (
        "INSERT INTO public.publishers (publisher_id, dataset) VALUES (999, 'XNAS.ITCH')"
    ),
    "a false dead letter": (
        "INSERT INTO ingest.dead_letters (chunk_id, job_id, fence, attempts, error_code,"
        " error_text, resolved_at, resolution) SELECT chunk_id, job_id, fence, 1, 'Unstorable',"
        " 'no', clock_timestamp(), 'retried' FROM ingest.chunks LIMIT 1"
    ),
    "a row superseded that was not": (
        "INSERT INTO ingest.supersessions (old_chunk, new_chunk, rows, kind)"
        " SELECT min(chunk_id), max(chunk_id), 1, 'corrected' FROM ingest.chunks"
    ),
    "a job that says it failed": "UPDATE ingest.jobs SET state = 'completed_with_failures'",
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
        assert found.amiss == [], "\n".join(each[:300] for each in found.amiss)
        assert found.quarantined > 20
        assert all(found.rows[schema] > 40 for schema in ORDER.schemas)
        for name, statement in TAMPERINGS.items():
            said = await _seen(loaded, database, statement)
            assert said, f"not seen: {name}"
            print(f"{name}: {said[0][:200]}")
        assert (await loaded.check(database)).amiss == []


async def _seen(oracle: Oracle, database: Database, statement: str) -> list[str]:
    """What the oracle says of the tables after a statement that is rolled back."""
    async with database.connection() as connection:
        undo = connection.transaction()
        await undo.start()
        try:
            # Receipts are immutable, even to their owner: whoever tampers takes the guards off.
            for table in GUARDED:
                await connection.execute(f"ALTER TABLE ingest.{table} DISABLE TRIGGER USER")
            done = await connection.execute(statement)
            assert not done.endswith(" 0"), f"changed nothing: {statement}"
            return (await oracle.check(connection)).amiss  # type: ignore[arg-type]
        finally:
            await undo.rollback()
