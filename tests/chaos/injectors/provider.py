"""The provider's misbehaviour, armed in the simulator; counted once it says that a call was hit."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from ingestor.simulator.fault_specs import parse_fault
from ingestor.simulator.faults import Fault
from ingestor.simulator.request_log import Request
from tests.chaos import pids
from tests.chaos.injectors.injector import Injector
from tests.chaos.target import Target

_HIT_S: Final = 20.0
_SPARED: Final = 3
"""Calls that pass before one is hit: chunks must get on, too."""

_METHODS: Final = ("timeseries.get_range", "metadata.get_record_count")


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """Attributes: `fields` of one fault, drawn anew for each."""

    kind: str
    family: str
    pause_s: float
    fields: Callable[[random.Random], dict[str, Any]]


def _status(status: int, **more: Any) -> Callable[[random.Random], dict[str, Any]]:
    return lambda chance: {
        "kind": "status", "status": status, "method": chance.choice(_METHODS),
        "body": chance.choice(["problem", "plain", "list", "html", "empty"]), **more,
    }  # fmt: skip


def _cut(how: str) -> Callable[[random.Random], dict[str, Any]]:
    # From the end: something is always missing, however short the body is.
    return lambda chance: {"kind": "cut", "how": how, "at": -chance.randint(1, 600)}


MISBEHAVIOURS: Final = (
    Misbehaviour("429 with Retry-After", "provider", 4.0, _status(429, retry_after=0.5)),
    Misbehaviour("500", "provider", 5.0, _status(500)),
    Misbehaviour("503 with Retry-After", "provider", 5.0, _status(503, retry_after=0.3)),
    Misbehaviour("504", "provider", 5.0, _status(504)),
    Misbehaviour(
        "connection reset", "provider", 5.0,
        lambda chance: {"kind": "reset", "method": chance.choice(_METHODS)},
    ),
    Misbehaviour(
        "timeout", "provider", 8.0,
        lambda chance: {"kind": "slow", "delay_s": 3.0, "method": chance.choice(_METHODS)},
    ),
    Misbehaviour(
        "slow body", "provider", 3.0,
        lambda chance: {"kind": "slow", "bytes_per_s": chance.randint(1_000, 4_000)},
    ),
    Misbehaviour(
        "not yet available", "provider", 10.0,
        lambda chance: {"kind": "not_yet", "bound": chance.choice(["start", "end"])},
    ),
    Misbehaviour(
        "wrong count", "provider", 8.0,
        lambda chance: {"kind": "wrong_count", "add": chance.choice([-2, -1, 1, 5])},
    ),
    Misbehaviour("stream cut, chunks end", "stream", 5.0, _cut("clean")),
    Misbehaviour("stream cut, last chunk missing", "stream", 5.0, _cut("chunked")),
    Misbehaviour("stream cut below its length", "stream", 5.0, _cut("length")),
    Misbehaviour("stream cut, connection closed", "stream", 5.0, _cut("eof")),
    Misbehaviour(
        "stream of fewer records", "stream", 6.0,
        lambda chance: {"kind": "cut_records", "records": chance.randint(0, 20)},
    ),
    Misbehaviour(
        "stream without its last records", "stream", 6.0,
        lambda chance: {"kind": "missing_records", "records": chance.randint(1, 5)},
    ),
    Misbehaviour(
        "bit flipped in a stream", "stream", 4.0,
        lambda chance: {"kind": "corrupt", "at": -chance.randint(1, 400)},
    ),
    Misbehaviour("stream of no byte", "stream", 8.0, lambda _: {"kind": "empty"}),
)  # fmt: skip


class Misbehave(Injector):
    """Arms a few faults of one kind and waits until calls have been hit by them."""

    def __init__(
        self, target: Target, chance: random.Random, what: Misbehaviour, turn: asyncio.Lock
    ) -> None:
        """`turn` is shared by all: what is armed at the same time would hit call after call."""
        super().__init__(target, chance)
        self._turn = turn
        self._what = what
        self.kind = what.kind  # type: ignore[misc]
        self.family = what.family  # type: ignore[misc]
        self.pause_s = what.pause_s  # type: ignore[misc]

    async def inject(self) -> int:
        async with self._turn:
            if self.target.over.is_set():
                return 0
            armed = [self._fault() for _ in range(self.chance.choice([1, 2]))]
            before = len(self.target.gateway.requests())
            for each in armed:
                self.target.gateway.fault(each)
            await pids.soon(lambda: not self._waiting(armed), _HIT_S)
            await pids.soon(lambda: self._answered(armed, before), 2.0)
            hit = self._hit(armed, before)
            # A day without records is refused (422): no stream, nothing of it was cut or damaged.
            spoilt = [each for each in hit if self.family != "stream" or each.status == 200]
            return min(len(armed), len(spoilt))

    def _hit(self, armed: list[Fault], before: int) -> list[Request]:
        calls = self.target.gateway.requests()[before:]
        return [each for each in calls if armed[0].name in each.faults]

    def _answered(self, armed: list[Fault], before: int) -> bool:
        return self.family != "stream" or all(each.status for each in self._hit(armed, before))

    def _fault(self) -> Fault:
        return parse_fault({**self._what.fields(self.chance), "skip": _SPARED})

    def _waiting(self, armed: list[Fault]) -> int:
        waiting = {id(each) for each in self.target.gateway.waiting_faults()}
        return sum(id(each) in waiting for each in armed)
