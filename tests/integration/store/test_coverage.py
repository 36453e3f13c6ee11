"""Which days are held: merged ranges per symbol, the same however they came."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestor.days import DaySet
from ingestor.store import coverage
from ingestor.store.database import Database
from ingestor.vocabulary import ALL_SYMBOLS, Schema
from tests.conftest import Place

pytestmark = pytest.mark.timescaledb
DATASET = "GLBX.MDP3"


async def cover(database: Database, symbols: list[str], days: DaySet, **told: object) -> None:
    how = {"dataset": DATASET, "schema": Schema.TRADES, "stype_in": "raw_symbol"} | told
    async with database.connection() as connection:
        await coverage.cover(connection, symbols=symbols, days=days, **how)  # type: ignore[arg-type]


async def held(database: Database, symbols: list[str], stype_in: str = "raw_symbol") -> dict:
    return await coverage.held(database, DATASET, [Schema.TRADES], stype_in, symbols)


async def test_days_of_all_symbols_are_told_for_every_question(database: Database) -> None:
    """All symbols of a dataset are all of them, whatever type they were asked under."""
    await cover(database, [ALL_SYMBOLS], DaySet([(10, 12)]))
    assert await held(database, ["ES.FUT"], "parent") == {
        (Schema.TRADES, ALL_SYMBOLS): DaySet([(10, 12)])
    }


async def test_types_schemas_and_datasets_are_held_apart(database: Database) -> None:
    """ES of one type is not ES of another."""
    await cover(database, ["ES"], DaySet([(10, 12)]))
    await cover(database, ["ES"], DaySet([(20, 22)]), stype_in="parent")
    await cover(database, ["ES"], DaySet([(30, 32)]), schema=Schema.OHLCV_1D)
    await cover(database, ["ES"], DaySet([(40, 42)]), dataset="XNAS.ITCH")
    assert await held(database, ["ES"]) == {(Schema.TRADES, "ES"): DaySet([(10, 12)])}


async def test_nothing_proven_covers_nothing(database: Database) -> None:
    await cover(database, ["ES"], DaySet())
    await cover(database, [], DaySet([(1, 2)]))
    assert await held(database, ["ES"]) == {}


async def test_loads_of_one_list_of_symbols_at_once_do_not_lock_each_other_out(
    place: Place,
) -> None:
    """Rows are taken in one order, whatever order the symbols came in."""
    names = [f"S{n}" for n in range(200)]

    async def one(n: int) -> None:
        async with place.open() as database:
            await cover(database, names[:: 1 if n % 2 else -1], DaySet([(n, n + 1)]))

    await asyncio.gather(*(one(n) for n in range(8)))
    async with place.open() as database:
        found = await held(database, names)
    assert set(found.values()) == {DaySet([(0, 8)])}


SPANS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 20)).map(lambda at: (at[0], at[0] + at[1])),
    max_size=6,
)


@given(SPANS)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_held_days_are_the_union_of_what_was_proven(place: Place, spans: list) -> None:
    """In whatever order, however they overlap."""

    async def check() -> None:
        async with place.open() as database:
            async with database.connection() as connection:
                await connection.execute("UPDATE ingest.coverage SET days = '{}'")
            for span in spans:
                await cover(database, ["UD:1V: SG 2850060"], DaySet([span]))
            found = await held(database, ["UD:1V: SG 2850060"])
        assert set(found.get((Schema.TRADES, "UD:1V: SG 2850060"), DaySet())) == {
            day for first, past in spans for day in range(first, past)
        }

    asyncio.run(check())
