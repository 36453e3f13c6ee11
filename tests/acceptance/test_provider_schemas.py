"""Quotes at trades, statistics and definitions: bought, loaded, named, and not bought again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingestor.model import table_of
from ingestor.settings import Settings
from ingestor.simulator.server import Gateway
from ingestor.simulator.statistics import PER_DAY, UNKNOWN_TYPE
from ingestor.store.database import Database
from ingestor.vocabulary import Schema
from tests.acceptance.commands import Here, ask, here
from tests.conftest import Place
from tests.gateways import Desk, facing, gateway, streams
from tests.golden.clients import historical

__all__ = ["gateway", "here"]
pytestmark = [pytest.mark.timescaledb, pytest.mark.redis]
DAYS = ("2024-03-11", "2024-03-16")
WEEK = ("--start", DAYS[0], "--end", DAYS[1])
SYMBOLS = ["ESM4", "NQM4", "ESM4-ESU4"]
CME = ("--dataset", "GLBX.MDP3", "--symbols", ",".join(SYMBOLS), *WEEK)
DAILY = {Schema.TBBO: 50, Schema.STATISTICS: PER_DAY, Schema.DEFINITION: 1}
"""Records of one instrument on a day."""
UNDEFINED = 2**63 - 1


@pytest.fixture
def desk(here: Here, settings: Settings, gateway: Gateway, place: Place) -> Desk:
    return Desk(here, facing(settings, gateway), place)


def fetched(place: Place, query: str) -> list[Any]:
    async def work(database: Database) -> list[Any]:
        return await database.fetch(query)

    return ask(place, work)


def served(gateway: Gateway, schema: str) -> np.ndarray:
    """What the official client gets for the same request."""
    return (
        historical(gateway.url, gateway.key)
        .timeseries.get_range("GLBX.MDP3", *DAYS, symbols=SYMBOLS, schema=schema)
        .to_ndarray()
    )


@pytest.mark.parametrize("schema", DAILY)
def test_what_was_bought_is_stored_and_every_chunk_has_its_receipt(
    desk: Desk, gateway: Gateway, place: Place, schema: Schema
) -> None:
    said = desk.done("--schema", schema, *CME)
    counts, table = said.json["records"], table_of(schema)
    expected = 5 * len(SYMBOLS) * DAILY[schema]
    assert counts["fetched"] == counts["stored"] == gateway.bill().records == expected
    assert (counts["quarantined"], counts["already_stored"]) == (0, 0)
    rows = fetched(
        place,
        "SELECT chunks.receipt, (SELECT count(*) FROM "
        f"{table.name} AS data WHERE data.chunk_id = chunks.chunk_id) AS rows FROM ingest.chunks",
    )
    assert [row["receipt"]["stored"] for row in rows] == [row["rows"] for row in rows]
    assert sum(row["rows"] for row in rows) == expected
    assert {row["receipt"]["nameless"] for row in rows} == {0}


@pytest.mark.parametrize("schema", DAILY)
def test_what_is_held_is_not_bought_again(desk: Desk, gateway: Gateway, schema: Schema) -> None:
    desk.done("--schema", schema, *CME)
    calls = gateway.bill().calls
    again = desk.done(
        "--dataset", "GLBX.MDP3", "--symbols", "NQM4", "--schema", schema,
        "--start", "2024-03-12", "--end", "2024-03-14",
    )  # fmt: skip
    assert (again.json["chunks"]["total"], gateway.bill().calls) == (0, calls)


def test_a_book_is_stored_with_its_empty_sides(desk: Desk, gateway: Gateway, place: Place) -> None:
    desk.done("--schema", "tbbo", *CME)
    stored = fetched(
        place,
        "SELECT bid_px_00, ask_px_00, bid_sz_00, ask_ct_00 FROM tbbo_data "
        "ORDER BY ts_recv, ts_recv_ns, instrument_id, ts_event, sequence, publisher_id, ordinal",
    )
    told = served(gateway, "tbbo")
    for name in ("bid_px_00", "ask_px_00"):
        found = [UNDEFINED if row[name] is None else int(row[name].scaleb(9)) for row in stored]
        assert sorted(found) == sorted(told[name].tolist())
        assert UNDEFINED in found
    assert min(row["bid_px_00"] for row in stored if row["bid_px_00"] is not None) < 0
    assert sum(row["bid_sz_00"] for row in stored) == told["bid_sz_00"].sum()
    assert sum(row["ask_ct_00"] for row in stored) == told["ask_ct_00"].sum()


def test_statistics_keep_unknown_types_deletions_and_what_was_sent_twice(
    desk: Desk, gateway: Gateway, place: Place
) -> None:
    desk.done("--schema", "statistics", *CME)
    rows = fetched(
        place,
        "SELECT stat_type, update_action, price, quantity, ts_ref, ordinal FROM statistics_data",
    )
    told = served(gateway, "statistics")
    assert sorted(row["stat_type"] for row in rows) == sorted(told["stat_type"].tolist())
    assert UNKNOWN_TYPE in {row["stat_type"] for row in rows}
    assert sum(row["update_action"] == 2 for row in rows) == 5 * len(SYMBOLS)
    assert sum(row["ordinal"] for row in rows) == 5 * len(SYMBOLS), "one of each day came twice"
    for name, scale in (("price", 9), ("quantity", 0)):
        found = [UNDEFINED if row[name] is None else int(row[name] * 10**scale) for row in rows]
        assert sorted(found) == sorted(told[name].tolist())
    assert sum(row["ts_ref"] is None for row in rows) == (told["ts_ref"] == 2**64 - 1).sum() > 0


def test_definitions_say_what_the_symbols_are(desk: Desk, place: Place) -> None:
    desk.done("--schema", "definition", *CME)
    rows = fetched(
        place,
        "SELECT DISTINCT raw_symbol, instrument_class, asset, strike_price, underlying, ts_event < "
        "ts_recv AS before FROM definitions_data ORDER BY 1",
    )
    assert [tuple(row) for row in rows] == [
        ("ESM4", "F", "ES", None, None, True),
        ("ESM4-ESU4", "S", "ES", None, None, True),
        ("NQM4", "F", "NQ", None, None, True),
    ]


def test_a_job_with_definitions_plans_and_buys_them_first(
    desk: Desk, gateway: Gateway, place: Place, tmp_path: Path
) -> None:
    """They name what the rest is about; the rest comes as it was asked for."""
    (tmp_path / "job.yaml").write_text(
        "name: week\ndataset: GLBX.MDP3\nsymbols: [ESM4, NQM4]\nrequests:\n"
        "  - {schemas: [tbbo, statistics], start: 2024-03-11, end: 2024-03-13}\n"
        "  - {schemas: [ohlcv-1d, definition], start: 2024-03-11, end: 2024-03-13}\n"
    )
    dry = desk.submit("--job", tmp_path / "job.yaml", "--dry-run", "--json")
    order = ["definition", "ohlcv-1d", "tbbo", "statistics"]
    assert [each["schema"] for each in dry.json["requests"]] == order
    said = desk.done("--job", tmp_path / "job.yaml")
    assert said.json["state"] == "completed"
    assert list(dict.fromkeys(schema for schema, _, _ in streams(gateway))) == order
    assert said.json["records"]["stored"] == 2 * 2 * (1 + 1 + 50 + PER_DAY)
    planned = fetched(
        place,
        "SELECT schema FROM ingest.chunks JOIN ingest.requests USING (request_id) "
        "ORDER BY chunk_id",
    )
    assert list(dict.fromkeys(row["schema"] for row in planned)) == order


def test_options_of_several_publishers_have_statistics_and_definitions(desk: Desk) -> None:
    """Symbols with blanks, three publishers, one definition."""
    option = "AAPL  250221C00250000"
    said = desk.done(
        "--dataset", "OPRA.PILLAR", "--schema", "statistics,definition,tbbo", "--symbols", option,
        "--start", "2025-02-18", "--end", "2025-02-19",
    )  # fmt: skip
    assert said.json["records"]["stored"] == 3 * PER_DAY + 1 + 3 * 50
