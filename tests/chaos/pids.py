"""Processes as the kernel shows them: whether one lives, what it does, whose child it is."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_POLL_S: Final = 0.005
_STATE, _PARENT, _SESSION, _BEGAN = 0, 1, 3, 19


@dataclass(frozen=True, slots=True)
class Pid:
    """A process; `began` tells it from a later one that got its number."""

    number: int
    began: int

    @property
    def state(self) -> str | None:
        """``R``, ``S``, ``T`` and so on; None once it is dead, a zombie too."""
        fields = _fields(self.number)
        if fields is None or int(fields[_BEGAN]) != self.began or fields[_STATE] in "ZX":
            return None
        return fields[_STATE]

    @property
    def lives(self) -> bool:
        return self.state is not None

    @property
    def stopped(self) -> bool:
        return self.state == "T"

    def told(self) -> str:
        """What it is and what it waits for, for whoever must find out why it lives."""
        folder = Path(f"/proc/{self.number}")
        with suppress(OSError, IndexError):
            command = folder.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode()
            parent = (_fields(self.number) or [])[_PARENT]
            waits = {
                thread.joinpath("comm").read_text().strip(): thread.joinpath("wchan").read_text()
                for thread in folder.joinpath("task").iterdir()
            }
            return (
                f"process {self.number} lives ({self.state}): {command.strip()}, child of {parent},"
                f" threads wait in {waits}"
            )
        return f"process {self.number} lived"

    def send(self, number: signal.Signals) -> None:
        if self.lives:
            with suppress(ProcessLookupError):
                os.kill(self.number, number)


def find(number: int) -> Pid | None:
    """The process of that number, if it lives."""
    fields = _fields(number)
    return None if fields is None or fields[_STATE] in "ZX" else Pid(number, int(fields[_BEGAN]))


def children(number: int) -> list[Pid]:
    """The living children of a process."""
    return _those(lambda fields: int(fields[_PARENT]) == number)


def of_session(leader: int) -> list[Pid]:
    """The living processes of a session: a service's own, orphans among them."""
    return _those(lambda fields: int(fields[_SESSION]) == leader)


def _those(wanted: Callable[[list[str]], bool]) -> list[Pid]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        fields = _fields(int(entry.name))
        if fields is not None and fields[_STATE] not in "ZX" and wanted(fields):
            found.append(Pid(int(entry.name), int(fields[_BEGAN])))
    return found


def _fields(number: int) -> list[str] | None:
    """Of /proc/N/stat, from the state on: what stands before it may hold blanks."""
    try:
        text = Path(f"/proc/{number}/stat").read_text()
    except OSError:
        return None
    return text.rpartition(")")[2].split()


async def soon(fact: Callable[[], bool], within_s: float) -> bool:
    """Whether it comes true in time."""
    deadline = time.monotonic() + within_s
    while not fact():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(_POLL_S)
    return True
