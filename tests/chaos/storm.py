"""All injectors at once, each at its own pace, until the time is up or enough has been hit.

In the first seconds each kind has its turn, in an order drawn for the run.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from redis.exceptions import RedisError

from ingestor.errors import IngestError
from tests.chaos.injectors import Injector

_AWAY: Final = (IngestError, RedisError, OSError)
"""What an injector meets where another one has been: a fault of its own was not injected then."""

_FIRST_S: Final = 10.0
"""In which every kind has its first turn."""

_AGAIN_S: Final = 2.0
"""Mean pause of a kind that has not hit anything yet."""


@dataclass
class Tally:
    """Faults whose effect was seen, by kind; and those that found nothing to hit.

    Attributes:
        beside: What faults of a kind consisted of, where each is one of several.
    """

    hit: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    families: dict[str, str] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)
    beside: dict[str, Counter[str]] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def unseen(self) -> list[str]:
        """Kinds of the run that never had an effect."""
        return sorted(kind for kind in self.families if not self.hit[kind])

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
        chance: random.Random,
        seconds: float,
        faults: int | None,
        pace: float,
    ) -> None:
        """`over` is set when the time is up, or enough has been hit, and each kind among it."""
        self._injectors = injectors
        self._chance = chance
        self._seconds = seconds
        self._faults = faults
        self._pace = pace
        self._over = over
        self.tally = Tally(
            families={each.kind: each.family for each in injectors},
            beside={each.kind: each.beside for each in injectors},
        )

    async def rage(self) -> None:
        """Returns when the last effect was waited for and everything goes on undisturbed."""
        began = time.monotonic()
        lanes = [asyncio.create_task(self._lane(*each)) for each in self._deck()]
        try:
            await asyncio.wait_for(self._over.wait(), self._seconds)
        except TimeoutError:
            self._over.set()
        await asyncio.gather(*lanes)
        self.tally.seconds = time.monotonic() - began
        for each in self._injectors:
            await each.calm()

    def _deck(self) -> list[tuple[Injector, float]]:
        """Every kind, and when its first turn is."""
        shuffled = self._chance.sample(self._injectors, len(self._injectors))
        step = _FIRST_S / len(shuffled)
        return [(each, step * place) for place, each in enumerate(shuffled, 1)]

    async def _lane(self, injector: Injector, first_s: float) -> None:
        """An assertion of an injector is no fault: it ends the storm, and `rage` raises it."""
        try:
            pause_s = first_s
            while not await self._pause(pause_s):
                await self._inject(injector)
                met = self.tally.hit[injector.kind] > 0
                mean_s = injector.pause_s if met else min(_AGAIN_S, injector.pause_s)
                pause_s = injector.chance.expovariate(self._pace / mean_s)
        except BaseException:
            self._over.set()
            raise

    async def _inject(self, injector: Injector) -> None:
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
        enough = self._faults is not None and self.tally.total >= self._faults
        if enough and not self.tally.unseen:
            self._over.set()

    async def _pause(self, seconds: float) -> bool:
        """Whether the storm is over."""
        try:
            await asyncio.wait_for(self._over.wait(), seconds)
        except TimeoutError:
            return False
        return True
