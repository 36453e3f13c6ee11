"""A look at a service: shared, kept for a moment, never waited for."""

from __future__ import annotations

import asyncio

import pytest

from ingestor.errors import BrokerUnavailable, DatabaseUnavailable
from ingestor.insights import readiness
from ingestor.insights.readiness import Check, Look

SILENT = BrokerUnavailable("silent", hint="start it")


async def test_a_crowd_is_answered_by_one_look() -> None:
    """Anybody may ask; the services are not to feel it."""
    looks = 0

    async def look() -> None:
        nonlocal looks
        looks += 1
        await asyncio.sleep(0.01)

    one = Look("queue", look, SILENT)
    found = await asyncio.gather(*(one.check() for _ in range(50)))

    assert looks == 1
    assert set(found) == {Check("queue")}
    assert found[0].ok


async def test_a_look_is_kept_for_a_moment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes back is ready at the next look."""
    monkeypatch.setattr(readiness, "KEPT_S", 0.0)
    answers = [DatabaseUnavailable("db:5432 is away", hint="start it"), None]

    async def look() -> None:
        if error := answers.pop(0):
            raise error

    one = Look("database", look, SILENT)

    assert await one.check() == Check("database", "DatabaseUnavailable", "start it")
    assert await one.check() == Check("database")


async def test_who_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """And no second look joins the one that hangs; when that ends, its answer counts."""
    monkeypatch.setattr(readiness, "PATIENCE_S", 0.01)
    monkeypatch.setattr(readiness, "KEPT_S", 0.0)
    looks = 0
    answered = asyncio.Event()

    async def look() -> None:
        nonlocal looks
        looks += 1
        await answered.wait()

    one = Look("queue", look, SILENT)
    hung = [await one.check() for _ in range(3)]
    answered.set()
    await asyncio.sleep(0.01)

    assert hung == [Check("queue", "BrokerUnavailable", "start it")] * 3
    assert looks == 1
    assert (await one.check()).ok
