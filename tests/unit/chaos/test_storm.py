"""When kinds of faults come, and when enough of them have."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import pytest

from tests.chaos import storm
from tests.chaos.injectors.injector import Injector
from tests.chaos.injectors.provider import SILENT_S
from tests.chaos.storm import Storm
from tests.gateways import IMPATIENT


class Fake(Injector):
    """Does what it is told to."""

    family, pause_s = "fake", 1.0

    def __init__(self, kind: str, act: Callable[[], int], pause_s: float = 1.0) -> None:
        super().__init__(None, random.Random(kind))  # type: ignore[arg-type]
        self.kind = kind  # type: ignore[misc]
        self.pause_s = pause_s  # type: ignore[misc]
        self.act = act

    async def inject(self) -> int:
        return self.act()


def raging(injectors: list[Injector], *, seconds: float = 10.0, faults: int | None = None) -> Storm:
    return Storm(
        injectors, asyncio.Event(),
        chance=random.Random(1), seconds=seconds, faults=faults, pace=100.0,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storm, "_FIRST_S", 0.1)


async def test_each_kind_has_its_turn_in_the_first_seconds_however_rare_it_is() -> None:
    rare: list[Injector] = [Fake(f"rare {n}", lambda: 1, pause_s=1e9) for n in range(20)]
    made = raging(rare, seconds=0.5)
    await made.rage()
    assert made.tally.unseen == []


async def test_it_goes_on_past_the_number_of_faults_until_each_kind_was_seen() -> None:
    """A kind that finds nothing to hit tries again soon."""
    tries = iter([0, 0, 0, 1])
    made = raging([Fake("often", lambda: 1), Fake("late", lambda: next(tries, 1))], faults=3)
    await made.rage()
    assert made.tally.unseen == []
    assert made.tally.missed["late"] == 3
    assert made.tally.seconds < 5


async def test_a_server_that_is_away_is_a_miss_and_an_assertion_ends_the_run() -> None:
    def away() -> int:
        raise ConnectionRefusedError

    def wrong() -> int:
        raise AssertionError("lives on")

    made = raging([Fake("away", away)], seconds=0.3)
    await made.rage()
    assert made.tally.missed["away"] > 0
    with pytest.raises(AssertionError, match="lives on"):
        await raging([Fake("wrong", wrong)]).rage()


def test_a_timeout_is_longer_than_a_call_waits() -> None:
    assert IMPATIENT["read_timeout_s"] < SILENT_S
