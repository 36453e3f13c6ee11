"""A private TimescaleDB and Valkey on ports that nobody else is given while they are down."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from ingestor.stack import down, process, reset, state, up
from tests import private
from tests.private import PrivateStack

_PORTS: Final = range(20_000, 32_000)
"""Below the ports that outgoing connections get: one of those may not take a killed server's."""


@contextmanager
def servers(home: Path, *, keep: bool) -> Iterator[PrivateStack]:
    """Both in `home`, stopped at the end, and deleted unless their data are to be kept."""
    try:
        up(home, edition="timescaledb", report=_silent)
        down(home)
        _move(home)
        address = up(home, edition="timescaledb", report=_silent)
        yield PrivateStack(
            address, private._postgres(home, address), private._valkey(home, address)
        )
    finally:
        (down if keep else reset)(home)


def _move(home: Path) -> None:
    kept = state.load(home)
    assert kept.postgres is not None
    assert kept.valkey is not None
    state.save(
        home,
        replace(
            kept,
            postgres=replace(kept.postgres, port=_free()),
            valkey=replace(kept.valkey, port=_free()),
        ),
    )


def _free() -> int:
    return next(port for port in random.sample(_PORTS, len(_PORTS)) if process.is_free(port))


def _silent(line: str) -> None:
    """Nobody reads what the stack reports."""
