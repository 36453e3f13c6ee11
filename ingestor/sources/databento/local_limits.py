"""Limits of one process: where there is no Redis, and a share of them while it is away."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter


@dataclass(frozen=True, slots=True)
class Wait:
    """How long to wait before asking again, and what for.

    Attributes:
        seconds: 0 where nothing is in the way: the turn is taken.
    """

    seconds: float = 0.0
    reason: str = ""


GO = Wait()
_POLL_S = 0.05
_LEAST_POLL_S = 0.02
# Calls are spread evenly and a fifth slower: what is late on its way then meets no later burst.
_SPREAD = 1.2


def rate_wait(family: str, per_second: int) -> Wait:
    """Until the next call of a family may begin, about."""
    return Wait(
        min(max(1.0 / per_second, _LEAST_POLL_S), _POLL_S), f"{per_second} calls/s of {family}"
    )


def connection_wait(connections: int) -> Wait:
    """Until a call ends, perhaps."""
    return Wait(_POLL_S, f"{connections} calls under way")


def hold_wait(family: str, seconds: float) -> Wait:
    """Until the provider takes calls of a family again."""
    return Wait(seconds, f"the provider asked to hold calls of {family}")


class LocalLimits:
    """Rates, connections and holds known to this process only."""

    def __init__(self, rates: Mapping[str, int], connections: int) -> None:
        self._rates = rates
        self._connections = connections
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._members: set[str] = set()
        self._held_until: dict[str, float] = {}
        self._due: dict[str, float] = {}
        self._lock = threading.Lock()

    def take(self, family: str, member: str) -> Wait:
        """Begins a call, if none of the limits is in the way."""
        with self._lock:
            held_s = self._held_until.get(family, 0.0) - time.monotonic()
            if held_s > 0:
                return hold_wait(family, held_s)
            if member not in self._members and len(self._members) >= self._connections:
                return connection_wait(self._connections)
            rate = self._rates[family]
            early_s = self._due.get(family, 0.0) - time.monotonic()
            if early_s > 0:
                return Wait(early_s, f"{rate} calls/s of {family}")
            if not self._limiter.hit(RateLimitItemPerSecond(rate), family):
                return rate_wait(family, rate)
            self._due[family] = time.monotonic() + _SPREAD / rate
            self._members.add(member)
            return GO

    def leave(self, member: str) -> None:
        """Ends a call; harmless for one that never began."""
        with self._lock:
            self._members.discard(member)

    def hold(self, family: str, seconds: float) -> None:
        """No call of the family begins for so long; a longer hold stays."""
        with self._lock:
            until = time.monotonic() + seconds
            self._held_until[family] = max(until, self._held_until.get(family, 0.0))
