"""The documented limits of a team: calls per second by family, and calls under way."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from ingestor.simulator.problems import Refusal, plain, retry_after

CONNECTIONS: Final = 100
PER_SECOND: Final[Mapping[str, int]] = {"timeseries": 100, "symbology": 100, "metadata": 20}
_WINDOW_S: Final = 1.0


class RateLimits:
    """Calls of the last second. Used from the server's loop only."""

    def __init__(
        self, *, enforced: bool = True, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._enforced = enforced
        self._clock = clock
        self._calls: dict[str, deque[float]] = {family: deque() for family in PER_SECOND}
        self._under_way = 0

    @contextmanager
    def call(self, family: str) -> Iterator[None]:
        """Counts a call while it is under way.

        Raises:
            Refusal: 429 with Retry-After; the call counts against no limit.
        """
        if self._enforced:
            self._admit(family)
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1

    def _admit(self, family: str) -> None:
        if self._under_way >= CONNECTIONS:
            raise Refusal(retry_after(plain(429, "Too many connections"), _WINDOW_S))
        if family not in PER_SECOND:
            return
        now, calls = self._clock(), self._calls[family]
        while calls and calls[0] <= now - _WINDOW_S:
            calls.popleft()
        if len(calls) >= PER_SECOND[family]:
            raise Refusal(retry_after(plain(429, "Too many requests"), _WINDOW_S))
        calls.append(now)
