"""The provider's misbehaviour, armed in the simulator; counted once it says that a call was hit."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from ingestor.simulator.archive import Selection
from ingestor.simulator.fault_specs import parse_fault
from ingestor.simulator.faults import Fault
from ingestor.simulator.query import parse_query
from ingestor.simulator.request_log import Request
from tests.chaos import pids
from tests.chaos.injectors.injector import Injector
from tests.chaos.target import Target

_HIT_S: Final = 20.0
_SPARED: Final = 3
"""Calls that pass before one is hit: chunks must get on, too."""

_AT_ONCE: Final = (2, 3, 4)
SILENT_S: Final = 3.0
"""Longer than a call waits for the next byte: to the caller it is a timeout."""

_METHODS: Final = ("timeseries.get_range", "metadata.get_record_count")


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """One way in which the provider fails.

    Attributes:
        fields: Of one fault, drawn anew for each.
        status: What the simulator says that it answered to a call that was hit; None for anything.
        least: Records that a stream must have for the fault to take any of them away.
    """

    kind: str
    family: str
    pause_s: float
    fields: Callable[[random.Random], dict[str, Any]]
    status: int | None = None
    least: int = 0


def _refusal(kind: str, pause_s: float, status: int, **more: Any) -> Misbehaviour:
    return Misbehaviour(
        kind, "provider", pause_s,
        lambda chance: {
            "kind": "status", "status": status, "method": chance.choice(_METHODS),
            "body": chance.choice(["problem", "plain", "list", "html", "empty"]), **more,
        },
        status=status,
    )  # fmt: skip


def _call(
    kind: str, pause_s: float, fields: Callable[[random.Random], dict[str, Any]],
    status: int | None = None,
) -> Misbehaviour:  # fmt: skip
    return Misbehaviour(kind, "provider", pause_s, fields, status)


def _stream(
    kind: str, pause_s: float, fields: Callable[[random.Random], dict[str, Any]], least: int = 0
) -> Misbehaviour:
    """A day without records is refused (422): there is no stream, nothing of it was spoilt."""
    return Misbehaviour(kind, "stream", pause_s, fields, 200, least)


def _cut(kind: str, how: str) -> Misbehaviour:
    # From the end: something is always missing, however short the body is.
    return _stream(kind, 4.0, lambda it: {"kind": "cut", "how": how, "at": -it.randint(1, 600)})


MISBEHAVIOURS: Final = (
    _refusal("429 with Retry-After", 4.0, 429, retry_after=0.5),
    _refusal("500", 5.0, 500),
    _refusal("503 with Retry-After", 5.0, 503, retry_after=0.3),
    _refusal("504", 5.0, 504),
    _call("connection reset", 5.0, lambda it: {"kind": "reset", "method": it.choice(_METHODS)}, 0),
    _call(
        "timeout", 8.0,
        lambda it: {"kind": "slow", "delay_s": SILENT_S, "method": it.choice(_METHODS)},
    ),
    _call("slow body", 4.0, lambda it: {"kind": "slow", "bytes_per_s": it.randint(1_000, 4_000)}),
    _call(
        "not yet available", 10.0,
        lambda it: {"kind": "not_yet", "bound": it.choice(["start", "end"])}, 422,
    ),
    _call(
        "wrong count", 8.0, lambda it: {"kind": "wrong_count", "add": it.choice([-2, -1, 1, 5])},
        200,
    ),
    _cut("stream cut, chunks end", "clean"),
    _cut("stream cut, last chunk missing", "chunked"),
    _cut("stream cut below its length", "length"),
    _cut("stream cut, connection closed", "eof"),
    _stream(
        "stream of fewer records", 5.0,
        lambda it: {"kind": "cut_records", "records": it.choice([0, 1])}, least=2,
    ),
    _stream(
        "stream without its last records", 5.0,
        lambda it: {"kind": "missing_records", "records": it.randint(1, 5)}, least=1,
    ),
    # The shortest body, of one bar, has 136 bytes.
    _stream(
        "bit flipped in a stream", 3.0, lambda it: {"kind": "corrupt", "at": -it.randint(1, 120)}
    ),
    _stream("stream of no byte", 6.0, lambda _: {"kind": "empty"}),
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
            armed = [self._fault() for _ in range(self.chance.choice(_AT_ONCE))]
            before = len(self.target.gateway.requests())
            for each in armed:
                self.target.gateway.fault(each)
            await pids.soon(lambda: not self._waiting(armed), _HIT_S)
            await pids.soon(lambda: self._answered(armed, before), 2.0)
            return min(len(armed), sum(map(self._seen, self._hit(armed, before))))

    def _seen(self, call: Request) -> bool:
        """Whether the fault had its effect on a call that it hit."""
        if self._what.status not in (None, call.status):
            return False
        return not self._what.least or self._records(call) >= self._what.least

    def _records(self, call: Request) -> int:
        """How many records a call asked for."""
        archive = self.target.archive
        query = parse_query(call.fields, archive)
        book = archive.book(query.dataset)
        chosen = book.resolve(query.symbols, query.stype_in, *query.days).selected
        return archive.count(Selection(query.dataset, query.schema, query.start, query.end, chosen))

    def _hit(self, armed: list[Fault], before: int) -> list[Request]:
        calls = self.target.gateway.requests()[before:]
        return [each for each in calls if armed[0].name in each.faults]

    def _answered(self, armed: list[Fault], before: int) -> bool:
        return not self._what.status or all(each.status for each in self._hit(armed, before))

    def _fault(self) -> Fault:
        return parse_fault({**self._what.fields(self.chance), "skip": _SPARED})

    def _waiting(self, armed: list[Fault]) -> int:
        waiting = {id(each) for each in self.target.gateway.waiting_faults()}
        return sum(id(each) in waiting for each in armed)
