"""Views read no more than they must: one day's hypertable chunk, one instrument's key."""

from __future__ import annotations

from typing import Any

import pytest

from ingestor.store.database import Database
from ingestor.vocabulary import Role
from tests.conftest import Place


async def filled(owner: Database) -> None:
    """Ten days of 1,000 trades a day of 50 of 2,000 named instruments; statistics; definitions."""
    async with owner.connection() as connection:
        await connection.execute("""
            INSERT INTO ingest.symbol_intervals
            SELECT 'GLBX.MDP3', 'raw_symbol', 'S' || i, 'instrument_id', i,
                   '{[2024-01-01,2025-01-01)}', 'databento' FROM generate_series(1, 2000) i""")
        await connection.execute("""
            INSERT INTO trades_data (ts_event, ts_event_ns, ts_recv, ts_recv_ns, instrument_id,
                sequence, price, ts_in_delta, chunk_id, publisher_id, ordinal, flags, depth)
            SELECT t, 0, t + '1 ms', 0, 1 + i % 50, i, i, 0, 0, 1, 0, 0, 0
            FROM generate_series(0, 9999) i,
                 LATERAL (SELECT '2024-03-11Z'::TIMESTAMPTZ + i * INTERVAL '86.4 s' AS t) q""")
        await connection.execute("""
            INSERT INTO statistics_data (ts_event, ts_event_ns, ts_recv, ts_recv_ns, instrument_id,
                sequence, ts_in_delta, chunk_id, publisher_id, stat_type, ordinal, update_action,
                stat_flags)
            SELECT t, 0, t, 0, i, 0, 0, 0, 1, 3, 0, 1, 0 FROM generate_series(1, 500) i,
                generate_series('2024-01-01Z'::TIMESTAMPTZ, '2024-03-20Z', '5 days') t""")
        await connection.execute("""
            INSERT INTO definitions_data (ts_recv, ts_recv_ns, instrument_id, underlying_id,
                leg_instrument_id, leg_underlying_id, leg_ratio_price_numerator,
                leg_ratio_price_denominator, leg_ratio_qty_numerator, leg_ratio_qty_denominator,
                chunk_id, publisher_id, leg_count, leg_index, ordinal, rtype, raw_instrument_id)
            SELECT t, 0, i, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 19, i
            FROM generate_series(1, 500) i,
                generate_series('2023-01-01Z'::TIMESTAMPTZ, '2024-03-20Z', '20 days') t""")
        await connection.execute("""
            ANALYZE ingest.symbol_intervals, trades_data, statistics_data, definitions_data""")


async def plan(database: Database, query: str) -> list[dict[str, Any]]:
    """Every node of the plan."""
    rows = await database.fetch(f"EXPLAIN (FORMAT json) {query}")
    found: list[dict[str, Any]] = []

    def walk(node: dict[str, Any]) -> None:
        found.append(node)
        for below_it in node.get("Plans", []):
            walk(below_it)

    walk(rows[0][0][0]["Plan"])
    return found


def read_chunks(nodes: list[dict[str, Any]]) -> set[str]:
    return {n["Relation Name"] for n in nodes if n.get("Relation Name", "").startswith("_hyper_")}


def conditions(nodes: list[dict[str, Any]], relation: str) -> list[str]:
    """Index conditions on tables whose name begins so."""
    return [node["Index Cond"] for node in nodes
            if "Index Cond" in node and relation in node["Index Name"]]  # fmt: skip


DAY_ASKED = "ts_event >= '2024-03-14Z' AND ts_event < '2024-03-15Z'"
"""The hypertable is cut on ts_event, the index timestamp is ts_recv."""


async def test_a_day_of_a_symbol_reads_one_hypertable_chunk_by_its_key(place: Place) -> None:
    """From the symbol to its id, from the id to the rows."""
    async with place.open(Role.OWNER) as owner:
        await filled(owner)
        query = f"SELECT * FROM market.trades WHERE symbol = 'S7' AND {DAY_ASKED}"
        nodes = await plan(owner, query)
        found = await owner.fetch(query)
    assert len(found) == 20
    assert len(read_chunks(nodes)) == 1
    assert conditions(nodes, "symbol_intervals_symbol_idx") == ["(symbol = 'S7'::text)"]
    [condition] = conditions(nodes, "trades_data_pkey")
    assert "instrument_id = " in condition
    assert "ts_event >= " in condition


@pytest.mark.parametrize(
    "query",
    [
        f"SELECT * FROM market.trades WHERE {DAY_ASKED}",
        f"SELECT symbol, sum(size) FROM market.trades WHERE {DAY_ASKED} GROUP BY symbol",
        f"SELECT * FROM market.trades WHERE instrument_id = 7 AND {DAY_ASKED}",
        f"SELECT * FROM market.trades WHERE symbol IN ('S7', 'S8') AND {DAY_ASKED}",
        f"SELECT * FROM market.trades WHERE dataset = 'GLBX.MDP3' AND {DAY_ASKED}",
        f"SELECT * FROM market.trades WHERE {DAY_ASKED} ORDER BY ts_event DESC LIMIT 5",
    ],
    ids=["day", "sum", "id", "symbols", "dataset", "latest"],
)
async def test_a_day_of_a_view_reads_one_hypertable_chunk(place: Place, query: str) -> None:
    """EXPLAIN names no other day's."""
    async with place.open(Role.OWNER) as owner:
        await filled(owner)
        assert len(read_chunks(await plan(owner, "SELECT * FROM market.trades"))) == 10
        assert len(read_chunks(await plan(owner, query))) == 1


async def test_a_symbol_s_current_statistics_are_found_by_the_key(any_place: Place) -> None:
    """The filter on the instrument is applied before anything is sorted."""
    async with any_place.open(Role.OWNER) as owner:
        await filled(owner)
        nodes = await plan(owner, "SELECT * FROM statistics_current WHERE instrument_id = 7")
    found = conditions(nodes, "statistics_data_pkey")
    assert found
    assert all("(instrument_id = 7)" in each for each in found)
    assert not [node for node in nodes if node["Node Type"] == "Seq Scan"
                and node["Relation Name"] != "stat_types"]  # fmt: skip


async def test_a_definition_at_a_time_is_found_by_the_key(any_place: Place) -> None:
    """The function dissolves in the query: its filter reaches the index."""
    async with any_place.open(Role.OWNER) as owner:
        await filled(owner)
        nodes = await plan(
            owner, "SELECT * FROM definitions_at('2023-02-01Z') WHERE instrument_id = 7"
        )
    found = conditions(nodes, "definitions_data_pkey")
    assert len(found) >= 3
    assert all("(instrument_id = 7)" in each for each in found)
    assert not {"Function Scan", "Seq Scan"} & {node["Node Type"] for node in nodes}


@pytest.mark.parametrize("where", ["", "WHERE instrument_id = 7"], ids=["all", "one"])
async def test_definitions_at_a_time_read_no_later_hypertable_chunk(
    place: Place, where: str
) -> None:
    """Ninety days are in one; the whole is in five."""
    async with place.open(Role.OWNER) as owner:
        await filled(owner)
        assert len(read_chunks(await plan(owner, "SELECT * FROM definitions_data"))) == 5
        nodes = await plan(owner, f"SELECT * FROM definitions_at('2023-01-15Z') {where}")
    assert len(read_chunks(nodes)) == 1
