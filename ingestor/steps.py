"""Long steps say how far they have come; whoever wants to show it listens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, TypeVar

T = TypeVar("T")

Listener = Callable[[str, int, int], None]
"""Told what is counted (``files read``), how many are done, and of how many."""

_PARTS: Final = 100
_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Steps that run in the block, and in tasks that it starts, tell `listener`."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def counted(what: str, things: Iterable[T], total: int) -> Iterator[T]:
    """The same things, in order; the listener is told a hundred times at most, last at the end."""
    listener, each = _listener.get(), max(total // _PARTS, 1)
    for done, thing in enumerate(things, 1):
        yield thing
        if listener is not None and (done % each == 0 or done == total):
            listener(what, done, total)
