"""What was asked of the gateway and how it answered; never the key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from threading import Lock
from typing import Final

from ingestor.simulator.faults import Fault

_KEPT: Final = 100_000


@dataclass(frozen=True, slots=True)
class Request:
    """One call of the API.

    Attributes:
        method: ``family.method``.
        verb: GET or POST.
        fields: The form, or the query of the address.
        status: What was answered; 0 before that, and where the connection was reset instead.
        faults: Kinds of the faults that hit it.
        records: Records put into a stream.
    """

    method: str
    verb: str
    fields: Mapping[str, str]
    status: int
    faults: tuple[str, ...] = ()
    records: int = 0

    def as_json(self) -> dict[str, object]:
        return asdict(self)


class Call:
    """A call that is under way. Its status is set before a byte of the answer leaves.

    Attributes:
        faults: What hits it.
        told: Records of each slice that was streamed.
    """

    def __init__(self, method: str, verb: str, fields: Mapping[str, str]) -> None:
        self.method, self.verb, self.fields = method, verb, fields
        self.status = 0
        self.faults: list[Fault] = []
        self.told: list[int] = []

    def request(self) -> Request:
        """As it is now."""
        kinds = tuple(each.name for each in self.faults)
        return Request(
            self.method, self.verb, self.fields, self.status, kinds, sum(list(self.told))
        )


class RequestLog:
    """The latest 100,000 calls, in the order they came. Safe to read from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._calls: list[Call] = []

    def open(self, call: Call) -> Call:
        """Keeps a call, which goes on changing until it has ended."""
        with self._lock:
            self._calls.append(call)
            del self._calls[:-_KEPT]
        return call

    def all(self) -> list[Request]:
        """Those that are under way included."""
        with self._lock:
            return [each.request() for each in self._calls]

    def reset(self) -> None:
        with self._lock:
            self._calls.clear()
