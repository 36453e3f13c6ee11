"""Turns to buy: one at a time, kept through what happens to the session that holds them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from ingestor.errors import DatabaseUnavailable
from ingestor.job import Claim
from ingestor.store.database import Database, DatabaseOptions
from ingestor.store.turns import own_turn
from ingestor.vocabulary import Role
from tests.conftest import Place
from tests.plans import claimed, submitted

_SESSIONS = """
SELECT pid FROM pg_stat_activity
WHERE application_name LIKE 'hdi:%:%:%' AND datname = current_database()
"""


@pytest.fixture
async def db(plain_place: Place) -> AsyncIterator[Database]:
    async with plain_place.open() as opened:
        yield opened


@pytest.fixture
async def claims(db: Database) -> list[Claim]:
    _, ids = await submitted(db, 2)
    return [await claimed(db, each) for each in ids]


async def sessions(db: Database) -> list[int]:
    return [row["pid"] for row in await db.fetch(_SESSIONS)]


async def until(db: Database, fits: Callable[[list[int]], bool]) -> None:
    """Waits for sessions with a name of ours that fit."""
    for _ in range(250):
        if fits(await sessions(db)):
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"not within 5 s: {await sessions(db)}")


async def test_the_second_waits_for_the_first(db: Database, claims: list[Claim]) -> None:
    order: list[str] = []
    begun = asyncio.Event()

    async def buy(claim: Claim, name: str) -> None:
        async with own_turn(db, "key", claim, worker="w/1"):
            begun.set()
            order.append(f"{name} begins")
            await asyncio.sleep(0.3)
            order.append(f"{name} ends")

    first = asyncio.create_task(buy(claims[0], "one"))
    await begun.wait()
    await asyncio.gather(first, buy(claims[1], "two"))
    assert order == ["one begins", "one ends", "two begins", "two ends"]
    assert await sessions(db) == []


async def test_another_key_waits_for_nobody(db: Database, claims: list[Claim]) -> None:
    async with (
        asyncio.timeout(15),
        own_turn(db, "one", claims[0], worker="w/1"),
        own_turn(db, "other", claims[1], worker="w/1"),
    ):
        assert len(await sessions(db)) == 2


async def test_a_turn_whose_session_ends_is_taken_anew(
    db: Database, plain_place: Place, claims: list[Claim]
) -> None:
    """A server that restarts in the middle of a download: the next would buy it beside us."""
    async with plain_place.open(Role.OWNER) as owner:
        async with own_turn(db, "key", claims[0], worker="w/1"):
            [pid] = await sessions(db)
            assert await db.fetchval("SELECT pg_terminate_backend($1, 5000)", pid)
            await until(db, lambda found: bool(found) and found != [pid])
            await asyncio.sleep(0.1)
            taken = "SELECT pg_try_advisory_lock(hashtextextended('key', 0))"
            assert await owner.fetchval(taken) is False
        assert await owner.fetchval(taken) is True


async def test_whoever_waits_for_a_turn_can_leave(db: Database, claims: list[Claim]) -> None:
    async with own_turn(db, "key", claims[0], worker="w/1"):
        waiting = asyncio.create_task(_never(db, claims[1]))
        await asyncio.sleep(0.3)
        assert len(await sessions(db)) == 2
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await until(db, lambda found: len(found) == 1)


async def _never(db: Database, claim: Claim) -> None:
    async with own_turn(db, "key", claim, worker="w/2"):
        raise AssertionError("somebody else has it")


async def test_a_database_that_is_away_is_told_before_anything_is_bought(
    claims: list[Claim],
) -> None:
    away = Database(DatabaseOptions("postgresql://nobody@127.0.0.1:1/x"), name="hdi:test")
    with pytest.raises(DatabaseUnavailable):
        await _never(away, claims[0])
