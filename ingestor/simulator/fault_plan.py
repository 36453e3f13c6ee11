"""Faults that wait for the requests they hit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Final

from ingestor.simulator.faults import Fault, SlowFault, WarningFault

GOING_ALONG: Final = (SlowFault, WarningFault)
"""Faults that hit a request beside another one."""


@dataclass(slots=True)
class _Armed:
    fault: Fault
    skip: int
    left: int | None

    def hits(self, method: str, fields: Mapping[str, str]) -> bool:
        """Whether it hits this request; a hit is used up."""
        if self.left == 0 or self.fault.method not in ("*", method):
            return False
        if not self.fault.match(fields):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.left is not None:
            self.left -= 1
        return True


class FaultPlan:
    """What is armed, in the order it was. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._armed: list[_Armed] = []

    def arm(self, faults: Iterable[Fault]) -> None:
        with self._lock:
            self._armed += [_Armed(each, each.skip, each.count) for each in faults]

    def take(self, method: str, fields: Mapping[str, str]) -> list[Fault]:
        """What hits this request: the first fault that matches, and those that go along with it.

        So that faults armed one after another hit one request after another.
        """
        hit: list[Fault] = []
        with self._lock:
            for each in self._armed:
                alone = not isinstance(each.fault, GOING_ALONG)
                if alone and any(not isinstance(fault, GOING_ALONG) for fault in hit):
                    continue
                if each.hits(method, fields):
                    hit.append(each.fault)
            self._armed = [each for each in self._armed if each.left != 0]
        return hit

    def waiting(self) -> list[Fault]:
        """What has not been used up."""
        with self._lock:
            return [each.fault for each in self._armed]

    def reset(self) -> None:
        with self._lock:
            self._armed.clear()
