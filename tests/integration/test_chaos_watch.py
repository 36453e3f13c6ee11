"""The watch of the chaos runs has eyes: it sees each chunk that nobody holds for too long."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest
import redis.asyncio

from ingestor.store import presence, reaping
from ingestor.store.database import Database
from tests.chaos import leftovers, pids, watch
from tests.chaos.target import Moments
from tests.chaos.watch import Watch
from tests.conftest import Place
from tests.plans import claimed, submitted

pytestmark = [pytest.mark.timescaledb, pytest.mark.redis]
LEASE_S = 0.2


@pytest.fixture
async def target(
    database: Database, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[SimpleNamespace]:
    """A service whose scheduler is this process, and whose queue is empty."""
    monkeypatch.setattr(watch, "_SLACK_S", 0.0)
    monkeypatch.setattr(watch, "_SLOW", 0)
    me = os.getpid()
    await presence.seen(database, presence.Process("s", "scheduler", "here", me, "0"))
    service = SimpleNamespace(slots=1, schedulers=[SimpleNamespace(main=pids.find(me))])
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        yield SimpleNamespace(
            ledger=database, redis=client, service=service, moments=Moments(), lease_s=LEASE_S
        )


async def stuck(target: SimpleNamespace, *, wait_s: float = 3 * LEASE_S) -> set[int]:
    """Chunks that it calls stuck after two looks."""
    found = Watch(target)  # type: ignore[arg-type]
    await found.look()
    await asyncio.sleep(wait_s)
    await found.look()
    return {chunk for chunk, _ in found.stuck}


async def test_chunks_that_are_due_and_not_put_on_a_queue_with_room_are_stuck(
    target: SimpleNamespace,
) -> None:
    _, chunks = await submitted(target.ledger, 2)
    assert await stuck(target, wait_s=LEASE_S) == set()
    assert await stuck(target) == set(chunks)


async def test_chunks_that_wait_behind_a_full_queue_are_not(target: SimpleNamespace) -> None:
    await submitted(target.ledger, 2)
    target.service.slots = 0
    assert await stuck(target) == set()


async def test_a_chunk_that_was_taken_back_is_stuck_however_full_the_queue_is(
    target: SimpleNamespace,
) -> None:
    _, (chunk, _) = await submitted(target.ledger, 2)
    target.service.slots = 0
    await claimed(target.ledger, chunk, lease_s=0.05)
    await asyncio.sleep(0.1)
    assert [each.chunk_id for each in await reaping.reap(target.ledger, max_lost=9)] == [chunk]
    assert await stuck(target) == {chunk}


async def test_a_chunk_whose_lease_ran_out_is_stuck_one_lease_later(
    target: SimpleNamespace,
) -> None:
    """What is reaped meanwhile goes on waiting; what another worker has claimed does not."""
    _, (chunk,) = await submitted(target.ledger, 1)
    await claimed(target.ledger, chunk, lease_s=0.05)
    await asyncio.sleep(0.1)
    found = Watch(target)  # type: ignore[arg-type]
    target.moments.everywhere -= 10
    await found.look()
    await asyncio.sleep(LEASE_S / 2)
    await found.look()
    assert not found.stuck
    await reaping.reap(target.ledger, max_lost=9)
    await asyncio.sleep(LEASE_S)
    await found.look()
    assert {each for each, _ in found.stuck} == {chunk}
    found.stuck.clear()
    await claimed(target.ledger, chunk)
    await found.look()
    assert not found.stuck


async def test_a_session_whose_client_has_closed_its_end_is_left_of_a_dead_process(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that lives is not; where the kernel shows no client for it, it is."""
    async with place.open() as living:
        await living.fetchval("SELECT 1")
        assert await leftovers._abandoned(living) == []
        monkeypatch.setattr(leftovers, "_client_ports", lambda: iter(()))
        (told,) = await leftovers._abandoned(living)
        assert "left of a process that is gone: hdi:test" in told
