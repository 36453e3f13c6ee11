"""All injectors at once, each at its own pace, until the time is up or enough has been hit."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from redis.exceptions import RedisError

from ingestor.errors import IngestError
from tests.chaos.injectors import Injector

_AWAY = (IngestError, RedisError, OSError, AssertionError)
"""What an injector meets where another one has been: a fault of its own was not injected then."""


@dataclass
class Tally:
    """Faults whose effect was seen, by kind; and those that found nothing to hit."""

    hit: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    families: dict[str, str] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def total(self) -> int:
        return self.hit.total()

    def by_family(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for kind, count in self.hit.items():
            found[self.families[kind]] += count
        return found


class Storm:
    """Runs injectors side by side."""

    def __init__(
        self,
        injectors: Sequence[Injector],
        over: asyncio.Event,
        *,
        seconds: float,
        faults: int | None,
        pace: float,
    ) -> None:
        """`over` is set when the time is up, or enough has been hit."""
        self._injectors = injectors
        self._seconds = seconds
        self._faults = faults
        self._pace = pace
        self._over = over
        self.tally = Tally(families={each.kind: each.family for each in injectors})

    async def rage(self) -> None:
        """Returns when the last effect was waited for and everything goes on undisturbed."""
        began = time.monotonic()
        lanes = [asyncio.create_task(self._lane(each)) for each in self._injectors]
        try:
            await asyncio.wait_for(self._over.wait(), self._seconds)
        except TimeoutError:
            self._over.set()
        await asyncio.gather(*lanes)
        self.tally.seconds = time.monotonic() - began
        for each in self._injectors:
            await each.calm()

    async def _lane(self, injector: Injector) -> None:
        while not await self._pause(injector.chance.expovariate(self._pace / injector.pause_s)):
            try:
                count = await injector.inject()
            except _AWAY as error:
                self.tally.reasons[f"{injector.kind}: {type(error).__name__}: {error}"[:160]] += 1
                count = 0
            self._note(injector.kind, count)

    def _note(self, kind: str, count: int) -> None:
        if count > 0:
            self.tally.hit[kind] += count
        else:
            self.tally.missed[kind] += 1
        if self._faults is not None and self.tally.total >= self._faults:
            self._over.set()

    async def _pause(self, seconds: float) -> bool:
        """Whether the storm is over."""
        try:
            await asyncio.wait_for(self._over.wait(), seconds)
        except TimeoutError:
            return False
        return True
