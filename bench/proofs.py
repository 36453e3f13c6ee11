"""What the ledger says of a run: that it did what was measured, and where its time went."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from servers import Place

_LOADED = "chunk loaded"
_STATES = "SELECT state, count(*) AS count FROM ingest.chunks GROUP BY state"
_ATTEMPTS = "SELECT state, attempt, fence FROM ingest.chunks"


def require_completed(place: Place, count: int) -> None:
    """Raises RuntimeError where not exactly so many chunks are completed, and all of them."""
    states = _states(place)
    ended = states.get("completed", 0) + states.get("completed_empty", 0)
    if ended != count or ended != sum(states.values()):
        raise RuntimeError(f"{count} chunks were to be completed, there are {states}")


def require_planned(place: Place, count: int) -> None:
    """Raises RuntimeError where not so many chunks wait, some of them on the queue."""
    states = _states(place)
    if sum(states.values()) != count or not states.get("queued"):
        raise RuntimeError(f"{count} chunks were to be planned and queued, there are {states}")


def logged_seconds(place: Place) -> dict[str, float]:
    """Seconds of each part of the last load, as the worker's canonical line tells them."""
    lines = (place.home / "worker.log").read_text().splitlines()
    loaded = [line for line in lines if _LOADED in line]
    if not loaded:
        raise RuntimeError(f"the worker's log has no line {_LOADED!r}")
    said = json.loads(loaded[-1])
    return {name.removesuffix("_s"): value for name, value in said.items() if name.endswith("_s")}


def attempts(place: Place) -> list[tuple[Any, ...]]:
    """State, attempts and fence of every chunk."""
    return [tuple(row) for row in _fetched(place, _ATTEMPTS)]


def _states(place: Place) -> dict[str, int]:
    return {row["state"]: row["count"] for row in _fetched(place, _STATES)}


def _fetched(place: Place, query: str) -> list[Any]:
    return asyncio.run(_fetch(place, query))


async def _fetch(place: Place, query: str) -> list[Any]:
    async with place.open() as database:
        return await database.fetch(query)
