"""Who buys while the database restarts goes on buying, and nobody buys the same beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from ingestor.errors import DatabaseUnavailable
from ingestor.job import Claim
from ingestor.store.database import Database
from ingestor.store.turns import own_turn
from tests.conftest import Place
from tests.plans import claimed, submitted
from tests.private import PrivateStack, private_stack

pytestmark = [pytest.mark.faults, pytest.mark.timescaledb]


@pytest.fixture(scope="module")
def stack() -> Iterator[PrivateStack]:
    with private_stack() as made:
        yield made


@pytest.fixture(scope="module")
def place(stack: PrivateStack) -> Place:
    return stack.place()


async def test_whoever_comes_first_after_a_restart_waits_for_the_one_that_buys(
    stack: PrivateStack, place: Place
) -> None:
    """A session's locks are gone with the server; its download is not."""
    order: list[str] = []
    async with place.open() as database:
        _, ids = await submitted(database, 2)
        claims = [await claimed(database, each) for each in ids]
        async with own_turn(database, "key", claims[0], worker="w/1"):
            await asyncio.to_thread(stack.postgres.crash)
            hasty = asyncio.create_task(_buy(database, claims[1], order))
            await asyncio.sleep(0.2)
            await asyncio.to_thread(stack.postgres.start)
            await asyncio.sleep(7)
            order.append("the first has bought")
        async with asyncio.timeout(10):
            await hasty
    assert order == ["the first has bought", "the second buys"]


async def _buy(database: Database, claim: Claim, order: list[str]) -> None:
    """Asks all the time, so that it is there before the first one's next look."""
    while True:
        try:
            async with own_turn(database, "key", claim, worker="w/2"):
                order.append("the second buys")
                return
        except DatabaseUnavailable:
            await asyncio.sleep(0.01)
