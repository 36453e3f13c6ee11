"""One kind of fault."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections import Counter
from typing import ClassVar

from tests.chaos.target import Target


class Injector(ABC):
    """Injects one kind of fault; `inject` returns once its effect was seen.

    Attributes:
        kind: As the report calls it.
        family: What it is counted under besides: SIGKILL, SIGSTOP, Postgres, Redis, stream …
        pause_s: Mean pause between two of its faults.
        beside: What its faults consisted of, where each is one of several: told, not counted.
    """

    kind: ClassVar[str]
    family: ClassVar[str]
    pause_s: ClassVar[float]

    def __init__(self, target: Target, chance: random.Random) -> None:
        self.target = target
        self.chance = chance
        self.beside: Counter[str] = Counter()

    @abstractmethod
    async def inject(self) -> int:
        """How many faults had their effect: 0 where there was nothing to hit."""

    async def calm(self) -> None:
        """Undoes what still goes on, once the storm is over."""
        return
